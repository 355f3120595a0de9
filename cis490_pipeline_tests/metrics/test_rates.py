"""Rates of rare things: bounds where nothing was seen, precision where infections are rare."""

import numpy as np
import pytest

from cis490_pipeline.metrics.rates import negatives_needed, precision_at, rule_of_three


def test_the_rule_of_three_bounds_what_95_percent_of_such_silences_allow():
    for n in (20, 60, 500, 10_000):
        exact = 1 - 0.05 ** (1 / n)
        assert exact <= rule_of_three(n) <= exact * 1.1


def test_nothing_watched_bounds_nothing():
    assert rule_of_three(0) == rule_of_three(3) == 1.0


@pytest.mark.parametrize(("limit", "needed"), [(0.1, 100), (0.01, 1000), (0.001, 10_000)])
def test_a_false_positive_rate_needs_ten_false_positives(limit, needed):
    assert negatives_needed(limit) == needed


def test_precision_is_what_a_crowd_of_windows_gives():
    infected, clean = 10, 9_990
    true, false = 0.8 * infected, 0.02 * clean
    found = precision_at(np.array([0.8, 0.0]), np.array([0.02, 0.0]), infected / 10_000)
    assert found[0] == pytest.approx(true / (true + false))
    assert np.isnan(found[1])
