"""A stream's past, window by window, for models that see their window in context.

Shape suffixes: F statistics, G columns in context, L lags, T ticks, C channels.

Not here: the arithmetic (``features.past``), the statistics of a window (``features.statistics``).
"""

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.features.past import (
    beside_level,
    in_context,
    level_of,
    no_past,
    relative_to_now,
    signed_log,
)
from cis490_pipeline.schema.context import RANGE_WINDOWS, STRETCHES, Context
from cis490_pipeline.schema.windows import WINDOW_TICKS


class WindowContext:
    """The statistics of the last windows on one device, and of its first.

    The first window is the first one that is fed, counted from 0 at the start of the episode, or
    of the commissioning of the device. A window that never came (the device was off) is missing.
    """

    def __init__(self, context: Context, n_statistics: int) -> None:
        self._context = context
        self._past_LF = no_past(1, n_statistics)[0]
        self._first_F = np.full(n_statistics, np.nan, dtype=np.float32)
        self._window = -1

    def update(self, window: int, statistics_F: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the columns ``[G]`` that a summary family sees of a window.

        Raises
        ------
        ValueError
            Where the window does not come after the one before.
        """
        if window <= self._window:
            raise ValueError(f"window {window} does not come after window {self._window}")
        if self._context is Context.NONE:
            self._window = window
            return statistics_F
        own_F = signed_log(statistics_F)
        if window == 0:
            self._first_F = own_F
        self._skip(window - self._window - 1)
        self._window = window
        columns_BG = in_context(
            own_F[np.newaxis], self._past_LF[np.newaxis], self._first_F[np.newaxis], self._context
        )
        self._remember(own_F)
        return columns_BG[0]

    def _skip(self, n_windows: int) -> None:
        if self._window < 0:
            return  # nothing before the first: all missing already
        for _ in range(min(n_windows, RANGE_WINDOWS)):
            self._remember(np.full_like(self._first_F, np.nan))

    def _remember(self, own_F: NDArray[np.float32]) -> None:
        self._past_LF = np.concatenate([own_F[np.newaxis], self._past_LF[:-1]])


class TickContext:
    """The last ticks of one device's grid, for models that see the raw channels.

    Where the context asks for it, also the level of its first window: the first that is fed.
    """

    def __init__(self, context: Context, n_channels: int) -> None:
        self._context, self._stretch = context, STRETCHES[context]
        self._first_1C: NDArray[np.float32] | None = None
        self._held_CT = np.full((n_channels, self._stretch.ticks), np.nan, dtype=np.float32)

    def update(self, ticks_CT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the ticks since the last window; return what a sequence family sees, ``[C, T]``.

        The first window of an episode brings all its ticks, each later one a stride.
        """
        ticks, step = self._stretch.ticks, self._stretch.step
        self._held_CT = np.concatenate([self._held_CT, ticks_CT], axis=1)[:, -ticks:]
        seen_CT = self._held_CT[:, (ticks - 1) % step :: step]
        if not self._stretch.looks_back:
            return seen_CT
        n_own, seen_1CT = self._stretch.points_of(WINDOW_TICKS), seen_CT[np.newaxis]
        if self._context is not Context.COMMISSIONED:
            return relative_to_now(seen_1CT, n_own)[0]
        if self._first_1C is None:
            self._first_1C = level_of(seen_1CT[:, :, -n_own:])
        return beside_level(seen_1CT, n_own, self._first_1C, np.ones_like(self._first_1C))[0]
