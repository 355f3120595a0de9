"""Recorded episodes, played window by window as a device would meet them.

Shape suffixes: W windows, C visible channels, T ticks, F statistics.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.loading import LoadedCases
from cis490_pipeline.features.shards import open_shard
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.schema.channels import Mode, visible_channels
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import STRIDE_TICKS, WINDOW_TICKS
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlayedWindow:
    """A window, its statistics, and the ticks that are new since the one before."""

    window: int
    statistics_F: NDArray[np.float32]
    new_CT: NDArray[np.float32]


def grid_of(warehouse: Warehouse, episode_id: str) -> NDArray[np.float32]:
    """Return an episode's grid ``[T, 46]``."""
    rows = warehouse.tables.read(Table.EPISODES).to_pylist()
    row = next(row for row in rows if row["episode_id"] == episode_id)
    shard_TC = open_shard(warehouse.layout.shard(row["shard"]))
    return np.asarray(shard_TC[row["first_tick"] : row["first_tick"] + row["n_ticks"]])


def played(grid_TC: NDArray[np.float32], mode: Mode) -> Iterator[PlayedWindow]:
    """Yield every window of a grid, also those that are no training rows."""
    visible = list(visible_channels(mode))
    for window, stats_CS in enumerate(window_statistics(grid_TC)):
        end = window * STRIDE_TICKS + WINDOW_TICKS
        first = 0 if window == 0 else end - STRIDE_TICKS
        yield PlayedWindow(
            window=window,
            statistics_F=stats_CS[visible].ravel(),
            new_CT=grid_TC[first:end, visible].T,
        )


def rows_of(loaded: LoadedCases, episode_id: str) -> dict[int, int]:
    """Return window -> case of one episode."""
    names, windows = loaded.keys["episode_id"].to_pylist(), loaded.keys["window"].to_pylist()
    pairs = enumerate(zip(names, windows, strict=True))
    return {window: case for case, (name, window) in pairs if name == episode_id}
