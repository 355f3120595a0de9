"""A run that cannot write ends whole: its threads with it."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.ingest.sweep import sweep_store
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import build_store

OPTIONS = IngestOptions(threads=2, episodes_per_commit=2)
RUNS: dict[str, Callable[[EpisodeStore, Path], object]] = {
    "tensor": lambda store, data: ingest_host(store, Warehouse(data), "lab-a", OPTIONS),
    "out.parquet.parts": lambda store, data: sweep_store(
        store, data / "out.parquet", options=OPTIONS
    ),
}


@pytest.mark.parametrize("in_the_way", sorted(RUNS))
def test_no_thread_outlives_a_refused_write(in_the_way: str, tmp_path: Path) -> None:
    """The error holds the run's frames; what they hold must be ended, not left to a collector."""
    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 6}).root)
    data = tmp_path / "data"
    data.mkdir()
    (data / in_the_way).write_text("a file where a directory has to be")
    before = set(threading.enumerate())
    with pytest.raises(WarehouseError, match=in_the_way) as raised:
        RUNS[in_the_way](store, data)
    assert set(threading.enumerate()) == before, raised.value
