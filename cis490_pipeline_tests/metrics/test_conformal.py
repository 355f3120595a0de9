"""Conformal p-values over episodes: against crepes, against loops, and what they promise."""

import numpy as np
import pytest
from crepes import ConformalClassifier

from cis490_pipeline.metrics.conformal import (
    episode_p_values,
    least_episodes,
    nonconformity,
    prediction_sets,
)


def _slow(score, cluster, n_clusters, judged):
    """The definition, one class of one window at a time."""
    p = np.empty(judged.shape)
    for place, one in np.ndenumerate(judged):
        shares = [np.mean(score[cluster == episode] >= one) for episode in range(n_clusters)]
        p[place] = (1 + sum(shares)) / (n_clusters + 1)
    return p


def test_with_one_window_per_episode_it_is_split_conformal_prediction_as_crepes_has_it():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(5), 60).round(2)  # rounded: ties between scores
    truth, judged = rng.integers(0, 5, 60), rng.dirichlet(np.ones(5), 40).round(2)
    score = nonconformity(proba)[np.arange(60), truth]
    reference = ConformalClassifier()
    reference.fit(score)
    expected = reference.predict_p(nonconformity(judged), smoothing=False)
    found = episode_p_values(score, np.arange(60), 60, nonconformity(judged))
    assert found == pytest.approx(expected, abs=1e-12)
    sets = reference.predict_set(nonconformity(judged), confidence=0.9, smoothing=False)
    assert (prediction_sets(found, 0.1) == sets.astype(bool)).all()


def test_unequal_episodes_equal_a_loop_over_the_definition():
    rng = np.random.default_rng(1)
    cluster = np.concatenate([np.arange(9), rng.integers(0, 9, 80)])
    score, judged = rng.random(89).round(2), rng.random((30, 3)).round(2)
    found = episode_p_values(score, cluster, 9, judged)
    assert found == pytest.approx(_slow(score, cluster, 9, judged), abs=1e-12)


def test_copying_the_windows_of_an_episode_changes_nothing():
    score, judged = np.array([0.1, 0.4, 0.3, 0.8]), np.array([[0.2, 0.35, 0.9]])
    once = episode_p_values(score, np.array([0, 0, 1, 2]), 3, judged)
    often = np.array([0, 0, 1, 2, 2, 2, 2])
    again = episode_p_values(np.append(score, [0.8] * 3), often, 3, judged)
    assert again == pytest.approx(once)


def _episodes(rng, n_episodes):
    """Nonconformity of the truth, and its episode: overlapping windows of unequal episodes.

    Windows share their episode's difficulty; every other episode on average is short and hard.
    """
    short = rng.random(n_episodes) < 0.5
    cluster = np.repeat(np.arange(n_episodes), np.where(short, 4, 24))
    difficulty = 2.0 * rng.normal(size=n_episodes) + short
    noise = rng.normal(size=cluster.size + 1)
    return difficulty[cluster] + 0.3 * (noise[1:] + noise[:-1]), cluster


def _coverages(alpha, n_calibration, *, by_episode, n_sets=1500, n_test=5):
    """Mean coverage of a test episode's windows, for each of many calibration sets."""
    rng = np.random.default_rng(20261123)
    covered = np.empty(n_sets)
    for one in range(n_sets):
        score, cluster = _episodes(rng, n_calibration)
        judged, episode = _episodes(rng, n_test)
        if not by_episode:
            cluster = np.arange(score.size)
        p = episode_p_values(score, cluster, cluster[-1] + 1, judged[:, None])
        holds = prediction_sets(p, alpha)[:, 0]
        covered[one] = np.mean([holds[episode == e].mean() for e in range(n_test)])
    return covered


def _three_errors(covered):
    return 3 * covered.std() / np.sqrt(covered.size)


@pytest.mark.parametrize(("alpha", "n_calibration"), [(0.2, 19), (0.1, 10), (0.1, 19)])
def test_exchangeable_episodes_of_overlapping_windows_are_covered_as_promised(alpha, n_calibration):
    covered = _coverages(alpha, n_calibration, by_episode=True)
    assert covered.mean() > 1 - alpha - _three_errors(covered)
    # Sets that hold everything would pass the line above: 2 / (n + 1) is all that is given away.
    assert covered.mean() < 1 - alpha + 2 / (n_calibration + 1) + _three_errors(covered)


def test_taking_windows_for_exchangeable_cases_breaks_the_promise():
    covered = _coverages(0.1, 10, by_episode=False)
    assert covered.mean() < 0.9 - _three_errors(covered)


@pytest.mark.parametrize("alpha", [0.2, 0.1, 0.05, 0.01, 1 / 3])
def test_with_the_least_episodes_something_can_be_refused(alpha):
    n = least_episodes(alpha)
    assert n * alpha >= 1 - 1e-9
    p = episode_p_values(np.zeros(n), np.arange(n), n, np.array([[1.0]]))
    assert not prediction_sets(p, alpha).any()


def test_an_episode_without_windows_cannot_calibrate():
    with pytest.raises(ValueError, match="must have a window"):
        episode_p_values(np.array([0.1]), np.array([0]), 2, np.array([[0.5]]))
    with pytest.raises(ValueError, match="must have a window"):
        episode_p_values(np.empty(0), np.empty(0, dtype=int), 0, np.array([[0.5]]))


def test_a_p_value_equal_to_alpha_is_refused_in_spite_of_rounding():
    p = episode_p_values(np.linspace(0, 0.5, 27), np.arange(27) // 3, 9, np.array([[0.9]]))
    assert not prediction_sets(p, 0.1).any()
