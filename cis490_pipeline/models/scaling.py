"""Normalisation of channels, fitted on the train slice alone.

Shape suffixes: C channels, B a batch of cases, T timepoints, V values of one channel, N cases, F
summary columns.

Telemetry spans eleven orders of magnitude, counters are mostly near zero with rare bursts, and some
channels never move. So, per channel and on the values that are present: where the tails are heavy,
a signed logarithm relative to the channel's own unit; then a robust z-score about the median. Its
spread is the larger of what the quartiles and what the 90 % range say (quartiles alone put the tail
of a mostly quiet channel at 20 units), the standard deviation where both are zero. A channel that
is constant on train is muted: nothing was learned about its values, and on another host it may lie
anywhere (the balloon of a virtual machine is one number per host).

Networks apply it in a layer of their own (``networks.standardise``), so that it travels with their
weights and into ONNX; the other families apply it here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import SequenceView

LIMIT: Final = 3.0
"""Scaled values are cut here. Another host's levels can lie hundreds of units away (the memory of a
larger machine): uncut, such a channel would decide the class alone."""
_SAMPLED_VALUES_PER_CHANNEL: Final = 400_000
"""Quantiles of more values than this do not get visibly better."""
SAMPLED_VALUES: Final = 32_000_000
"""Of all channels together: 128 MB, however many columns a context has."""
_HEAVY_RATIO: Final = 10.0
"""Heavy tail: the 99 % range exceeds so many interquartile ranges (2.0 for a normal channel)."""
_NORMAL_QUARTILE_RANGE: Final = 1.349
_NORMAL_90_RANGE: Final = 3.290
"""Width of these ranges of a standard normal."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaling:
    """Constants per channel, float32 ``[C]``.

    ``unit_C`` is 0 where the channel is linear, else the unit of its signed logarithm. The scaled
    value is ``(mapped - center) × gain``; a gain of 0 mutes the channel.
    """

    unit_C: NDArray[np.float32]
    center_C: NDArray[np.float32]
    gain_C: NDArray[np.float32]


def signed_log(value_V: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Return ``sign(x) log(1 + |x| / unit)``.

    >>> signed_log(np.array([-3.0, 0.0, 3.0]), 1.0).round(3).tolist()
    [-1.386, 0.0, 1.386]
    """
    return np.sign(value_V) * np.log1p(np.abs(value_V) / unit)


def _unit_of(value_V: NDArray[np.float64]) -> float:
    """Return 0 for a channel that is left linear, else the median of its non-zero magnitudes."""
    low, q1, q3, high = np.quantile(value_V, (0.005, 0.25, 0.75, 0.995))
    if high - low <= _HEAVY_RATIO * (q3 - q1):
        return 0.0
    magnitude_V = np.abs(value_V[value_V != 0])
    return float(np.median(magnitude_V)) if magnitude_V.size else 0.0


def _gain_of(value_V: NDArray[np.float64]) -> float:
    """Return the inverse spread, 0 for a constant channel."""
    q05, q1, q3, q95 = np.quantile(value_V, (0.05, 0.25, 0.75, 0.95))
    spread = max(float(q3 - q1) / _NORMAL_QUARTILE_RANGE, float(q95 - q05) / _NORMAL_90_RANGE)
    if spread <= 0:
        spread = float(value_V.std())
    # Rounding noise of a constant channel is not a spread.
    noise = 1e-6 * float(np.abs(value_V).max())
    return 1.0 / spread if spread > noise else 0.0


def _channel(value_V: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return unit, centre and gain of one channel; one that was never seen is muted."""
    if value_V.size == 0:
        return 0.0, 0.0, 0.0
    unit = _unit_of(value_V)
    mapped_V = signed_log(value_V, unit) if unit > 0 else value_V
    return unit, float(np.median(mapped_V)), _gain_of(mapped_V)


def fit_scaling(sequences: SequenceView, n_cases: int) -> Scaling:
    """Fit the normalisation on evenly spaced cases of the train slice.

    Parameters
    ----------
    sequences
        The train slice; missing and non-finite values are left out.
    n_cases
        How many cases it has.
    """
    per_channel = min(_SAMPLED_VALUES_PER_CHANNEL, SAMPLED_VALUES // max(1, sequences.n_channels))
    n_sampled = max(1, min(n_cases, per_channel // sequences.n_timepoints))
    index_B = np.unique(np.linspace(0, n_cases - 1, n_sampled).astype(np.int64))
    x_BCT = sequences.gather(index_B)
    constants: list[tuple[float, float, float]] = []
    for channel in range(sequences.n_channels):
        value_V = x_BCT[:, channel].ravel()
        constants.append(_channel(value_V[np.isfinite(value_V)].astype(np.float64)))
    unit_C, center_C, gain_C = np.asarray(constants, dtype=np.float32).T
    return Scaling(unit_C=unit_C, center_C=center_C, gain_C=gain_C)


def scaled_columns(x_NF: NDArray[np.float32], scaling: Scaling) -> NDArray[np.float32]:
    """Return summary columns as the networks see them, except that missing stays NaN.

    A muted column is 0 wherever it is present.
    """
    value_NF = np.where(np.isfinite(x_NF), x_NF, np.float32(np.nan))
    unit_F = np.where(scaling.unit_C > 0, scaling.unit_C, np.float32(1.0))
    log_NF = np.sign(value_NF) * np.log1p(np.abs(value_NF) / unit_F)
    mapped_NF = np.where(scaling.unit_C > 0, log_NF, value_NF)
    return np.clip((mapped_NF - scaling.center_C) * scaling.gain_C, -LIMIT, LIMIT)
