"""Kaplan–Meier, restricted mean and median, against one that counts step by step."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.metrics.survival import (
    median_time,
    restricted_mean,
    survival_at,
    survival_curves,
)


def slow_survival(times, events, at):
    """The product over distinct event times, written out as in a textbook."""
    share = 1.0
    for t in sorted({t for t, event in zip(times, events, strict=True) if event}):
        if t <= at:
            at_risk = sum(one >= t for one in times)
            died = sum(e and one == t for one, e in zip(times, events, strict=True))
            share *= 1 - died / at_risk
    return share


def slow_mean(times, events, horizon):
    """The area below the steps, one rectangle after the other."""
    edges = sorted({0.0, horizon, *(t for t in times if t < horizon)})
    return sum(
        (right - left) * slow_survival(times, events, left)
        for left, right in itertools.pairwise(edges)
    )


def slow_median(times, events):
    return min((t for t in times if slow_survival(times, events, t) <= 0.5 + 1e-9), default=np.inf)


def curves_of(times, events, weights=None):
    ones = np.ones((1, len(times))) if weights is None else np.array([weights], dtype=float)
    return survival_curves(np.array(times, dtype=float), np.array(events, dtype=bool), ones)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=15),
    st.integers(1, 14),
)
def test_it_is_the_textbook_product(pairs, horizon):
    times, events = zip(*pairs, strict=True)
    curves = curves_of(times, events)
    at = np.arange(0.0, 14.0, 0.5)
    expected = [slow_survival(times, events, t) for t in at]
    assert survival_at(curves, at)[0] == pytest.approx(expected, abs=1e-12)
    mean = slow_mean(times, events, float(horizon))
    assert restricted_mean(curves, float(horizon))[0] == pytest.approx(mean, abs=1e-9)
    assert median_time(curves)[0] == slow_median(times, events)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 3)), min_size=1, max_size=10
    )
)
def test_a_weight_is_that_many_episodes(triples):
    times, events, weights = zip(*triples, strict=True)
    repeated = [(t, e) for t, e, w in triples for _ in range(w)]
    if not repeated:
        return
    found = curves_of(times, events, weights)
    many = curves_of(*zip(*repeated, strict=True))
    at = np.arange(0.0, 10.0)
    assert survival_at(found, at)[0] == pytest.approx(survival_at(many, at)[0], abs=1e-12)
    assert restricted_mean(found, 8.0)[0] == pytest.approx(restricted_mean(many, 8.0)[0], abs=1e-9)
    assert median_time(found)[0] == median_time(many)[0]


def test_the_censored_count_for_as_long_as_they_were_watched():
    # two of three left at 5; of the two watched to 7 one is found there
    curves = curves_of([5, 7, 7], [False, True, False])
    assert survival_at(curves, np.array([6.0, 7.0]))[0].tolist() == [1.0, 0.5]
    assert median_time(curves)[0] == 7.0


def test_an_event_comes_before_a_censoring_of_the_same_time():
    assert survival_at(curves_of([5, 5], [False, True]), np.array([5.0]))[0, 0] == 0.5


def test_nobody_found_has_no_median_and_the_whole_horizon():
    curves = curves_of([5, 9], [False, False])
    assert median_time(curves)[0] == np.inf
    assert restricted_mean(curves, 30.0)[0] == 30.0


def test_a_missing_time_is_refused():
    with pytest.raises(ValueError, match="must be known"):
        curves_of([np.nan, 3.0], [True, True])
