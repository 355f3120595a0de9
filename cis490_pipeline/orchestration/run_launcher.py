"""Dagster's own launcher, plus an answer to whether the process of a run still lives.

The code server that started a run reports its death. Where it died as well (a power cut, the end of
a service with all of its processes) nobody does, and the run would stay started until its longest
runtime ends, with its partition closed to every other run all the while. Run monitoring asks here.

Named by ``dagster.yaml``. Not here: when it is asked, and what follows (``dagster.yaml``).
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

_FIRST_EVENTS: Final = 20
"""The process of a run is told by one of its first engine events."""

_SLACK_S: Final = 60.0
"""By so much the wall clock may have been set since a run began."""


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Starts runs as ``DefaultRunLauncher``; knows by its pid whether a run's process lives.

    For runs on the daemon's machine (and in its pid namespace), those of the command line too.
    A code server that lives reports a death itself, and gets ``grace_s`` seconds for it: run
    monitoring looks at the run again before it reports the same once more.
    """

    grace_s: float = 5.0

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Tell run monitoring to ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Say whether the process that executes the run is there.

        A run that never told its process is left to its longest runtime.
        """
        told = _process_of(self._instance, run.run_id)
        if told is None or is_alive(*told):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        pid, _ = told
        time.sleep(self.grace_s)
        return CheckRunHealthResult(
            WorkerStatus.FAILED,
            f"process {pid}, which executed the run, is gone without a word: killed, out of "
            "memory, or the machine or its service was stopped",
            run_worker_id=str(pid),
        )


def _process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """Return pid and Unix seconds of the first event that names a process, before any step's."""
    events = instance.event_log_storage.get_logs_for_run(
        run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, limit=_FIRST_EVENTS
    )
    for entry in events:
        event = entry.dagster_event
        if event is not None and event.step_key is None:
            pid = event.engine_event_data.metadata.get("pid")
            if pid is not None:
                return int(str(pid.value)), entry.timestamp
    return None


def is_alive(pid: int, seen_s: float) -> bool:
    """Say whether the process that had a pid at ``seen_s`` (Unix seconds) still runs.

    A pid is given out again, after a restart of a container to the same few processes: who has it
    and is younger is somebody else.
    """
    if sys.platform != "linux":
        return _has_process(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return False
    state, *fields = stat.rpartition(")")[2].split()
    age_s = uptime_s - int(fields[18]) / os.sysconf("SC_CLK_TCK")
    return state not in ("Z", "X") and age_s > time.time() - seen_s - _SLACK_S


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
