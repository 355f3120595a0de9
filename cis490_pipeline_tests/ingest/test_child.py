"""A worker never outlives its supervisor, however that ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.ingest.supervised_run import ingest_host_supervised
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import build_store, episode_id
from cis490_pipeline_tests.ingest.content import content_of
from cis490_pipeline_tests.ingest.poison import poison

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_SUPERVISOR = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever ignores it hands that on to children
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
from pathlib import Path
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest import child
from cis490_pipeline.ingest.supervised_run import ingest_host_supervised
from cis490_pipeline.warehouse.warehouse import Warehouse
child.WORKER = tuple(sys.argv[3:])
ingest_host_supervised(EpisodeStore(Path(sys.argv[1])), Warehouse(Path(sys.argv[2])), "lab-a")
"""


def children_of(pid: int) -> list[int]:
    """Return the child processes of a process that is alive."""
    words = [path.read_text("ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(word) for word in " ".join(words).split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(question: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not question():
        assert time.monotonic() < deadline, f"{what}: not within a minute"
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_supervisor_takes_its_hanging_worker_with_it(
    how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker holds the interpreter lock: nothing in it could notice."""
    from cis490_pipeline.ingest import child

    store = build_store(tmp_path / "store", {"lab-a": 2}).root
    poison(monkeypatch, store, {0: "hang with the lock"})
    box = tmp_path / "data" / "ingest" / "lab-a.visiting"
    command = [sys.executable, "-c", _SUPERVISOR, store, tmp_path / "data", *child.WORKER]
    with subprocess.Popen(command) as supervisor:
        wait_until(lambda: box.exists() and episode_id(0).encode() in box.read_bytes(), "a visit")
        (worker,) = children_of(supervisor.pid)
        assert is_alive(worker)
        supervisor.send_signal(how)
    wait_until(lambda: not is_alive(worker), "the worker's end")


def test_a_cancelled_run_leaves_no_worker_and_no_half_batch(tmp_path: Path) -> None:
    """Dagster cancels by an exception in the step's process, a terminal by KeyboardInterrupt."""
    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 6}).root)
    warehouse = Warehouse(tmp_path / "data")
    before = children_of(os.getpid())

    def cancel(done: int, total: int) -> None:
        assert len(children_of(os.getpid())) == len(before) + 1
        raise KeyboardInterrupt

    one_by_one = IngestOptions(episodes_per_commit=1)
    with pytest.raises(KeyboardInterrupt):
        ingest_host_supervised(store, warehouse, "lab-a", one_by_one, cancel)
    assert children_of(os.getpid()) == before
    rest = ingest_host(store, warehouse, "lab-a")
    assert rest.episodes_new < 6
    ingest_host(store, Warehouse(tmp_path / "calm"), "lab-a")
    assert content_of(warehouse.root) == content_of(tmp_path / "calm")


def test_what_a_library_prints_does_not_disturb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 2}).root)
    poison(monkeypatch, store.root, {0: "noise"})
    report = ingest_host_supervised(store, Warehouse(tmp_path / "data"), "lab-a")
    assert report.status["accepted"] == 2
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "noise\n")
