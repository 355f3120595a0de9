"""The tailer beside a writer that does not wait for it."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from cis490_pipeline_tests.episodes.tailing import Follower, append, lines, numbers_of, row

ROWS = 20_000
BLOCK = 2000


def write_all(path: Path, how: str) -> None:
    """Append all rows but the first, flushed at random bytes; rotate after each block of them.

    Each block waits for a byte on the standard input, so that the follower has its turns however
    busy the machine is; between them both run as they like.
    """
    generator = random.Random(7)
    file = path.open("ab", buffering=0)
    for first in range(0, ROWS, BLOCK):
        sys.stdin.buffer.read(1)
        numbers = range(max(1, first), first + BLOCK)
        data = b"".join(row(n, note="Gerät 😀") + b"\n" for n in numbers)
        while data:
            n_bytes = generator.choice((1, 7, 100, 1000, 30_000))
            file.write(data[:n_bytes])
            data = data[n_bytes:]
        old = path.with_name(f"index.jsonl-{20_260_000 + first}")
        if how == "rename":
            path.rename(old)
            file.close()
            file = path.open("ab", buffering=0)
        elif how == "copytruncate":
            old.write_bytes(path.read_bytes())
            file.truncate(0)
    file.close()


WRITE = "import pathlib, sys; from {} import write_all; write_all(pathlib.Path(sys.argv[1]), {!r})"


@pytest.mark.parametrize("how", ["append", "rename", "copytruncate"])
def test_every_row_of_a_busy_writer_arrives(tmp_path, how):
    path = tmp_path / "index.jsonl"
    append(path, lines(0))
    follower = Follower(path)
    found = follower.drain()  # a file of which nothing was read could be cut unnoticed
    command = [sys.executable, "-c", WRITE.format(__name__, how), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as writer:
        for _ in range(0, ROWS, BLOCK):
            writer.stdin.write(b".")
            writer.stdin.flush()
            for _ in range(5):
                found += numbers_of(follower.step(max_bytes=100_000))
        while writer.poll() is None:
            found += numbers_of(follower.step(max_bytes=100_000))
    assert writer.returncode == 0
    found += follower.drain(max_bytes=100_000)
    assert not any(step.gap for step in follower.steps)
    if how == "copytruncate":  # a step between the copy and the cut repeats rows
        found = sorted(set(found))
    else:
        assert not any(step.damage for step in follower.steps)
    assert found == list(range(ROWS))


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
