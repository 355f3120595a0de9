"""The memory of a fit is that of its batches, however many episodes there are."""

import subprocess
import sys
import tracemalloc

import pytest

from cis490_pipeline.models import scaling
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import FEATURE_NAMES
from cis490_pipeline.warehouse import mapped, tables
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse
from cis490_pipeline_tests.training.repeated import one_pass, repeated


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return smoke_warehouse(tmp_path_factory)


def _bytes_of_shards(warehouse):
    return sum(path.stat().st_size for path in warehouse.layout.tensor.rglob("*.f32"))


def _bytes_of_statistics(warehouse):
    return 4 * len(FEATURE_NAMES) * warehouse.tables.count(Table.WINDOW_FEATURES)


def test_a_network_reads_more_ticks_in_the_same_memory(smoke, tmp_path):
    """Resident memory of a process that fits on few episodes, then on three times as many."""
    few, many = (repeated(smoke, tmp_path / str(times), times) for times in (8, 24))
    module = "cis490_pipeline_tests.training.fits_in_a_child"
    command = [sys.executable, "-m", module, str(few.root), str(many.root)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    with_few, with_many = (int(line) for line in child.stdout.split())
    assert with_many - with_few < (_bytes_of_shards(many) - _bytes_of_shards(few)) / 2


def test_a_network_reads_more_statistics_in_the_same_memory(smoke, tmp_path, monkeypatch):
    """All arrays of a fit in context; what has a bound gets one that few episodes reach."""
    monkeypatch.setattr(mapped, "LARGEST_IN_MEMORY", 2**18)
    monkeypatch.setattr(scaling, "SAMPLED_VALUES", 500_000)
    monkeypatch.setattr(tables, "ROWS_PER_BATCH", 256)
    warehouses = [repeated(smoke, tmp_path / str(times), times) for times in (1, 2, 8)]
    peaks = []
    for warehouse in warehouses:
        tracemalloc.start()
        one_pass(warehouse, "mlp", hidden=8)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    _, few, many = warehouses  # the first fit paid for what is imported and compiled
    grown = _bytes_of_statistics(many) - _bytes_of_statistics(few)
    print(peaks, grown)
    assert peaks[2] - peaks[1] < grown / 3
