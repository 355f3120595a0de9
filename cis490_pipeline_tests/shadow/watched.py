"""A warehouse in which ``deploy`` was fitted on lab-a, and lab-b arrived afterwards."""

from pathlib import Path
from typing import Final

import pytest

from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.ids import EpisodeId, HostId
from cis490_pipeline.shadow.scores import score_arrivals
from cis490_pipeline.shadow.summary import ShadowHost, summarize_host
from cis490_pipeline.shadow.watcher import Watcher, find_watcher
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import CORPUS, FEW, INDEX, copy_of, fit, plan, score

DEPLOY: Final = "deploy"
CLOCK: Final = FitOptions(family="elapsed_time", mode=Mode.ANY)
GBT: Final = FitOptions(
    family="gbt",
    mode=Mode.REALISTIC,
    overrides={"rounds": 3},
    alarm=AlarmPolicy(k=1, n=2, budget=0.6),  # one that rings
)
LABEL: Final = "gbt/realistic"
NOW: Final = 1_795_000_000.0


def ingest(warehouse: Warehouse, host: str) -> None:
    """Bring a host of the smoke subset up to date."""
    ingest_host(EpisodeStore(CORPUS, INDEX), warehouse, host)


def arrived_warehouse(factory: pytest.TempPathFactory) -> Warehouse:
    """Return the session's warehouse, fitted, evaluated, nothing watched yet; for reading only."""
    root = factory.getbasetemp() / "arrived-warehouse"
    if not root.exists():
        building = Warehouse(factory.mktemp("arriving") / "data")
        ingest(building, "lab-a")
        plan(building, DEPLOY)
        for options in (CLOCK, GBT):
            fit(building, DEPLOY, options)
            score(building, DEPLOY, options)
        ingest(building, "lab-b")
        building.root.rename(root)
    return Warehouse(root)


def watched_warehouse(factory: pytest.TempPathFactory) -> Warehouse:
    """Return the same with what was found on lab-b; for reading only."""
    root = factory.getbasetemp() / "watched-warehouse"
    if not root.exists():
        building = copy_of(arrived_warehouse(factory), factory.mktemp("watching") / "data")
        watch(building, "lab-b")
        building.root.rename(root)
    return Warehouse(root)


def watcher(warehouse: Warehouse, label: str = LABEL) -> Watcher:
    """Return the model of that name."""
    found = find_watcher(warehouse, label, FEW)
    assert isinstance(found, Watcher)
    return found


def watch(warehouse: Warehouse, host: str, label: str = LABEL) -> tuple[int, ShadowHost]:
    """Score and add up a host."""
    chosen = watcher(warehouse, label)
    n_new = score_arrivals(warehouse, host, chosen, now=lambda: NOW)
    return n_new, summarize_host(warehouse, host, chosen, FEW)


def tarball(episode_id: str, host: str = "lab-b") -> Path:
    """Return where the corpus has an episode."""
    return EpisodeStore(CORPUS, INDEX).tarball_path(HostId(host), EpisodeId(episode_id))
