"""From input columns to channels, statistics and the past that they stand for.

Shape suffixes: N windows, F input columns, C channels, K phases.

Attributions are additive, so those of all columns of a channel are summed, with their signs, before
the absolute value is taken: a channel's net weight in the decision, and completeness is kept. Two
statistics of a channel that pull against each other cancel, as they do in the model.

Not here: the attributions themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.context import MEANS_WINDOWS, STEPS_WINDOWS, Context, blocks_of
from cis490_pipeline.schema.windows import N_STATS, STATS

Cells = tuple[tuple[float | None, ...], ...]
"""Rows of one number per phase; None where no window of the phase was explained."""

_PAST: Final = (
    "the window itself",
    *(f"minus {number} before" for number in STEPS_WINDOWS),
    *(f"minus the mean of {number}" for number in MEANS_WINDOWS),
    "minus the highest",
    "minus the lowest",
    "minus the first",
)
"""Blocks of columns in context, in the order of ``features.past``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartShare:
    """Share of all attribution, by absolute value, that one kind of column carries.

    ``kind`` is ``statistic`` or ``past``; ``share`` has one entry per phase, None where untested.
    """

    kind: str
    name: str
    share: tuple[float | None, ...]


def channels_from(value_NF: NDArray[np.float64], n_channels: int) -> NDArray[np.float64]:
    """Return signed attributions per channel, ``[N, C]``."""
    n_windows, n_columns = value_NF.shape
    if _of_sequences(n_columns, n_channels):
        return value_NF.reshape(n_windows, -1, n_channels).sum(axis=1)
    return value_NF.reshape(n_windows, -1, n_channels, N_STATS).sum(axis=(1, 3))


def _of_sequences(n_columns: int, n_channels: int) -> bool:
    return n_columns < n_channels * N_STATS


def by_phase(value_NR: NDArray[np.float64], y_N: NDArray[np.int64], n_phases: int) -> Cells:
    """Return the mean absolute value of each column over the windows of each phase.

    >>> by_phase(np.array([[1.0], [-3.0]]), np.array([0, 0]), 2)
    ((2.0, None),)
    """
    means = [
        np.abs(value_NR[y_N == phase]).mean(axis=0) if bool((y_N == phase).any()) else None
        for phase in range(n_phases)
    ]
    return tuple(
        tuple(None if mean is None else float(mean[row]) for mean in means)
        for row in range(value_NR.shape[1])
    )


def part_shares(
    value_NF: NDArray[np.float64],
    y_N: NDArray[np.int64],
    n_phases: int,
    *,
    n_channels: int,
    context: Context,
) -> tuple[PartShare, ...]:
    """Return which statistics, and which comparisons with the past, carry the attributions.

    Empty for sequence families, whose columns are the channels themselves, once or twice.
    """
    n_windows, n_columns = value_NF.shape
    if _of_sequences(n_columns, n_channels):
        return ()
    size_NPCS = np.abs(value_NF).reshape(n_windows, blocks_of(context), n_channels, N_STATS)
    statistics = [stat.value for stat in STATS]
    shares = _shares("statistic", statistics, size_NPCS.sum(axis=(1, 2)), y_N, n_phases)
    if context is Context.NONE:
        return shares
    past = _PAST[: blocks_of(context)]
    return (*shares, *_shares("past", past, size_NPCS.sum(axis=(2, 3)), y_N, n_phases))


def _shares(
    kind: str,
    names: Sequence[str],
    size_NR: NDArray[np.float64],
    y_N: NDArray[np.int64],
    n_phases: int,
) -> tuple[PartShare, ...]:
    cells = by_phase(size_NR, y_N, n_phases)
    totals = [sum(row[phase] or 0.0 for row in cells) for phase in range(n_phases)]
    return tuple(
        PartShare(
            kind=kind,
            name=name,
            share=tuple(
                None if value is None or total == 0.0 else value / total
                for value, total in zip(row, totals, strict=True)
            ),
        )
        for name, row in zip(names, cells, strict=True)
    )
