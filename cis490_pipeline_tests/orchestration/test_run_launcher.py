"""A run whose process is gone is known to be: by its pid, also where that has a new owner."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher.base import WorkerStatus

from cis490_pipeline.orchestration.home import instance_file
from cis490_pipeline.orchestration.run_launcher import LocalRunLauncher, is_alive


@dg.job
def nothing() -> None:
    """No step."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_bytes(instance_file().read_bytes())
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def run_in(instance: dg.DagsterInstance, *pids: int) -> dg.DagsterRun:
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    for pid in pids:
        instance.report_engine_event("Started process", run, EngineEventData.in_process(pid))
    return run


def gone() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def test_the_project_asks_for_dead_workers(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_launcher, LocalRunLauncher)
    assert instance.run_monitoring_enabled
    assert instance.run_launcher.supports_check_run_worker_health


def test_a_run_is_as_alive_as_its_process(instance: dg.DagsterInstance) -> None:
    launcher, lost = instance.run_launcher, gone()
    launcher.grace_s = 0.0
    living = launcher.check_run_worker_health(run_in(instance, os.getpid(), lost))
    assert living.status is WorkerStatus.RUNNING
    dead = launcher.check_run_worker_health(run_in(instance, lost, os.getpid()))
    assert dead.status is WorkerStatus.FAILED
    assert f"process {lost}, which executed the run, is gone" in (dead.msg or "")


def test_a_run_that_never_told_its_process_is_left_alone(instance: dg.DagsterInstance) -> None:
    result = instance.run_launcher.check_run_worker_health(run_in(instance))
    assert result.status is WorkerStatus.RUNNING


def test_a_pid_that_was_given_out_again_is_somebody_else() -> None:
    assert is_alive(os.getpid(), time.time())
    assert not is_alive(os.getpid(), time.time() - 30 * 86400)


def test_a_process_that_waits_for_its_burial_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(process.pid, time.time())
