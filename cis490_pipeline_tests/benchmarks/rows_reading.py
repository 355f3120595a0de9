"""Rows about the shards: batches of random windows, and bytes for each window.

Shape suffixes: N windows, B a batch of windows, R batches.
"""

from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import SequenceView
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import STRIDE_TICKS, WINDOW_TICKS
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.benchmarks.budgets import (
    BenchmarkError,
    Budget,
    Line,
    at_least,
    at_most,
    paired,
)
from cis490_pipeline_tests.benchmarks.clocks import alternately
from cis490_pipeline_tests.benchmarks.npz_windows import Layout, NpzWindows, Windows
from cis490_pipeline_tests.benchmarks.stores import Stores

_BATCH: Final = 256
_BATCHES: Final = 100
"""Of the candidate for each one of the reference, so that both take a measurable time."""
_PER_WINDOW_TENSOR_BYTES: Final = 18_405
_BUDGETS: Final[dict[Layout, Budget | None]] = {
    Layout.COMPRESSED: at_least(300.0, 1_000.0),
    Layout.UNCOMPRESSED: None,
    Layout.SINGLE: None,
}


def gather(stores: Stores) -> tuple[Line, ...]:
    """Random batches out of warm shards against one ``.npz`` opened for each window."""
    windows = windows_of(stores.held_intact)
    everything_N = np.arange(windows.n_windows)
    for first in range(0, windows.n_windows, _BATCH):  # warm: every page was read once
        windows.view.gather(everything_N[first : first + _BATCH])
    root = stores.new_directory("npz")
    repetitions = 2 * stores.scale.repetitions
    return tuple(_gather_line(windows, layout, root, repetitions) for layout in _BUDGETS)


def windows_of(root: Path) -> Windows:
    """Every window of a warehouse, all channels."""
    warehouse = Warehouse(root)
    rows = warehouse.tables.read(Table.EPISODES, columns=["episode_id", "sha256"]).to_pylist()
    members = [Member(episode_id=row["episode_id"], sha256=row["sha256"]) for row in rows]
    cases = load_cases(warehouse, members, Mode.ORACLE, summary=False, sequences=True).cases
    if cases.sequences is None:
        raise BenchmarkError("the cases came without their windows")
    first_N = np.searchsorted(cases.cluster_N, cases.cluster_N)
    return Windows(
        view=cases.sequences,
        episode_N=cases.cluster_N,
        place_N=np.arange(cases.n_cases) - first_N,
    )


def _gather_line(windows: Windows, layout: Layout, root: Path, repetitions: int) -> Line:
    rng = np.random.default_rng(0)
    fast_RB = rng.integers(windows.n_windows, size=(_BATCHES, _BATCH))
    slow_RB = rng.integers(windows.n_windows, size=(repetitions, _BATCH))
    slow_batches = iter(slow_RB)
    files = NpzWindows.write(root, windows, layout, slow_RB.ravel())
    _require_equal(windows, files, slow_RB[0])
    ours, theirs = alternately(
        lambda: _each(windows.view, fast_RB),
        lambda: files.gather(next(slow_batches)),
        repetitions,
    )
    files.remove()
    per_window_us = [1e6 * seconds / (_BATCHES * _BATCH) for seconds in ours]
    slow_us = [1e6 * seconds / _BATCH for seconds in theirs]
    return Line(
        what=f"random batches of {_BATCH} windows, warm shards, times faster",
        reference=layout.value,
        unit="×",
        samples=paired(slow_us, per_window_us),
        budget=_BUDGETS[layout],
        absolute={
            "candidate_windows_per_s": 1e6 / median(per_window_us),
            "reference_windows_per_s": 1e6 / median(slow_us),
            "windows": float(windows.n_windows),
        },
        notes=("CPU; all 46 channels, both sides return equal arrays",),
    )


def _each(view: SequenceView, index_RB: NDArray[np.int64]) -> None:
    """Gather batch after batch and hold none, as the training loop and the reference do.

    To hold them all would measure how the system finds half a gigabyte of fresh pages.
    """
    for index_B in index_RB:
        view.gather(index_B)


def _require_equal(windows: Windows, files: NpzWindows, index_B: np.ndarray) -> None:
    if not np.array_equal(windows.view.gather(index_B), files.gather(index_B), equal_nan=True):
        raise BenchmarkError("shards and .npz files do not hold the same windows")


def stored_bytes(stores: Stores) -> tuple[Line, ...]:
    """Bytes for each window: the shards, and what the table of statistics adds."""
    warehouse = Warehouse(stores.held_intact)
    tables = warehouse.tables
    n_rows = tables.count(Table.WINDOW_FEATURES)
    ticks = tables.read(Table.EPISODES, columns=["n_ticks"])["n_ticks"]
    n_fitting = sum(max(0, (n - WINDOW_TICKS) // STRIDE_TICKS + 1) for n in ticks.to_pylist())
    shards = sum(path.stat().st_size for path in (warehouse.root / "tensor").rglob("*.f32"))
    table = sum(
        path.stat().st_size for path in tables.path(Table.WINDOW_FEATURES).rglob("*.parquet")
    )
    seconds = float(pc.mean(ticks).as_py()) / 10.0
    return (
        Line(
            what="stored bytes per window, tensors",
            reference=f"{_PER_WINDOW_TENSOR_BYTES:,} of per-window tensors",
            unit="B",
            samples=(shards / n_fitting,),
            budget=at_most(9_400.0, 4_300.0),
            absolute={
                "seconds_per_episode": seconds,
                "per_window_tensor_bytes": float(_PER_WINDOW_TENSOR_BYTES),
                "bytes_per_row_of_window_features": shards / n_rows,
            },
            notes=("a window labelled failed is stored, and is no row of the table",),
        ),
        Line(
            what="stored bytes per window, statistics added by window_features",
            reference="",
            unit="B",
            samples=(table / n_rows,),
            notes=("Parquet files of the table, 276 statistics and 10 key columns a row",),
        ),
    )
