"""Window statistics in the context of their past, put together when they are asked for.

Shape suffixes: M windows held (all windows of the episodes, gaps filled), N cases, B a batch of
cases, L lags, F statistics, G columns in context.

Ten thousand episodes in context are gigabytes, their windows a tenth of that: so only the windows
are held, once, and a batch looks up its past. An episode's windows lie in one block from window 0
on; a window's past is what lies before it in the block.

Not here: the arithmetic (``features.past``), filling the gaps (``gap_windows``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.levels import Levels
from cis490_pipeline.features.past import in_context
from cis490_pipeline.schema.context import RANGE_WINDOWS, Context, blocks_of
from cis490_pipeline.warehouse.mapped import PageBudget

_ROWS_AT_ONCE: Final = 256
"""Bounds the past that is in memory at a time (256 windows of the oracle mode: 7 MB)."""


def room_in_memory(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a matrix of undefined content."""
    return np.empty(shape, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StatisticsInContext:
    """The columns of summary families in a context (a ``SequenceView`` of one timepoint).

    Attributes
    ----------
    z_MF
        Statistics of every window on the signed logarithm, float32; NaN = missing.
    row_N, window_N
        Row of each case in ``z_MF``, and its index on the episode's grid: so many rows before it
        are its episode's.
    channels
        Grid columns that the statistics are of, in order.
    pages
        What bounds the memory that ``z_MF`` takes where it is a mapped file.
    room
        Returns a matrix of a shape, for a changed copy of ``z_MF``.
    levels
        Of the hosts, by row of ``z_MF``; None but in the transductive context.
    """

    z_MF: NDArray[np.float32]
    row_N: NDArray[np.int64]
    window_N: NDArray[np.int64]
    context: Context
    channels: tuple[int, ...]
    pages: PageBudget = field(default_factory=PageBudget)
    room: Callable[[tuple[int, int]], NDArray[np.float32]] = room_in_memory
    levels: Levels | None = None

    @property
    def n_cases(self) -> int:
        """How many cases there are."""
        return int(self.row_N.shape[0])

    @property
    def n_channels(self) -> int:
        """Columns in context, G."""
        return int(self.z_MF.shape[1]) * blocks_of(self.context)

    @property
    def n_timepoints(self) -> int:
        """Always 1."""
        return 1

    def take(self, index_N: NDArray[np.int64]) -> "StatisticsInContext":
        """Return some of the cases, over the same windows."""
        return replace(self, row_N=self.row_N[index_N], window_N=self.window_N[index_N])

    def gather(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cases ``x_BCT`` (C = G, T = 1) in the order asked for."""
        return self.columns(index_B)[:, :, np.newaxis]

    def matrix(self) -> NDArray[np.float32]:
        """Return all cases, ``x_NG``: for families that fit on everything at once."""
        return self.columns(np.arange(self.n_cases))

    def columns(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the columns of some cases, ``[B, G]``."""
        out_BG = np.empty((len(index_B), self.n_channels), dtype=np.float32)
        for start in range(0, len(index_B), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            out_BG[part] = self._columns(np.asarray(index_B[part], dtype=np.int64))
        return out_BG

    def _columns(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        row_B, window_B = self.row_N[index_B], self.window_N[index_B]
        lag_L = np.arange(1, RANGE_WINDOWS + 1)
        held_BL = lag_L <= window_B[:, np.newaxis]
        # What lies before an episode's first row is another episode, or nothing.
        source_BL = np.where(held_BL, row_B[:, np.newaxis] - lag_L, 0)
        past_BLF = self.z_MF[source_BL]
        past_BLF[~held_BL] = np.nan
        own_BF, first_BF = self.z_MF[row_B], self.z_MF[row_B - window_B]
        self.pages.spend(self.z_MF, row_B - window_B, int(window_B.max(initial=0)) + 1)
        columns_BG = in_context(own_BF, past_BLF, first_BF, self.context)
        if self.levels is not None:  # differences have no level
            centre_BF, scale_BF = self.levels.of(row_B)
            columns_BG[:, : own_BF.shape[1]] = (own_BF - centre_BF) / scale_BF
        return columns_BG
