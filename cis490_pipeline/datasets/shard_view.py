"""Windows as views into memory-mapped shards: overlap is not stored twice and nothing is held.

In a context, a case is a longer stretch of the grid that ends where its window ends; what lies
before the episode's first tick is missing, never another episode.

Shape suffixes: N cases, B a batch of cases, C visible channels, T timepoints.

Not here: the shard format (``features.shards``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.levels import Levels
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.features.past import beside_level, relative_to_now
from cis490_pipeline.features.shard_windows import ShardWindows
from cis490_pipeline.features.shards import bytes_of_ticks, open_shard
from cis490_pipeline.schema.context import STRETCHES, Context, Stretch
from cis490_pipeline.schema.windows import STRIDE_TICKS, WINDOW_TICKS
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.mapped import PageBudget


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShardSequences:
    """Raw windows ``x_BCT`` of a set of cases, gathered from shards (a ``SequenceView``).

    Attributes
    ----------
    maps
        The shards, read-only ``[ticks, 46]`` float32.
    map_N, end_N, held_N
        Which shard a case lies in, the tick after its last one there, and how many ticks its
        episode has up to that.
    channels
        Grid columns that the mode may see; the others are never copied out.
    stretch
        Which ticks a case has; those that its episode does not have are missing.
    pages
        What bounds the memory that the maps take.
    levels
        By case, where stretches are also seen relative to a level: then each channel comes twice.
    windows
        The visible channels of the maps.
    """

    maps: tuple[NDArray[np.float32], ...]
    map_N: NDArray[np.int64]
    end_N: NDArray[np.int64]
    held_N: NDArray[np.int64]
    channels: tuple[int, ...]
    stretch: Stretch
    pages: PageBudget = field(default_factory=PageBudget)
    levels: Levels | None = None
    windows: ShardWindows = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for x_TC in self.maps:
            self.pages.watch(x_TC)
        object.__setattr__(self, "windows", ShardWindows.of(self.maps, self.channels))

    @classmethod
    def open(
        cls,
        layout: Layout,
        *,
        shards: Sequence[str | None],
        first_ticks: NDArray[np.int64],
        n_ticks: NDArray[np.int64],
        episode_N: NDArray[np.int64],
        window_N: NDArray[np.int64],
        channels: tuple[int, ...],
        stretch: Stretch = STRETCHES[Context.NONE],
    ) -> "ShardSequences":
        """Map the shards of the episodes that have cases.

        Raises
        ------
        WarehouseError
            Where a shard is absent, too short, or a window does not lie in its episode.
        """
        used = sorted({name for name in (shards[e] for e in np.unique(episode_N)) if name})
        position = {name: i for i, name in enumerate(used)}
        of_episode = np.array([position.get(name or "", -1) for name in shards], dtype=np.int64)
        held_N = window_N * STRIDE_TICKS + WINDOW_TICKS
        ends = first_ticks + n_ticks  # an absurd sum is one that turned over
        nowhere = (of_episode < 0) | (first_ticks < 0) | (ends < first_ticks)
        beyond = (held_N < WINDOW_TICKS) | (held_N > n_ticks[episode_N])
        if bool((beyond | nowhere[episode_N]).any()):
            raise WarehouseError(
                "a window reaches beyond its episode",
                where="tables window_features and episodes",
                todo="ingest the episodes of this split again",
            )
        return cls(
            maps=tuple(
                open_shard(layout.shard(name), min_ticks=int(ends[of_episode == i].max()))
                for i, name in enumerate(used)
            ),
            map_N=of_episode[episode_N],
            end_N=first_ticks[episode_N] + held_N,
            held_N=held_N,
            channels=channels,
            stretch=stretch,
        )

    @property
    def n_channels(self) -> int:
        """Visible channels, twice where there are levels."""
        return len(self.channels) * (1 if self.levels is None else 2)

    @property
    def n_timepoints(self) -> int:
        """Ticks of every case."""
        return self.stretch.n_timepoints

    def gather(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cases ``x_BCT`` (float32, NaN = missing) in the order asked for."""
        stretch = self.stretch
        x_BTC = self._empty_batch(len(index_B))
        shard_B, end_B = self.map_N[index_B], self.end_N[index_B]
        length_B = np.minimum(self.held_N[index_B], stretch.ticks)
        first_B = end_B - length_B
        ends_B = self.windows.addresses(shard_B, end_B)
        for row_P in self.pages.in_parts(ends_B, length_B * bytes_of_ticks(1)):
            self.windows.copy(
                x_BTC,
                row_P,
                shard_B=shard_B[row_P],
                first_B=first_B[row_P],
                length_B=length_B[row_P],
                step=stretch.step,
            )
        x_BCT = x_BTC.transpose(0, 2, 1)
        if not stretch.looks_back:
            return x_BCT
        n_own = stretch.points_of(WINDOW_TICKS)
        if self.levels is None:
            return relative_to_now(x_BCT, n_own)
        return beside_level(x_BCT, n_own, *self.levels.of(index_B))

    def _empty_batch(self, n_cases: int) -> NDArray[np.float32]:
        """Return ``[B, T, C]``; filled with NaN where a case may be shorter than its row."""
        shape = (n_cases, self.n_timepoints, len(self.channels))
        if self.stretch.looks_back:
            return np.full(shape, np.nan, dtype=np.float32)
        return np.empty(shape, dtype=np.float32)
