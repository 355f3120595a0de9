"""A real webserver and daemon over a temporary data directory, and every process below them.

Questions go to the instance, so that they can be asked while a server is dead; runs are started by
GraphQL, as people start them. Not here: who is killed when (``processes``).
"""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import dagster as dg
import yaml

from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.end_to_end.conftest import BIN, REPOSITORY, Dagster, environment

LONGEST_S: Final = 400.0
_TELLS_PID: Final = {dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.STEP_WORKER_STARTED}
_LAUNCH: Final = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
_AGAIN: Final = """mutation($r: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $r) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""


class Installation:
    """One data directory with its store, home and servers.

    The home's file is the project's own with shorter intervals; ``gpu_steps`` is the limit of that
    pool.
    """

    def __init__(self, store: Path, data: Path, port: int, *, gpu_steps: int = 1) -> None:
        self.data = data
        self.store = store
        self.dagster = Dagster(port)
        self._port = port
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self._surroundings = {**environment(data), "CIS490_STORE": str(store)}
        subprocess.run([str(BIN / "cis490"), "register"], env=self._surroundings, check=True)
        _hurry(data / "dagster" / "dagster.yaml")
        self.instance.event_log_storage.set_concurrency_slots("gpu", gpu_steps)

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        """The instance of the servers, seen from this process."""
        return dg.DagsterInstance.from_config(str(self.data / "dagster"))

    @property
    def warehouse(self) -> Warehouse:
        """What the runs write."""
        return Warehouse(self.data)

    def start(self, *names: str) -> None:
        """Start servers, and wait until the webserver answers."""
        workspace = ["-w", str(REPOSITORY / "workspace.yaml")]
        commands = {
            "webserver": ["dagster-webserver", "-h", "127.0.0.1", "-p", str(self._port)],
            "daemon": ["dagster-daemon", "run"],
        }
        for name in names:
            program, *words = commands[name]
            with (self.data.parent / f"{name}.log").open("ab") as log:
                self._servers[name] = subprocess.Popen(
                    [str(BIN / program), *words, *workspace],
                    env=self._surroundings, cwd=REPOSITORY, stdout=log, stderr=log,
                )  # fmt: skip
        wait_for(self.dagster.answers, "the webserver answers")

    def kill(self, name: str) -> None:
        """End one server by SIGKILL; what it has started lives on."""
        server = self._servers.pop(name)
        server.kill()
        server.wait()

    def kill_everything(self) -> None:
        """Do what a power cut does to the processes of this home, and to no other."""
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for server in self._servers.values():
                server.wait()
            self._servers.clear()
            time.sleep(0.05)

    def processes(self) -> list[int]:
        """Return the living processes that were started for this home."""
        wanted = f"DAGSTER_HOME={self.data / 'dagster'}".encode()
        found: list[int] = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if wanted in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
        return found

    def launch(self, job: str, partition: str, assets: Sequence[Sequence[str]], config: Any) -> str:
        """Start a run by GraphQL; return its id."""
        selector: dict[str, object] = {
            "repositoryName": "__repository__",
            "repositoryLocationName": "cis490_pipeline",
            "jobName": job,
        }
        if assets:
            selector["assetSelection"] = [{"path": list(path)} for path in assets]
        tags = [{"key": "dagster/partition", "value": partition}]
        parameters = {
            "selector": selector,
            "runConfigData": config,
            "executionMetadata": {"tags": tags},
        }
        answer = self.dagster.ask(_LAUNCH, p=parameters)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def again(self, run_id: str) -> str:
        """Re-execute a run from failure, as the UI's button does; return the new run's id."""
        parameters = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
        answer = self.dagster.ask(_AGAIN, r=parameters)["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        """Return how a run stands."""
        return self.instance.get_run_by_id(run_id).status

    def retry_of(self, run_id: str) -> str | None:
        """Return the run that was started for a failed one."""
        chosen = dg.RunsFilter(tags={"dagster/parent_run_id": run_id})
        return next((run.run_id for run in self.instance.get_runs(chosen)), None)

    def processes_of(self, run_id: str) -> tuple[int, dict[str, int]]:
        """Return the pid of a run's worker (0: not yet told) and of its steps' newest processes."""
        worker, steps = 0, dict[str, int]()
        for entry in self.instance.all_logs(run_id, of_type=_TELLS_PID):
            told = entry.dagster_event.event_specific_data.metadata.get("pid")
            if told is not None and entry.step_key:
                steps[entry.step_key] = int(told.value)
            elif told is not None:
                worker = worker or int(told.value)
        return worker, steps

    def said(self, run_id: str) -> str:
        """Return everything that a run's log says."""
        return "\n".join(entry.message for entry in self.instance.all_logs(run_id))

    def can_write(self) -> bool:
        """Say whether nobody is in the middle of writing to Dagster's databases."""
        paths = (self.data / "dagster").rglob("*.db")
        return all(_takes_a_writer(path) for path in paths)

    def steps(self, run_id: str, kind: dg.DagsterEventType) -> list[str]:
        """Return the keys of the steps that have an event of a kind in a run, in their order."""
        return [str(entry.step_key) for entry in self.instance.all_logs(run_id, of_type=kind)]

    def close(self) -> None:
        """End the servers as a service does, and what is left by force."""
        for server in self._servers.values():
            server.terminate()
        for server in self._servers.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=30)
        self.kill_everything()
        self.instance.dispose()


@contextlib.contextmanager
def installed(store: Path, data: Path, port: int, *, gpu_steps: int = 1) -> Generator[Installation]:
    """Yield an installation with both servers running; nothing of it is left afterwards."""
    here = Installation(store, data, port, gpu_steps=gpu_steps)
    try:
        here.start("webserver", "daemon")
        yield here
    finally:
        here.close()


def wait_for(question: Callable[[], Any], what: str, pause_s: float = 0.2) -> Any:
    """Ask until the answer is true; none of the processes tells by itself."""
    for _ in _until(LONGEST_S, pause_s):
        if answer := question():
            return answer
    raise AssertionError(f"{what}: not within {LONGEST_S:g} s")


def _takes_a_writer(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path, timeout=1.0)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:  # locked
            return False
        database.rollback()
    return True


def _until(seconds: float, pause_s: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(pause_s)


def _hurry(path: Path) -> None:
    """Shorten the project's intervals, and let as many runs go on as there are victims."""
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["run_monitoring"] |= {
        "poll_interval_seconds": 2,
        "free_slots_after_run_end_seconds": 2,
    }
    settings["concurrency"]["runs"]["max_concurrent_runs"] = 4
    settings["run_coordinator"] = {
        "module": "dagster._core.run_coordinator.queued_run_coordinator",
        "class": "QueuedRunCoordinator",
        "config": {"dequeue_interval_seconds": 1},
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
