"""The two kinds of work that Dagster's processes die in, each brought to a known point and held.

An ingest is held at its host's lock, which this process has; a fit after its first epoch, where its
process is stopped. Not here: who is killed (``processes``), the servers (``installation``).
"""

import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg

from cis490_pipeline.datasets.planning import write_training_set
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.journal import host_lock, journal_of
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.training.fitted import never_cancelled
from cis490_pipeline.training.on_split import FitOptions, fit_on_split
from cis490_pipeline.training.progress import SilentReporter
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.drills.installation import Installation, wait_for
from cis490_pipeline_tests.episodes.building import add_episode, build_episode, episode_id
from cis490_pipeline_tests.ingest.content import content_of

HOST_OF: Final[Mapping[str, str]] = {
    "step": "lab-s",
    "run worker": "lab-r",
    "daemon": "lab-d",
    "webserver": "lab-w",
    "machine": "lab-m",
}
"""Victim → the host that is ingested, and held out, while it dies."""

_PHASES: Final = ("clean", "armed", "infecting", "dormant")
_SHORT: Final = {"epochs": 30, "evaluation_steps": 4, "patience": 100}
_FIT: Final = FitOptions(family="cnn", mode=Mode.REALISTIC, overrides=_SHORT)
_FITTED: Final = "model__cnn__realistic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """What an undisturbed run makes of the store; splits → (identity, bundle) of the fit."""

    content: dict[str, Any]
    fits: Mapping[str, tuple[str, str]]


def build_store(root: Path) -> Path:
    """Make a store that every host's split can be fitted from."""
    for number, host in enumerate(host for host in HOST_OF.values() for _ in range(6)):
        profile = ("io-walk", "cpu-saturate", "benign")[number % 3]
        phases = ("clean",) if profile == "benign" else _PHASES
        blob = build_episode(
            seconds=40, phases=phases, profile=profile, host_id=host, sample_name=f"s{number}"
        )
        add_episode(root, host, episode_id(number), blob)
    return root


def ingested(store: Path, data: Path) -> Warehouse:
    """Bring every host's episodes into a data directory, in this process."""
    warehouse = Warehouse(data)
    for host in HOST_OF.values():
        ingest_host(EpisodeStore(store), warehouse, host)
    return warehouse


def calm_of(store: Path, data: Path, splits: list[str]) -> Calm:
    """Ingest and fit in this process, with nobody in the way."""
    warehouse = ingested(store, data)
    fits: dict[str, tuple[str, str]] = {}
    for split in splits:
        write_training_set(warehouse, split, SplitConfig())
        outcome = fit_on_split(warehouse, split, _FIT, SilentReporter(), never_cancelled)
        fits[split] = (outcome.identity, outcome.bundle)
    return Calm(content=content_of(data), fits=fits)


class Ingest:
    """A run of ``ingest_host`` that is held before it writes."""

    step = "ingest"

    def __init__(self, here: Installation, calm: Calm, victim: str) -> None:
        self.here, self.victim = here, victim
        self.host = HOST_OF[victim]
        self._lock = contextlib.ExitStack()
        self._lock.enter_context(host_lock(here.warehouse.layout, self.host))
        self.run_id = here.launch("ingest_host", self.host, [], {})
        self.worker_pid = self.step_pid = 0

    def is_held(self) -> bool:
        """Say whether the step stands at the lock."""
        self.worker_pid, steps = self.here.processes_of(self.run_id)
        self.step_pid = steps.get(self.step, 0)
        box = self.here.warehouse.layout.ingest / f"{self.host}.visiting"
        return bool(self.step_pid) and box.exists()

    def kill_step(self) -> str:
        """Kill the step in the middle of its first commit; return the run that brings it home."""
        journal = journal_of(self.here.warehouse.layout, self.host)
        self.let_go()
        wait_for(journal.path.exists, "a commit begins", pause_s=0.001)
        os.kill(self.step_pid, signal.SIGKILL)
        wait_for(lambda: "STEP_RESTARTED" in kinds(self.here, self.run_id), "the step's own retry")
        return self.run_id

    def let_go(self) -> None:
        """Let whoever stands at the lock go on."""
        self._lock.close()

    def check(self, last_run: str) -> None:
        """Find the host's episodes held once, and what a killed run's step did not done again."""
        new = metadata_of(self.here, last_run, "validation_index")["episodes_new"]
        found_done = self.victim == "run worker"  # by its step, which outlived it
        assert new == (0 if found_done else 6), (self.victim, new)


