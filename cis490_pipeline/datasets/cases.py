"""Cases: the windows that a model is fitted on or predicts, with whatever view it needs.

Shape suffixes: N cases, F features, C channels, T timepoints, K classes, B a batch of cases.

Not here: where the numbers come from (``loading``). ``fit-arrays`` and the tests build the same
values from plain arrays.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.in_context import StatisticsInContext


class SequenceView(Protocol):
    """Random access to the raw windows of a set of cases, without holding them all."""

    @property
    def n_channels(self) -> int:
        """Channels of every case, after the mode's mask."""
        ...

    @property
    def n_timepoints(self) -> int:
        """Timepoints of every case."""
        ...

    def gather(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cases ``x_BCT`` (float32, NaN = missing) in the order asked for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArraySequences:
    """A sequence view over one array in memory, ``x_NCT``."""

    x_NCT: NDArray[np.float32]

    @property
    def n_channels(self) -> int:
        """Channels of every case."""
        return int(self.x_NCT.shape[1])

    @property
    def n_timepoints(self) -> int:
        """Timepoints of every case."""
        return int(self.x_NCT.shape[2])

    def gather(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cases ``x_BCT`` in the order asked for."""
        return self.x_NCT[index_B]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cases:
    """Windows of one role (train, id_val or test), in one fixed order.

    Attributes
    ----------
    y_N
        int64 class index (phase code); ``NOT_A_CLASS`` (−1) only of windows that were loaded to be
        predicted and nothing else.
    cluster_N
        int64 index of the episode of each case: the unit of every resampling.
    t_center_s_N
        float64 seconds since the episode's first label.
    summary_NF
        float32 window statistics of the visible channels, channel-major with the stats of
        ``schema.windows.STATS`` (mean, std, p50, p95, slope, missing); NaN = missing. None where
        the family did not ask for it, or asked for it in context.
    sequences
        The raw windows of the visible channels; None where the family did not ask for it.
    n_classes
        Size of the label set, whether or not a class occurs.
    in_context
        The statistics beside those of the past; None where no context was asked for.
    """

    y_N: NDArray[np.int64]
    cluster_N: NDArray[np.int64]
    t_center_s_N: NDArray[np.float64]
    summary_NF: NDArray[np.float32] | None
    sequences: SequenceView | None
    n_classes: int
    in_context: StatisticsInContext | None = None

    @property
    def n_cases(self) -> int:
        """How many windows there are."""
        return int(self.y_N.shape[0])
