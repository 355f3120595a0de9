"""Telemetry of one episode as integers, as they will stand in the files.

Shape suffixes: T half-second steps, R rows of a source, C its channels.

Not here: JSON (``row_text``).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.channels import SOURCE_FACTS, Kind, Source, channels_of
from cis490_pipeline.synthetic.drivers import STEPS_PER_S
from cis490_pipeline.synthetic.hosts import HostStyle
from cis490_pipeline.synthetic.mixing import channel_weights, granule_masks, noise_factors
from cis490_pipeline.synthetic.signal_kernels import COUNTER, DELTA, GAUGE, record

PRESENT: Final = 0
NULL: Final = 1
ABSENT: Final = 2
"""What stands in a row for a channel: its number, ``null``, or not even the key."""

_N_TIMES: Final = 2  # columns of times before the channels
_RESET_SHARE: Final = 0.1
_BALLOON_STEP: Final = 1 << 24
_JITTER_NS: Final[dict[Source, float]] = {
    Source.PROC: 150_000.0,
    Source.GUEST: 8_000_000.0,  # stamped by the host on receipt
    Source.QMP: 400_000.0,
    Source.NETFLOW: 0.0,  # the bucket's start
}
_FIRST_NS: Final[dict[Source, int]] = {
    Source.PROC: 500_000,
    Source.GUEST: 200_000_000,
    Source.QMP: 900_000,
    Source.NETFLOW: 0,
}
_BALLOON: Final = [c.name for c in channels_of(Source.QMP)].index("balloon_actual_bytes")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceRows:
    """The rows of one telemetry file.

    Attributes
    ----------
    numbers
        int64 ``[R, 2 + C]``, never negative: ``t_mono_ns``, ``t_wall_ns``, the channels;
        ``guest_load1`` in hundredths.
    gaps
        uint8 ``[R, 2 + C]``: ``PRESENT``, ``NULL`` or ``ABSENT``; times are always present.
    """

    numbers: NDArray[np.int64]
    gaps: NDArray[np.uint8]

    @property
    def n_rows(self) -> int:
        """Rows of the file."""
        return len(self.numbers)


def draw_rows(
    rng: np.random.Generator,
    host: HostStyle,
    drivers_TL: NDArray[np.float64],
    source: Source,
    *,
    seconds: float,
    started_ns: int,
) -> SourceRows:
    """Draw one source's rows from the loads of an episode.

    Parameters
    ----------
    drivers_TL
        As ``drivers.draw_drivers`` returns them.
    seconds, started_ns
        Length of the episode, and Unix nanoseconds of its beginning.
    """
    t_R = _times(rng, source, seconds)
    mixed_TC = (drivers_TL @ channel_weights(source)) * host.scale_C[source]
    numbers_RC = np.empty((len(t_R), _N_TIMES + mixed_TC.shape[1]), np.int64)
    uptime_ns = int(rng.integers(10**12, 10**13)) if source is Source.NETFLOW else 0
    numbers_RC[:, 0] = t_R + uptime_ns
    numbers_RC[:, 1] = t_R + started_ns
    values_RC = numbers_RC[:, _N_TIMES:]
    _record(rng, source, t_R, mixed_TC, values_RC)
    if rng.random() < _RESET_SHARE and len(_counters(source)):
        _reset(rng, values_RC, int(rng.choice(_counters(source))))
    if source is Source.QMP and host.balloon_moves:
        _move_balloon(rng, values_RC)
    return SourceRows(numbers=numbers_RC, gaps=_gaps(rng, numbers_RC.shape, host.gap_share))


def _times(rng: np.random.Generator, source: Source, seconds: float) -> NDArray[np.int64]:
    """Return nanoseconds since the beginning, never decreasing."""
    period_ns = SOURCE_FACTS[source].period_ns
    n = max(1, int(seconds * 1e9) // period_ns)
    jitter_R = np.abs(rng.standard_normal(n)) * _JITTER_NS[source]
    t_R = np.arange(n) * period_ns + _FIRST_NS[source] + jitter_R.astype(np.int64)
    return np.maximum.accumulate(t_R)


@cache
def _kind_codes(source: Source) -> NDArray[np.int64]:
    codes = {Kind.GAUGE: GAUGE, Kind.COUNTER: COUNTER, Kind.DELTA: DELTA}
    return np.array([codes[channel.kind] for channel in channels_of(source)], np.int64)


def _counters(source: Source) -> NDArray[np.intp]:
    return np.flatnonzero(_kind_codes(source) == COUNTER)


def _record(
    rng: np.random.Generator,
    source: Source,
    t_R: NDArray[np.int64],
    mixed_TC: NDArray[np.float64],
    values_RC: NDArray[np.int64],
) -> None:
    period_ns = SOURCE_FACTS[source].period_ns
    record(
        mixed_TC,
        np.minimum(t_R // (1_000_000_000 // STEPS_PER_S), len(mixed_TC) - 1),
        np.diff(t_R, prepend=t_R[0] - period_ns) / 1e9,
        noise_factors(source),
        rng.integers(0, 256, size=values_RC.shape, dtype=np.uint8),
        np.abs(mixed_TC.mean(axis=0)) * rng.uniform(5.0, 60.0),
        (_kind_codes(source), granule_masks(source)),
        values_RC,
    )


def _reset(rng: np.random.Generator, values_RC: NDArray[np.int64], counter: int) -> None:
    """Let a counter begin again from 0 at some row."""
    row = int(rng.integers(len(values_RC)))
    values_RC[row:, counter] -= values_RC[row, counter]


def _move_balloon(rng: np.random.Generator, values_RC: NDArray[np.int64]) -> None:
    steps_R = rng.integers(0, 6, size=1 + len(values_RC) // 20).repeat(20)[: len(values_RC)]
    values_RC[:, _BALLOON] -= steps_R * _BALLOON_STEP


def _gaps(rng: np.random.Generator, shape: tuple[int, int], share: float) -> NDArray[np.uint8]:
    """Lose one key in a share of the rows: half of them null, half not there."""
    gaps_RC = np.zeros(shape, np.uint8)
    rows = rng.integers(0, shape[0], size=int(rng.binomial(shape[0], share)))
    columns = rng.integers(_N_TIMES, shape[1], size=len(rows))
    gaps_RC[rows, columns] = rng.integers(NULL, ABSENT + 1, size=len(rows))
    return gaps_RC
