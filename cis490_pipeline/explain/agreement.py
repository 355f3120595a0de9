"""How far two explanations rank the channels alike, phase by phase.

Shape suffixes: C channels.

Not here: whose explanations are compared (``on_split``). Source: Spearman's rank correlation; Arp
et al. 2022, *Dos and Don'ts of Machine Learning in Computer Security* (spurious correlations).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.explain.columns import Cells
from cis490_pipeline.explain.windows import FEWEST

_FEWEST_CHANNELS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """An explanation to be compared: its name, its cells, and its windows of each phase."""

    name: str
    cells: Cells
    n_windows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankAgreement:
    """Spearman's correlation of two rankings of the channels, one for each phase.

    ``rho`` is None where it means nothing; ``reasons`` then says why, and is empty elsewhere.
    """

    first: str
    second: str
    rho: tuple[float | None, ...]
    reasons: tuple[str, ...]

    @property
    def mean(self) -> float | None:
        """Mean over the phases that have one."""
        known = [value for value in self.rho if value is not None]
        return float(np.mean(known)) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreements:
    """Pairs of one kind; where there is none, why."""

    pairs: tuple[RankAgreement, ...]
    reason: str


def agreement(first: Ranked, second: Ranked) -> RankAgreement:
    """Compare two explanations of the same channels."""
    judged = [_judged(first, second, phase) for phase in range(len(first.n_windows))]
    return RankAgreement(
        first=first.name,
        second=second.name,
        rho=tuple(rho for rho, _ in judged),
        reasons=tuple(reason for _, reason in judged),
    )


def _judged(first: Ranked, second: Ranked, phase: int) -> tuple[float | None, str]:
    for one in (first, second):
        if one.n_windows[phase] < FEWEST:
            return None, f"{one.n_windows[phase]} windows of {one.name}, at least {FEWEST} needed"
    values = [np.array([row[phase] for row in one.cells], dtype=float) for one in (first, second)]
    used_C = (values[0] > 0) | (values[1] > 0)  # what neither uses would agree for nothing
    if int(used_C.sum()) < _FEWEST_CHANNELS:
        return None, f"fewer than {_FEWEST_CHANNELS} channels have any attribution"
    rho = spearman(values[0][used_C], values[1][used_C])
    return rho, "" if rho is not None else "all channels have the same attribution"


def spearman(first_C: NDArray[np.float64], second_C: NDArray[np.float64]) -> float | None:
    """Return the rank correlation, ties sharing their mean rank; None for a constant side.

    >>> spearman(np.array([1.0, 2.0, 30.0]), np.array([5.0, 6.0, 7.0]))
    1.0
    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0])) is None
    True
    """
    ranks = [_ranks(first_C), _ranks(second_C)]
    if any(bool((rank_C == rank_C[0]).all()) for rank_C in ranks):
        return None
    return round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 12)


def _ranks(value_C: NDArray[np.float64]) -> NDArray[np.float64]:
    _, group_C, count = np.unique(value_C, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[group_C]


def lowest(agreements: Sequence[RankAgreement]) -> float | None:
    """Return the lowest mean of some pairs; None where none has one."""
    means = [one.mean for one in agreements if one.mean is not None]
    return min(means, default=None)
