"""The 10 Hz grid of one episode: all sources on one clock.

Shape suffixes: R rows of a source, T ticks, C channels (46, in the order of
``schema.channels.CHANNELS``).

Not here: the loops (``kernels``), the labels (``labelling``).
Source: episode format, *From rows to windows*, steps 1 to 3. Sources are aligned on ``t_wall_ns``
alone: netflow's ``t_mono_ns`` is system uptime, and aligning on it once lost all its channels.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.episodes.episode import Episode, OpenFailure, Telemetry
from cis490_pipeline.schema.channels import (
    N_CHANNELS,
    SOURCE_FACTS,
    Kind,
    Source,
    channel_slice,
    channels_of,
)
from cis490_pipeline.schema.windows import TICK_NS, window_count
from cis490_pipeline.telemetry.kernels import COUNTER, DELTA, GAUGE, carry_forward, native_rates

_CODES: Final[dict[Kind, int]] = {Kind.GAUGE: GAUGE, Kind.COUNTER: COUNTER, Kind.DELTA: DELTA}


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLimits:
    """What a grid may cost; the default is 27.8 hours of ticks, 184 MB."""

    max_ticks: int = 1_000_000


DEFAULT_LIMITS: Final = GridLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class GridTooLong:
    """The episode's clock spans more ticks than allowed: one row with an absurd time suffices.

    A value, because it is a fault of the data; nothing was allocated.
    """

    n_ticks: int
    max_ticks: int

    @property
    def failure(self) -> OpenFailure:
        """The same as the gate quotes it: ``open-failed:LimitExceeded:…``."""
        message = f"telemetry spans {self.n_ticks} ticks of 100 ms, the limit is {self.max_ticks}"
        return OpenFailure(kind="LimitExceeded", message=message)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """All channels of an episode at 10 Hz.

    Attributes
    ----------
    t0_wall_ns
        Time of the first label, the first tick's time; None where there are no labels.
    t_end_wall_ns
        Latest time of any telemetry row; None where there are no rows.
    x_TC
        float32 ``[n_ticks, 46]``, NaN = missing. No ticks where either time is unknown or the
        telemetry ends before the first label.
    """

    t0_wall_ns: int | None
    t_end_wall_ns: int | None
    x_TC: NDArray[np.float32]

    @property
    def n_ticks(self) -> int:
        """Ticks of the grid."""
        return int(self.x_TC.shape[0])

    @property
    def n_windows(self) -> int:
        """Windows that fit into the grid, whatever their label."""
        return window_count(self.n_ticks)


def build_grid(episode: Episode, limits: GridLimits = DEFAULT_LIMITS) -> Grid | GridTooLong:
    """Put an episode's telemetry on the 10 Hz grid.

    Returns
    -------
    Grid | GridTooLong
        The second where the span of the clock exceeds ``limits.max_ticks``.
    """
    t0 = episode.labels[0].t_wall_ns if episode.labels else None
    t_end = _end_of_telemetry(episode)
    n_ticks = 0
    if t0 is not None and t_end is not None and t_end >= t0:
        n_ticks = (t_end - t0) // TICK_NS + 1
    if n_ticks > limits.max_ticks:
        return GridTooLong(n_ticks=n_ticks, max_ticks=limits.max_ticks)
    x_TC = np.empty((n_ticks, N_CHANNELS), dtype=np.float32)
    if t0 is not None and n_ticks:
        for source in Source:
            _write_source(source, episode.telemetry[source], t0, x_TC)
    return Grid(t0_wall_ns=t0, t_end_wall_ns=t_end, x_TC=x_TC)


def _end_of_telemetry(episode: Episode) -> int | None:
    ends = [int(rows.t_wall_ns.max()) for rows in episode.telemetry.values() if rows.n_rows]
    return max(ends, default=None)


def _write_source(
    source: Source, telemetry: Telemetry, t0_ns: int, x_TC: NDArray[np.float32]
) -> None:
    """Fill one source's columns of the grid under construction."""
    facts = SOURCE_FACTS[source]
    t_R, values = _in_time_order(telemetry)
    rates = native_rates(t_R, values, _kind_codes(source), facts.period_ns)
    carry_forward(t_R, rates, t0_ns, facts.staleness_ns, channel_slice(source).start, x_TC)


def _in_time_order(telemetry: Telemetry) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return times and values by time; rows of equal time keep the order of the file."""
    t_R, values = telemetry.t_wall_ns, telemetry.values
    if bool((t_R[1:] < t_R[:-1]).any()):
        order = np.argsort(t_R, kind="stable")
        t_R, values = t_R[order], values[order]
    return np.ascontiguousarray(t_R), np.ascontiguousarray(values)


@cache
def _kind_codes(source: Source) -> NDArray[np.int8]:
    codes = np.array([_CODES[channel.kind] for channel in channels_of(source)], dtype=np.int8)
    codes.flags.writeable = False
    return codes
