"""What a row must reach, and what came out: samples, their median and spread, the verdict.

Not here: how anything is measured (the rows), how it is shown (``report``).
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_FEW: Final = 10
"""Below so many samples the spread is their whole range."""


class BenchmarkError(Exception):
    """A row cannot be measured, or its two sides do not do the same work."""


class Verdict(StrEnum):
    GOAL = "goal"  # reaches the goal too
    HOLDS = "holds"  # what it must reach, not the goal
    MISSES = "MISSES"
    NOT_THERE = "NOT THERE"  # nothing to measure yet; counts as a miss
    RECORD = "–"  # for the record, without a budget

    @property
    def is_miss(self) -> bool:
        return self in (Verdict.MISSES, Verdict.NOT_THERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A bound from above (``at_most``) or from below, and a goal beyond it where there is one."""

    must: float
    goal: float | None = None
    at_most: bool

    def verdict(self, value: float) -> Verdict:
        if not self._within(value, self.must):
            return Verdict.MISSES
        if self.goal is not None and self._within(value, self.goal):
            return Verdict.GOAL
        return Verdict.HOLDS

    def _within(self, value: float, bound: float) -> bool:
        return value <= bound if self.at_most else value >= bound


def at_most(must: float, goal: float | None = None) -> Budget:
    return Budget(must=must, goal=goal, at_most=True)


def at_least(must: float, goal: float | None = None) -> Budget:
    return Budget(must=must, goal=goal, at_most=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median of the samples, and p10 to p90 of them, or least and greatest where they are few."""

    median: float
    low: float
    high: float
    kind: str


def spread_of(samples: Sequence[float]) -> Spread:
    median = statistics.median(samples)
    if len(samples) < _FEW:
        return Spread(median=median, low=min(samples), high=max(samples), kind="min–max")
    tenths = statistics.quantiles(samples, n=10, method="inclusive")
    return Spread(median=median, low=tenths[0], high=tenths[-1], kind="p10–p90")


def paired(numerators: Sequence[float], denominators: Sequence[float]) -> tuple[float, ...]:
    """Divide what was measured side by side; the repetitions are pairs, not two heaps."""
    return tuple(n / d for n, d in zip(numerators, denominators, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table.

    ``samples`` are in ``unit``, one per repetition; none where the thing is ``absent`` (a reason).
    ``absolute`` has the figures behind a ratio, their units in their names.
    """

    what: str
    reference: str
    unit: str
    samples: tuple[float, ...]
    budget: Budget | None = None
    absolute: dict[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    absent: str | None = None

    @property
    def spread(self) -> Spread | None:
        return spread_of(self.samples) if self.samples else None

    @property
    def verdict(self) -> Verdict:
        spread = self.spread
        if self.absent is not None or spread is None:
            return Verdict.NOT_THERE
        return Verdict.RECORD if self.budget is None else self.budget.verdict(spread.median)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What a row came to; ``load`` is the machine's one-minute load before and after it."""

    row: str
    lines: tuple[Line, ...]
    load: tuple[float, float]
    seconds: float

    @property
    def missed(self) -> bool:
        return any(line.verdict.is_miss for line in self.lines)
