"""The step of a run that was killed goes on, and its run is tried again: never two at one fit."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline_tests.conformance.factory import loader_for, request_for, run_job

CNN = request_for("cnn", Mode.REALISTIC, epochs=6, evaluation_steps=4)
BERT = request_for("bert", Mode.REALISTIC, epochs=2, pretraining_steps=60, evaluation_steps=4)

# Stops itself at its third epoch; every epoch is a line in a file.
_ORPHAN = """
import os, pathlib, signal, sys
from cis490_pipeline_tests.conformance.factory import run_job
from cis490_pipeline_tests.training import test_one_at_a_time
class Tells:
    def epoch(self, record):
        with open(sys.argv[3], "a") as file:
            print(record.part, record.epoch, file=file)
        if record.epoch == 2:
            os.kill(os.getpid(), signal.SIGSTOP)
run_job(getattr(test_one_at_a_time, sys.argv[2]), pathlib.Path(sys.argv[1]), reporter=Tells())
"""


@pytest.mark.parametrize("name", ["CNN", "BERT"])
def test_a_second_fit_waits_for_the_first_and_takes_its_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    data, told = tmp_path / "data", tmp_path / "epochs"
    loads, outcomes = [], []

    def load():
        loads.append(1)
        return loader_for(Mode.REALISTIC)()

    caplog.set_level("INFO")
    command = [sys.executable, "-c", _ORPHAN, str(data), name, str(told)]
    with subprocess.Popen(command) as orphan:
        _, status = os.waitpid(orphan.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        retry = threading.Thread(
            target=lambda: outcomes.append(run_job(globals()[name], data, load))
        )
        retry.start()
        retry.join(timeout=1.0)
        assert retry.is_alive()
        assert loads == []
        lines = told.read_text()
        while retry.is_alive():  # bert stops twice: in its pre-training and in its fit
            os.kill(orphan.pid, signal.SIGCONT)
            retry.join(timeout=0.2)
        orphan.wait(timeout=120)
    assert orphan.returncode == 0
    assert told.read_text().startswith(lines)
    assert f"is held by process {orphan.pid}: waiting" in caplog.text
    (outcome,) = outcomes
    if name == "CNN":
        assert outcome.reused
    assert loads == [] or not outcome.reused  # between trunk and fit either may be the first
    registry = ModelRegistry(data / "models")
    assert registry.by_identity(outcome.identity) == outcome.bundle
    assert list((data / "models" / "locks").iterdir()) == []
    assert family(globals()[name].family).wants_gpu  # two of them would not fit into one
