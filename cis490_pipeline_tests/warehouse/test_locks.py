"""One holder at a time, whoever it is, and none that a dead process keeps others out with."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cis490_pipeline.warehouse.locks import held_alone

_HOLDER = """
import pathlib, sys, time
from cis490_pipeline.warehouse.locks import held_alone
with held_alone(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def another_process_holding(path: Path) -> Generator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_who_waits_says_for_whom_and_goes_on_when_that_one_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, held = tmp_path / "below" / "one.lock", threading.Event()

    def second() -> None:
        with held_alone(path):
            held.set()

    caplog.set_level(logging.INFO)
    with another_process_holding(path) as process:
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not held.wait(timeout=0.3)
        os.kill(process.pid, signal.SIGSTOP)  # who stands still holds on
        assert not held.wait(timeout=0.1)
        os.kill(process.pid, signal.SIGKILL)
        waiting.join(timeout=60)
    assert held.is_set()
    assert f"{path} is held by process {process.pid}: waiting" in caplog.text
    assert list(path.parent.iterdir()) == []


def test_a_lock_that_nobody_has_is_taken_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        with held_alone(tmp_path / "one.lock"):
            assert (tmp_path / "one.lock").exists()
    assert caplog.text == ""
    assert list(tmp_path.iterdir()) == []
