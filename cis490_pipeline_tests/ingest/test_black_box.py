"""What stands in the box when a process has died is what it was at."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.ingest.black_box import BlackBox, Visit, held_box
from cis490_pipeline_tests.episodes.building import episode_id

A, B = episode_id(1), episode_id(2)

_DIES = """
import os, signal, sys
from pathlib import Path
from cis490_pipeline.ingest.black_box import BlackBox
box = BlackBox.open(Path(sys.argv[1]))
with box.visiting(sys.argv[2]):
    pass
with box.visiting(sys.argv[2]), box.visiting(sys.argv[3]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(visits: tuple[Visit, ...]) -> list[str]:
    return [visit.episode_id for visit in visits]


def test_it_outlives_its_writer(tmp_path: Path) -> None:
    before = time.monotonic_ns()
    with held_box(tmp_path / "box", 2) as (box, left):
        assert (left, box.visits()) == ((), ())
        command = [sys.executable, "-c", _DIES, str(tmp_path / "box"), A, B]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert names(box.visits()) == [A, B]
        assert all(before < visit.since_ns < time.monotonic_ns() for visit in box.visits())
        box.clear()
        assert box.visits() == ()
    assert list(tmp_path.iterdir()) == []


def test_a_visit_that_raises_stays_named(tmp_path: Path) -> None:
    with held_box(tmp_path / "box", 2) as (box, _):
        with pytest.raises(LookupError), box.visiting(A):
            raise LookupError
        with box.visiting(B):
            assert names(box.visits()) == [A, B]
        assert names(box.visits()) == [A]


def test_each_thread_has_a_slot_of_its_own(tmp_path: Path) -> None:
    def at_work(box: BlackBox, name: str) -> None:
        for _ in range(200):
            with box.visiting(name):
                assert name in names(box.visits())

    with held_box(tmp_path / "box", 4) as (box, _):
        workers = [threading.Thread(target=at_work, args=(box, episode_id(n))) for n in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert box.visits() == ()


def test_what_a_run_left_that_died_as_a_whole_is_handed_over(tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(A.encode().ljust(32, b"\0") + b"\1" * 8 + bytes(40))
    with held_box(path, 3) as (box, left):
        assert names(left) == [A]
        assert box.visits() == ()
    path.write_bytes(b"not a box")
    with held_box(path, 3) as (_, left):
        assert left == ()


def test_a_second_holder_waits_and_gets_a_box_of_its_own(tmp_path: Path) -> None:
    path, order = tmp_path / "box", []

    def second() -> None:
        with held_box(path, 1) as (_, left):
            order.append(("second", left, path.exists()))

    with held_box(path, 1):
        other = threading.Thread(target=second)
        other.start()
        other.join(timeout=0.2)
        order.append(("first", (), True))
    other.join()
    assert order == [("first", (), True), ("second", (), True)]
    assert not path.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(WarehouseError, match="cannot write") as refused,
        held_box(tmp_path / "file" / "box", 1),
    ):
        pass
    assert str(tmp_path / "file") in refused.value.where
    assert refused.value.todo
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
