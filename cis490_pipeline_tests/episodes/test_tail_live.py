"""The tailer beside a writer that does not wait for it."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from cis490_pipeline_tests.episodes.tailing import Follower, append, lines, numbers_of, row

ROWS = 20_000


def write_all(path: Path, seed: int, every: int, how: str) -> None:
    """Append all rows, flushed at random bytes; rotate after each ``every`` rows."""
    generator = random.Random(seed)
    file = path.open("ab", buffering=0)
    for rotation, first in enumerate(range(0, ROWS, every)):
        old = path.with_name(f"index.jsonl-{20_260_000 + rotation}")
        data = b"".join(row(n, note="Gerät 😀") + b"\n" for n in range(first, first + every))
        while data:
            n_bytes = generator.choice((1, 7, 100, 1000, 30_000))
            file.write(data[:n_bytes])
            data = data[n_bytes:]
        if how == "rename":
            path.rename(old)
            file.close()
            file = path.open("ab", buffering=0)
        elif how == "copytruncate":
            old.write_bytes(path.read_bytes())
            file.truncate(0)
    file.close()


WRITE = "import pathlib, sys; from {module} import write_all; write_all(pathlib.Path(sys.argv[1])"


@pytest.mark.parametrize(
    ("how", "every"), [("append", ROWS), ("rename", 2500), ("copytruncate", 5000)]
)
def test_every_row_of_a_busy_writer_arrives_once_and_in_order(tmp_path, how, every):
    path = tmp_path / "index.jsonl"
    code = WRITE.format(module=__name__) + f", seed=7, every={every}, how={how!r})"
    follower, found, while_writing = Follower(path), [], 0
    with subprocess.Popen([sys.executable, "-c", code, str(path)]) as writer:
        while writer.poll() is None:
            found += numbers_of(follower.step(max_bytes=100_000))
            while_writing += bool(found) and len(found) < ROWS
    assert writer.returncode == 0
    found += follower.drain(max_bytes=100_000)
    assert found == list(range(ROWS))
    assert while_writing > 10
    assert not any(step.damage or step.gap for step in follower.steps)


def test_two_writers_with_single_writes_tear_nothing(tmp_path):
    path = tmp_path / "index.jsonl"
    code = (
        "import pathlib, sys; from cis490_pipeline_tests.episodes.tailing import append, lines\n"
        "for n in range(int(sys.argv[2]), 4000, 2): append(pathlib.Path(sys.argv[1]), lines(n))"
    )
    follower, found = Follower(path), []
    command = [sys.executable, "-c", code, str(path)]
    with (
        subprocess.Popen([*command, "0"]) as even,
        subprocess.Popen([*command, "1"]) as odd,
    ):
        while even.poll() is None or odd.poll() is None:
            found += numbers_of(follower.step())
    found += follower.drain()
    assert sorted(found) == list(range(4000))
    assert not any(step.damage for step in follower.steps)


def test_large_index_is_caught_up_with_in_large_steps(tmp_path):
    path = tmp_path / "index.jsonl"
    append(path, lines(*range(ROWS)))
    follower = Follower(path)
    assert follower.drain(max_bytes=1 << 20) == list(range(ROWS))
    assert len(follower.steps) == path.stat().st_size // (1 << 20) + 1
