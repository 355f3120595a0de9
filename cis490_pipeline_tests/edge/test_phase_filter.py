"""The filter is the forward algorithm, causal, the same alone and in company, never certain."""

import itertools

import numpy as np
import pytest

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.phase_filter import FilterState, PhaseFilter, after, before_first
from cis490_pipeline.models.filtering import filtered, windows_of

TRANSITIONS = ((0.9, 0.08, 0.02), (0.1, 0.7, 0.2), (0.05, 0.05, 0.9))
PRIOR = (0.5, 0.3, 0.2)


def make(**changes):
    made = {
        "transitions": TRANSITIONS,
        "initial": (0.8, 0.15, 0.05),
        "prior": PRIOR,
        "sharpness": 1.0,
        "inertia": 1.0,
    }
    return PhaseFilter(**{**made, **changes})


def probabilities(n, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(3, 0.7), n)


def cases_at(windows, clusters):
    n = len(windows)
    return Cases(
        y_N=np.zeros(n, dtype=np.int64),
        cluster_N=np.asarray(clusters, dtype=np.int64),
        t_center_s_N=5.0 * np.asarray(windows, dtype=np.float64) + 5.0,
        summary_NF=None,
        sequences=None,
        n_classes=3,
    )


def by_enumeration(phase_filter, p_NK, windows):
    """Return p(last phase | evidence), summed over every path through every stride."""
    evidence = dict(zip(windows, p_NK / np.asarray(PRIOR), strict=True))
    total_K = np.zeros(3)
    for path in itertools.product(range(3), repeat=windows[-1] + 1):
        weight = phase_filter.initial[path[0]]
        for before, now in itertools.pairwise(path):
            weight *= TRANSITIONS[before][now]
        for window, likelihood_K in evidence.items():
            weight *= likelihood_K[path[window]]
        total_K[path[-1]] += weight
    return total_K / total_K.sum()


@pytest.mark.parametrize("windows", [[0], [0, 1, 2, 3, 4], [0, 1, 4, 5], [2, 3, 6]])
def test_it_is_the_forward_algorithm_and_a_gap_is_a_step_without_evidence(windows):
    p_NK = probabilities(len(windows))
    found_NK = filtered(make(), p_NK, cases_at(windows, [0] * len(windows)))
    np.testing.assert_allclose(found_NK[-1], by_enumeration(make(), p_NK, windows), rtol=1e-9)


def test_without_inertia_and_prior_it_does_nothing():
    p_NK = probabilities(40)
    nothing = make(inertia=0.0, prior=(1 / 3, 1 / 3, 1 / 3))
    found_NK = filtered(nothing, p_NK, cases_at(range(40), [0] * 40))
    np.testing.assert_allclose(found_NK, p_NK, atol=1e-8)


def _some_episodes():
    clusters = np.repeat(np.arange(7), [5, 1, 9, 3, 12, 2, 8])
    generator = np.random.default_rng(1)
    windows = [np.sort(generator.choice(20, n, replace=False)) for n in np.bincount(clusters)]
    return np.concatenate(windows), clusters


def test_a_device_gets_what_the_set_gets():
    windows, clusters = _some_episodes()
    p_NK = probabilities(len(windows), seed=2)
    phase_filter = make(sharpness=1.5, inertia=0.75)
    found_NK = filtered(phase_filter, p_NK, cases_at(windows, clusters))
    for cluster in range(7):
        state = FilterState(phase_filter)
        for case in np.flatnonzero(clusters == cluster):
            streamed_K = state.update(int(windows[case]), p_NK[case])
            np.testing.assert_array_equal(streamed_K, found_NK[case])


def test_the_future_and_other_episodes_change_nothing():
    windows, clusters = _some_episodes()
    p_NK = probabilities(len(windows), seed=2)
    found_NK = filtered(make(), p_NK, cases_at(windows, clusters))
    for case in (0, 7, 20, 39):
        past = (clusters == clusters[case]) & (windows <= windows[case])
        other_NK = np.where(past[:, None], p_NK, probabilities(len(windows), seed=3))
        again_NK = filtered(make(), other_NK, cases_at(windows, clusters))
        np.testing.assert_array_equal(again_NK[case], found_NK[case])


def test_the_order_of_the_cases_does_not_matter():
    windows, clusters = _some_episodes()
    p_NK = probabilities(len(windows), seed=2)
    found_NK = filtered(make(), p_NK, cases_at(windows, clusters))
    order = np.random.default_rng(4).permutation(len(windows))
    shuffled_NK = filtered(make(), p_NK[order], cases_at(windows[order], clusters[order]))
    np.testing.assert_array_equal(shuffled_NK, found_NK[order])


def test_certainty_does_not_last_for_ever():
    """A model that was certain of the first phase for a minute is believed when it changes."""
    certain_NK = np.repeat([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [12, 2], axis=0)
    found_NK = filtered(make(), certain_NK, cases_at(range(14), [0] * 14))
    assert found_NK[11].argmax() == 0
    assert found_NK[13].argmax() == 2
    assert np.isfinite(found_NK).all()
    np.testing.assert_allclose(found_NK.sum(axis=1), 1.0, atol=1e-12)


def test_after_years_only_the_grammar_is_left():
    far_EK = after(make(), np.array([[1.0, 0.0, 0.0]]), np.array([10**12]))
    stationary_EK = before_first(make(), np.array([10**6]))
    np.testing.assert_allclose(far_EK, stationary_EK, atol=1e-9)


def test_windows_come_from_times():
    assert windows_of(cases_at([0, 1, 49, 100_000], [0] * 4)).tolist() == [0, 1, 49, 100_000]


def test_no_cases_are_no_rows():
    assert filtered(make(), np.empty((0, 3)), cases_at([], [])).shape == (0, 3)


def test_a_window_out_of_order_is_refused():
    state = FilterState(make())
    state.update(4, np.array([0.2, 0.3, 0.5]))
    with pytest.raises(ValueError, match="window 4 does not come after window 4"):
        state.update(4, np.array([0.2, 0.3, 0.5]))


@pytest.mark.parametrize(
    "changes",
    [
        {"initial": (0.5, 0.5)},
        {"transitions": TRANSITIONS[:2]},
        {"transitions": (*TRANSITIONS[:2], (0.5, 0.5, 0.5))},
        {"prior": (0.5, 0.3, 0.3)},
        {"initial": (float("nan"), 0.5, 0.5)},
    ],
)
def test_rows_that_are_no_distributions_are_refused(changes):
    with pytest.raises(ValueError, match=r"phase filter|classes"):
        make(**changes)
