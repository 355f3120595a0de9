"""Ratios, spreads and verdicts: a row that misses is a miss."""

import pytest

from cis490_pipeline_tests.benchmarks.budgets import (
    Budget,
    Line,
    RowResult,
    Verdict,
    at_least,
    at_most,
    paired,
    spread_of,
)


def line(*samples: float, budget: Budget | None, absent: str | None = None) -> Line:
    return Line(what="w", reference="r", unit="×", samples=samples, budget=budget, absent=absent)


@pytest.mark.parametrize(
    ("budget", "value", "verdict"),
    [
        (at_most(4.0, 2.0), 4.01, Verdict.MISSES),
        (at_most(4.0, 2.0), 4.0, Verdict.HOLDS),
        (at_most(4.0, 2.0), 2.0, Verdict.GOAL),
        (at_most(4.0), 0.1, Verdict.HOLDS),
        (at_least(40.0, 80.0), 39.9, Verdict.MISSES),
        (at_least(40.0, 80.0), 40.0, Verdict.HOLDS),
        (at_least(40.0, 80.0), 80.0, Verdict.GOAL),
        (at_least(-0.02), -0.03, Verdict.MISSES),
        (at_most(1.5), float("nan"), Verdict.MISSES),
    ],
)
def test_the_bound_itself_holds_and_beyond_it_is_a_miss(
    budget: Budget, value: float, verdict: Verdict
) -> None:
    assert line(value, budget=budget).verdict is verdict


def test_the_median_decides_not_the_best_repetition() -> None:
    assert line(1.0, 5.0, 6.0, budget=at_most(4.0)).verdict is Verdict.MISSES
    assert line(1.0, 2.0, 60.0, budget=at_most(4.0)).verdict is Verdict.HOLDS


def test_what_is_not_there_counts_as_a_miss() -> None:
    absent = line(budget=at_least(5.0), absent="no such family")
    assert absent.verdict is Verdict.NOT_THERE
    assert row(absent).missed


def test_one_line_that_misses_makes_the_row_a_miss() -> None:
    good, bad = line(1.0, budget=at_most(2.0)), line(3.0, budget=at_most(2.0))
    assert row(good, bad).missed
    assert not row(good).missed


def test_a_line_without_a_budget_never_misses() -> None:
    record = line(1e9, budget=None)
    assert record.verdict is Verdict.RECORD
    assert not row(record).missed


def row(*lines: Line) -> RowResult:
    return RowResult(row="r", lines=lines, load=(0.0, 0.0), seconds=1.0)


def test_ratios_are_of_what_was_measured_side_by_side() -> None:
    assert paired([2.0, 9.0], [1.0, 3.0]) == (2.0, 3.0)
    with pytest.raises(ValueError, match="shorter"):
        paired([2.0, 9.0], [1.0])


def test_few_samples_have_a_range_and_many_their_tenths() -> None:
    few = spread_of([3.0, 1.0, 2.0])
    assert (few.median, few.low, few.high, few.kind) == (2.0, 1.0, 3.0, "min–max")
    many = spread_of([float(n) for n in range(101)])
    assert (many.median, many.low, many.high, many.kind) == (50.0, 10.0, 90.0, "p10–p90")
