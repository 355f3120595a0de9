"""One device's detector: new ticks in, what it thinks of the window and whether to ring out.

Shape suffixes: T ticks, C visible channels, N cases (1 here), K classes, G columns in context.

Statistics, context, model, phase filter, temperature, alarm: in the order and with the arithmetic
of training and scoring, in constant memory. Not here: where ticks come from (``recording``), the
model (a ``Scorer``: ``onnx_model`` here, ``models.predict`` for a bundle).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.alarm import AlarmState, alarm_score
from cis490_pipeline.edge.header import BundleHeader
from cis490_pipeline.edge.phase_filter import FilterState
from cis490_pipeline.edge.probabilities import normalised_rows, with_temperature
from cis490_pipeline.edge.window_context import TickContext, WindowContext
from cis490_pipeline.errors import BundleError
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.schema.channels import N_CHANNELS, visible_channels
from cis490_pipeline.schema.context import (
    STRETCHES,
    TRANSDUCTIVE_NOTE,
    Context,
    blocks_of,
    sequence_blocks_of,
)
from cis490_pipeline.schema.phases import PHASES, Phase
from cis490_pipeline.schema.windows import (
    N_STATS,
    STRIDE_TICKS,
    WINDOW_TICKS,
    window_center_s,
    window_count,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowCase:
    """What a model sees of a window.

    ``x_1CT`` is the raw grid, or the columns for a model of nothing else; ``columns_1G`` are those
    that a model reads beside the raw grid, or None.
    """

    x_1CT: NDArray[np.float32]
    columns_1G: NDArray[np.float32] | None
    t_center_s: float


Scorer = Callable[[WindowCase], NDArray[np.float64]]
"""A model: a window to probabilities ``[K]``."""
_NOTHING: Final[NDArray[np.float32]] = np.empty((1, 0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowVerdict:
    """What the detector says at the end of a window; ``p_K`` is filtered and calibrated."""

    window: int
    p_K: NDArray[np.float64]
    rings: bool

    @property
    def t_center_s(self) -> float:
        """Seconds since the episode's first label."""
        return window_center_s(self.window)

    @property
    def phase(self) -> Phase:
        """The most probable phase."""
        return PHASES[int(self.p_K.argmax())]


def require_servable(header: BundleHeader, where: str) -> None:
    """Refuse a model whose cases a device cannot make.

    Raises
    ------
    BundleError
        Where its labels are not the phases, its shape is none that its mode and context have, or
        its context is one that no device has.
    """
    if header.context is Context.TRANSDUCTIVE:
        raise BundleError(
            "a device cannot serve this context",
            where=where,
            expected="none, recent or commissioned",
            found=TRANSDUCTIVE_NOTE,
            todo="train the model with --context recent",
        )
    n_channels = len(visible_channels(header.mode))
    columns = n_channels * N_STATS * blocks_of(header.context)
    seen = n_channels * sequence_blocks_of(header.context)
    grid = (seen, STRETCHES[header.context].n_timepoints)
    known = ((columns, 1, 0), (*grid, 0), (*grid, columns), (0, 0, 0))
    found = (header.n_channels, header.n_timepoints, header.n_columns)
    if found not in known or header.labels != tuple(phase.value for phase in PHASES):
        raise BundleError(
            "the model does not take the windows of an episode",
            where=where,
            expected=f"channels × timepoints, columns: one of {known}; labels the phases",
            found=f"{found}, {', '.join(header.labels)}",
            todo="train the model on a split of the warehouse",
        )


class Detector:
    """The state of one model on one device.

    Raises
    ------
    BundleError
        Where the model does not take windows of episodes.
    """

    def __init__(self, header: BundleHeader, score: Scorer, *, where: str = "model") -> None:
        require_servable(header, where)
        visible = visible_channels(header.mode)
        self._header, self._score = header, score
        self._visible = list(visible)
        self._ticks_TC = np.empty((0, N_CHANNELS), dtype=np.float32)
        self._window = -1
        self._columns = WindowContext(header.context, N_STATS * len(visible))
        self._stretch = TickContext(header.context, len(visible))
        chosen = header.phase_filter
        self._filter = None if chosen is None else FilterState(chosen)
        self._alarm = AlarmState(header.alarm)

    @property
    def alarm_s(self) -> float | None:
        """When the alarm was first raised, in seconds since the first label."""
        return self._alarm.raised_s

    def update(self, new_TC: NDArray[np.float32]) -> WindowVerdict:
        """Take the ticks since the last window, return the verdict on the one that they complete.

        Parameters
        ----------
        new_TC
            All 46 channels, float32, NaN = missing: 100 ticks the first time, then 50.

        Raises
        ------
        ValueError
            Where they do not complete exactly one window.
        """
        wanted = WINDOW_TICKS if self._window < 0 else STRIDE_TICKS
        if new_TC.shape != (wanted, N_CHANNELS):
            raise ValueError(f"expected ticks [{wanted}, {N_CHANNELS}], found {new_TC.shape}")
        self._window += 1
        self._ticks_TC = np.concatenate([self._ticks_TC, new_TC])[-WINDOW_TICKS:]
        p_K = self._score(self._case(new_TC))
        return self._judged(normalised_rows(p_K[np.newaxis])[0])

    def _case(self, new_TC: NDArray[np.float32]) -> WindowCase:
        """Return what the model sees of the window."""
        header, x_1CT, columns_1G = self._header, _NOTHING, None
        if header.n_columns or header.n_timepoints == 1:
            statistics_CS = window_statistics(self._ticks_TC)[0, self._visible]
            columns_1G = self._columns.update(self._window, statistics_CS.ravel())[np.newaxis]
        if header.n_timepoints > 1:
            x_1CT = self._stretch.update(new_TC[:, self._visible].T)[np.newaxis]
        elif columns_1G is not None:
            x_1CT, columns_1G = columns_1G[:, :, np.newaxis], None
        return WindowCase(
            x_1CT=x_1CT, columns_1G=columns_1G, t_center_s=window_center_s(self._window)
        )

    def _judged(self, p_K: NDArray[np.float64]) -> WindowVerdict:
        if self._filter is not None:
            p_K = self._filter.update(self._window, p_K)
        p_K = with_temperature(p_K[np.newaxis], self._header.calibration.temperature)[0]
        rings = self._alarm.update(self._window, float(alarm_score(p_K)))
        return WindowVerdict(window=self._window, p_K=p_K, rings=rings)


def strides(x_TC: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield the ticks of a grid as a device gets them: a window, then a stride at a time."""
    for window in range(window_count(len(x_TC))):
        end = window * STRIDE_TICKS + WINDOW_TICKS
        yield x_TC[0 if window == 0 else end - STRIDE_TICKS : end]
