"""Fits that SIGKILL ends in the middle, each in a process of its own.

One program that imports torch once and forks for every case, since the imports take longer than all
the fits together.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.training.progress import EpochRecord
from cis490_pipeline.training.request import TrainingRequest
from cis490_pipeline_tests.conformance.factory import request_for, run_job

# three passes over 60 cases make an epoch, twelve the fit; nothing ends it early
_LOOP = {"epochs": 12, "evaluation_steps": 12, "min_steps": 10_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """A request, and the record after which its process dies."""

    name: str
    family: str
    part: str = ""
    epoch: int = 2

    @property
    def request(self) -> TrainingRequest:
        overrides: dict[str, object] = dict(_LOOP)
        if self.family == "gbt":
            overrides = {"rounds": 30}
        if self.family == "blend":
            overrides = {"rounds": 30, "epochs": 40}
        if self.family == "bert":
            overrides["pretraining_steps"] = 40
        return request_for(self.family, Mode.REALISTIC, **overrides)


VICTIMS = (
    *(Victim(name=family, family=family) for family in ("mlp", "cnn", "gru", "lstm")),
    Victim(name="transformer", family="transformer"),
    Victim(name="bert", family="bert"),
    Victim(name="bert-trunk", family="bert", part="pre-training"),
    Victim(name="blend-network", family="blend", part="cnn"),
    Victim(name="gbt", family="gbt", epoch=10),
)


class Killer:
    """A reporter that ends its process without a word."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim

    def epoch(self, record: EpochRecord) -> None:
        if (record.part, record.epoch) == (self._victim.part, self._victim.epoch):
            os.kill(os.getpid(), signal.SIGKILL)


def kill_all(root: Path) -> dict[str, int]:
    """Run every victim below ``root / name``; return the signal that ended each, 0 for none."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(root)], capture_output=True, text=True, check=True
    )
    pairs = (line.split() for line in done.stdout.splitlines())
    return {name: int(ended_by) for name, ended_by in pairs}


def _main(root: Path) -> None:
    for victim in VICTIMS[-1], VICTIMS[0]:  # imports and compiles what all of them need
        run_job(replace(victim.request, seed=1), root / "warm-up")
    for victim in VICTIMS:
        child = os.fork()
        if child == 0:
            run_job(victim.request, root / victim.name, reporter=Killer(victim))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(victim.name, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
