"""The whole recorded corpus (167 episodes of two hosts), ingested once a session; read only."""

from pathlib import Path
from typing import Any, Final

import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import build_store

CORPUS: Final = Path(__file__).resolve().parents[2] / "data" / "corpus"
HOSTS: Final = ("lab-a", "lab-b")


def recorded_warehouse(factory: pytest.TempPathFactory) -> Warehouse:
    """Return the session's warehouse of the corpus."""
    root = factory.getbasetemp() / "recorded-warehouse"
    if not root.exists():
        building = Warehouse(factory.mktemp("building") / "data")
        for host in HOSTS:
            ingest_host(EpisodeStore(CORPUS), building, host)
        building.root.rename(root)
    return Warehouse(root)


def made_warehouse(root: Path, n_episodes: int, **knobs: Any) -> Warehouse:
    """Return a warehouse of ``lab-a`` with equal made episodes (see ``building``)."""
    store = build_store(root / "store", {"lab-a": n_episodes}, **knobs)
    warehouse = Warehouse(root / "data")
    ingest_host(EpisodeStore(store.root), warehouse, "lab-a")
    return warehouse
