"""Paired permutation over episodes: identity, calibration, power, exact and sampled alike."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.permutation import holm, least_p, paired_permutation_p
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.metrics.f1 import macro_f1


def _pair(rng, n_episodes=12, n_windows=10, gain=0.0):
    """Two models on one truth; episodes differ in difficulty, the first may be better."""
    cluster = np.repeat(np.arange(n_episodes), n_windows)
    truth = rng.integers(0, 3, cluster.size)
    found = []
    for extra in (gain, 0.0):
        skill = np.clip(0.5 + extra + rng.normal(0, 0.2, n_episodes), 0, 1)
        right = rng.random(cluster.size) < skill[cluster]
        predicted = np.where(right, truth, (truth + 1) % 3)
        found.append(cluster_confusions(truth, predicted, cluster, n_episodes, 3)[:, None])
    return found[0], found[1]


def test_a_model_against_itself_has_p_one():
    first, _ = _pair(np.random.default_rng(0))
    assert paired_permutation_p(first, first, BootstrapConfig(n_resamples=100)) == 1.0


@pytest.mark.parametrize("n_differing", [0, 1, 2, 4, 6])
def test_no_difference_has_a_smaller_p_than_its_episodes_can_give(n_differing):
    """Right against wrong in some episodes, the same in the others: as clear as can be."""
    truth = np.tile(np.arange(3), 8)
    cluster = np.repeat(np.arange(8), 3)
    wrong = np.where(cluster < n_differing, (truth + 1) % 3, truth)
    first, second = (
        cluster_confusions(truth, said, cluster, 8, 3)[:, None] for said in (truth, wrong)
    )
    config = BootstrapConfig(n_resamples=300)
    expected = min(1.0, 2.0 ** (1 - n_differing))
    assert least_p(first, second, config) == pytest.approx(expected)
    assert paired_permutation_p(first, second, config) == pytest.approx(expected)
    drawn = BootstrapConfig(n_resamples=255)
    assert paired_permutation_p(first, second, drawn) == pytest.approx(expected, rel=0.5)


def test_drawn_permutations_have_a_least_p_too():
    first, second = _pair(np.random.default_rng(0), n_episodes=30, gain=0.4)
    assert least_p(first, second, BootstrapConfig(n_resamples=99)) == 0.01


def test_exact_p_equals_a_loop_over_all_swaps():
    first, second = _pair(np.random.default_rng(1), n_episodes=6, gain=0.2)
    observed = macro_f1(first[:, 0].sum(axis=0)) - macro_f1(second[:, 0].sum(axis=0))
    extreme = 0
    for swaps in itertools.product((False, True), repeat=6):
        swapped = np.array(swaps)[:, None, None]
        left = np.where(swapped, second[:, 0], first[:, 0]).sum(axis=0)
        right = np.where(swapped, first[:, 0], second[:, 0]).sum(axis=0)
        extreme += abs(macro_f1(left) - macro_f1(right)) >= abs(observed) - 1e-12
    ours = paired_permutation_p(first, second, BootstrapConfig(n_resamples=64))
    assert ours == pytest.approx(extreme / 64)


def test_sampled_p_is_near_the_exact_one():
    first, second = _pair(np.random.default_rng(2), n_episodes=10, gain=0.1)
    exact = paired_permutation_p(first, second, BootstrapConfig(n_resamples=1024))
    sampled = paired_permutation_p(first, second, BootstrapConfig(n_resamples=1023))
    assert sampled == pytest.approx(exact, abs=0.06)


def test_p_is_calibrated_under_the_null_and_small_where_a_model_is_better():
    config = BootstrapConfig(n_resamples=200)
    null: list[float | None] = [
        paired_permutation_p(*_pair(np.random.default_rng(seed), n_episodes=14), config)
        for seed in range(300)
    ]
    assert 0.015 <= np.mean(np.array(null) <= 0.05) <= 0.10
    assert np.mean(np.array(null)) == pytest.approx(0.5, abs=0.07)
    better = _pair(np.random.default_rng(1), n_episodes=40, gain=0.3)
    assert paired_permutation_p(*better, config) == pytest.approx(1 / 201)


def test_p_does_not_depend_on_the_order_of_the_models():
    first, second = _pair(np.random.default_rng(8), gain=0.1)
    config = BootstrapConfig(n_resamples=5000)
    assert paired_permutation_p(first, second, config) == paired_permutation_p(
        second, first, config
    )


def test_one_episode_has_no_p():
    first, second = _pair(np.random.default_rng(0), n_episodes=1)
    assert paired_permutation_p(first, second, BootstrapConfig()) is None


def test_holm_of_a_worked_example_is_milder_than_bonferroni():
    assert holm((0.005, 0.011, 0.02, 0.04, 0.13)) == pytest.approx((0.025, 0.044, 0.06, 0.08, 0.13))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=12).map(tuple))
def test_holm_never_lowers_a_p_keeps_the_order_and_stays_below_bonferroni(p_values):
    adjusted = holm(p_values)
    for raw, corrected in zip(p_values, adjusted, strict=True):
        assert raw <= corrected <= min(1.0, len(p_values) * raw) + 1e-12
    for i, j in itertools.combinations(range(len(p_values)), 2):
        if p_values[i] < p_values[j]:
            assert adjusted[i] <= adjusted[j]
