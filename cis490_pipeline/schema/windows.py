"""The grid, the windows on it, and the names of the statistics.

Not here: the arithmetic (``telemetry.grid``, ``features.statistics``).
Source: episode format, section *From rows to windows*.
"""

from enum import StrEnum
from typing import Final

from cis490_pipeline.schema.channels import CHANNELS

TICK_NS: Final = 100_000_000
"""One grid tick in nanoseconds (10 Hz)."""
TICK_S: Final = 0.1
WINDOW_TICKS: Final = 100
STRIDE_TICKS: Final = 50
WINDOW_S: Final = 10.0
STRIDE_S: Final = 5.0


class Stat(StrEnum):
    """A statistic of one channel over one window; the order is the column order."""

    MEAN = "mean"
    STD = "std"  # population standard deviation
    P50 = "p50"
    P95 = "p95"
    SLOPE = "slope"  # least squares, per second
    MISSING = "missing"  # share of ticks without a value, 0 … 1; itself never missing


STATS: Final[tuple[Stat, ...]] = tuple(Stat)
N_STATS: Final = len(STATS)
FEATURE_NAMES: Final[tuple[str, ...]] = tuple(
    f"{channel.column}_{stat.value}" for channel in CHANNELS for stat in STATS
)
"""Column names of a window's statistics: channel-major, 46 × 6 = 276."""


def window_count(n_ticks: int) -> int:
    """Return how many windows fit into a grid of ``n_ticks``.

    >>> [window_count(n) for n in (0, 99, 100, 149, 150)]
    [0, 0, 1, 1, 2]
    """
    return 0 if n_ticks < WINDOW_TICKS else (n_ticks - WINDOW_TICKS) // STRIDE_TICKS + 1


def window_center_s(window: int) -> float:
    """Return a window's centre in seconds since the first label.

    >>> window_center_s(0), window_center_s(3)
    (5.0, 20.0)
    """
    return STRIDE_S * window + WINDOW_S / 2
