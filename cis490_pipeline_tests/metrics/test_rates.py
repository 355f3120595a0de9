"""Rates of rare things: bounds where nothing was seen, precision where infections are rare."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cis490_pipeline.metrics.rates import (
    binomial_ends,
    negatives_needed,
    poisson_ends,
    precision_at,
    rule_of_three,
)


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


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_exact_ends_of_a_share_are_those_of_the_beta_distribution(n, data, level):
    hits = data.draw(st.integers(0, n))
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, hits, n - hits + 1) if hits else 0.0
    high = stats.beta.ppf(1 - tail, hits + 1, n - hits) if hits < n else 1.0
    assert binomial_ends(hits, n, level) == pytest.approx((low, high), abs=1e-9)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(0, 60), st.sampled_from([0.8, 0.95, 0.99]))
def test_exact_ends_of_a_count_are_those_of_the_chi_squared_distribution(n_events, level):
    tail = (1 - level) / 2
    low = stats.chi2.ppf(tail, 2 * n_events) / 2 if n_events else 0.0
    high = stats.chi2.ppf(1 - tail, 2 * n_events + 2) / 2
    assert poisson_ends(n_events, level) == pytest.approx((low, high), abs=1e-8)


def test_exact_ends_of_many_units_do_not_overflow():
    assert binomial_ends(19_998, 20_000, 0.95) == pytest.approx(
        (stats.beta.ppf(0.025, 19_998, 3), stats.beta.ppf(0.975, 19_999, 2)), abs=1e-9
    )
