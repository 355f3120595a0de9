"""The memory of a fit is that of its batches, however many episodes there are.

What has a bound gets a small one, so that a few hundred short episodes exceed it.
"""

import tracemalloc
from pathlib import Path

import pytest

from cis490_pipeline.models import scaling
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import FEATURE_NAMES
from cis490_pipeline.training.fitted import Supervision
from cis490_pipeline.warehouse import mapped, tables
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse
from cis490_pipeline_tests.training.repeated import repeated, small_fit
from cis490_pipeline_tests.warehouse.test_mapped import resident_bytes

MB = 2**20


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return smoke_warehouse(tmp_path_factory)


def _bytes_of_statistics(warehouse):
    return 4 * len(FEATURE_NAMES) * warehouse.tables.count(Table.WINDOW_FEATURES)


def test_the_ticks_that_a_network_has_read_do_not_stay_in_memory(smoke, tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "MOST_MAPPED", 4 * MB)
    monkeypatch.setattr(mapped, "KEPT_WHOLE", 0)
    warehouse = repeated(smoke, tmp_path / "many", 4)
    shards: list[Path] = list(warehouse.layout.tensor.rglob("*.f32"))
    resident: list[int] = []

    def looks() -> bool:
        resident.append(sum(resident_bytes(path) for path in shards))
        return False

    watch = Supervision(cancelled=looks)
    small_fit(warehouse, "transformer", watch, passes=2, width=8, heads=1, layers=1)
    assert sum(path.stat().st_size for path in shards) > 28 * MB
    assert len(resident) == 2  # before the first pass, and after it and its evaluation
    # training and id_val each have their budget and what they read last
    assert max(resident) < 14 * MB


def test_a_network_reads_more_statistics_in_the_same_memory(smoke, tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "LARGEST_IN_MEMORY", 2**18)
    monkeypatch.setattr(scaling, "SAMPLED_VALUES", 500_000)
    monkeypatch.setattr(tables, "ROWS_PER_BATCH", 256)
    few, many = (repeated(smoke, tmp_path / str(times), times) for times in (2, 6))
    small_fit(few, "mlp", Supervision(), hidden=8)  # pays for what is imported and compiled
    peaks: list[int] = []
    for warehouse in (few, many):
        tracemalloc.start()
        small_fit(warehouse, "mlp", Supervision(), hidden=8)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    grown = _bytes_of_statistics(many) - _bytes_of_statistics(few)
    assert peaks[1] - peaks[0] < grown / 2
