"""Risk over coverage: against a loop over thresholds, and against the best possible order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.metrics.selective import area_under_risk, confidence_groups, oracle_area


def _area(confidence, wrong, most=10_000):
    group = confidence_groups(confidence, most)
    return float(area_under_risk(np.bincount(group, weights=wrong), np.bincount(group)))


def _slow(confidence, wrong):
    """For every window: the share of wrong ones among all that are at least as sure."""
    return np.mean([wrong[confidence >= one].mean() for one in confidence])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40))
def test_area_equals_a_loop_over_thresholds_with_ties(windows):
    confidence = np.array([one for one, _ in windows]) / 9
    wrong = np.array([one for _, one in windows], dtype=float)
    assert _area(confidence, wrong) == pytest.approx(_slow(confidence, wrong))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 2**16))
def test_no_order_beats_the_oracle_and_its_own_order_reaches_it(n, n_wrong, seed):
    n_wrong = min(n, n_wrong)
    wrong = np.arange(n) >= n - n_wrong
    best = float(oracle_area(np.array(n_wrong), np.array(n)))
    assert _area(-np.arange(n, dtype=float), wrong.astype(float)) == pytest.approx(best)
    rng = np.random.default_rng(seed)
    other = _area(rng.integers(0, 7, n) / 7, wrong.astype(float))
    assert other >= best - 1e-12


def test_joining_windows_of_like_confidence_moves_the_area_little_and_splits_no_tie():
    rng = np.random.default_rng(3)
    confidence = rng.random(5000).round(3)
    wrong = (rng.random(5000) > confidence).astype(float)
    assert _area(confidence, wrong, most=256) == pytest.approx(
        _slow(confidence, wrong), abs=1 / 256
    )
    group = confidence_groups(confidence, 256)
    assert group.max() < 256
    for one in np.unique(confidence):
        assert len(set(group[confidence == one])) == 1
    assert (np.diff(group[np.argsort(-confidence)]) >= 0).all()


def test_copies_of_an_episode_weigh_like_weights():
    confidence, wrong = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.0, 1.0, 0.0, 1.0])
    weight = np.array([2, 0, 3, 1])
    group = confidence_groups(confidence, 10)
    size, errors = np.bincount(group, weights=weight), np.bincount(group, weights=wrong * weight)
    copied = _slow(np.repeat(confidence, weight), np.repeat(wrong, weight))
    assert float(area_under_risk(errors, size)) == pytest.approx(copied)


def test_of_no_window_there_is_no_area():
    assert np.isnan(area_under_risk(np.zeros(3), np.zeros(3)))
    assert np.isnan(oracle_area(np.array(0), np.array(0)))


def test_joined_groups_hold_about_equally_many_windows_however_ties_lie():
    confidence = np.concatenate([np.repeat(np.linspace(0.9, 1, 20), 50), np.linspace(0, 0.8, 500)])
    size = np.bincount(confidence_groups(confidence, 10))
    assert size.max() <= confidence.size / 10 + 50