class Training:
    """A run that plans a split and fits two models, held in the second one's fit."""

    step = _FITTED

    def __init__(self, here: Installation, calm: Calm, victim: str) -> None:
        self.here, self.victim = here, victim
        self.split = f"host={HOST_OF[victim]}"
        self.identity, self.bundle = calm.fits[self.split]
        options = {"contexts": ["none"], "hyper_parameters": _SHORT}
        assets = [["training_set"], ["model", "majority", "any"], ["model", "cnn", "realistic"]]
        config = {"ops": {_FITTED: {"config": options}}}
        self.run_id = here.launch("full_split", self.split, assets, config)
        self.worker_pid = self.step_pid = 0
        self._is_stopped = False

    @property
    def _checkpoint(self) -> Path:
        return self.here.warehouse.layout.training_work / f"{self.identity}.safetensors"

    def is_held(self) -> bool:
        """Stop the step once it has a checkpoint; say whether all else of the run is done."""
        if not self.step_pid:
            self.worker_pid, steps = self.here.processes_of(self.run_id)
            self.step_pid = steps.get(self.step, 0)
        if self.step_pid and not self._is_stopped and self._checkpoint.exists():
            os.kill(self.step_pid, signal.SIGSTOP)
            self._is_stopped = self.here.can_write()
            if not self._is_stopped:  # in the middle of an event: everybody would wait for its lock
                self.let_go()
        done = self.here.steps(self.run_id, dg.DagsterEventType.STEP_SUCCESS)
        return self._is_stopped and "model__majority__any" in done

    def kill_step(self) -> str:
        """Kill the step as often as it is tried, then ask for a retry from failure by hand."""
        os.kill(self.step_pid, signal.SIGKILL)
        first = self.step_pid
        wait_for(
            lambda: self.here.processes_of(self.run_id)[1][self.step] != first, "the step's retry"
        )
        os.kill(self.here.processes_of(self.run_id)[1][self.step], signal.SIGKILL)
        wait_for(lambda: self.here.status(self.run_id) is FAILURE, "the run gives up")
        return self.here.again(self.run_id)

    def let_go(self) -> None:
        """Let the stopped step go on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.step_pid, signal.SIGCONT)

    def check(self, last_run: str) -> None:
        """Find the undisturbed fit's bundle, resumed where it was killed, nothing else repeated."""
        registry = ModelRegistry(self.here.warehouse.layout.models)
        assert registry.by_identity(self.identity) == self.bundle
        assert registry.attempts(self.identity) == ()
        assert not self._checkpoint.exists()
        if last_run == self.run_id:
            return
        started = set(self.here.steps(last_run, dg.DagsterEventType.STEP_START))
        assert started == {self.step}, started
        assert first_epoch(self.here, last_run) > 1


FAILURE: Final = dg.DagsterRunStatus.FAILURE


def kinds(here: Installation, run_id: str) -> list[str]:
    """Return the kinds of a run's events, in their order."""
    entries = here.instance.all_logs(run_id)
    return [e.dagster_event.event_type_value for e in entries if e.dagster_event is not None]


def metadata_of(here: Installation, run_id: str, asset: str) -> dict[str, Any]:
    """Return the metadata that a run gave to an asset."""
    logs = here.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [entry.asset_materialization for entry in logs]
    (found,) = [one for one in made if one.asset_key == dg.AssetKey(asset)]
    return {name: value.value for name, value in found.metadata.items()}


def first_epoch(here: Installation, run_id: str) -> int:
    """Return the number of the first epoch that a run made."""
    logs = here.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION)
    observed = logs[0].dagster_event.asset_observation_data.asset_observation
    return int(str(observed.metadata["epoch"].value))
