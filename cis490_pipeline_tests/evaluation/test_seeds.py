"""Configurations over their seeds: one test each, and seeds that differ widen the interval."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import itertools

import numpy as np
import pytest

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.comparison import DeclaredFamily, compare
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.interval import SampleSize
from cis490_pipeline.evaluation.permutation import paired_permutation_p
from cis490_pipeline.evaluation.seeds import seeds_interval
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline_tests.benchmarks.coverage_world import World
from cis490_pipeline_tests.evaluation.made_up import FAST, evaluations_of, key_of, split_table

TIME = key_of("elapsed_time")
CNN = [key_of("cnn", seed=seed) for seed in (3, 4, 5)]
GBT = [key_of("gbt", seed=seed) for seed in (0, 1)]
SIZE = SampleSize(n_hosts=1, n_samples=1, n_episodes=40, n_windows=1, condition="")


@pytest.fixture(scope="module")
def compared():
    skills = dict.fromkeys(GBT, (0.7, 0.5)) | {
        key: (0.6, skill) for key, skill in zip(CNN, (0.4, 0.6, 0.8), strict=True)
    }
    table = split_table({**skills, TIME: (0.3, 0.3)})
    return compare(evaluations_of(table, [*skills, TIME]), table, config=FAST)


def test_each_configuration_is_tested_once_whatever_its_seeds(compared) -> None:
    pairs = [(one.tests, one.first, one.first_seeds, one.second) for one in compared.differences]
    assert pairs == [
        (DeclaredFamily.AGAINST_TIME, CNN[0], (3, 4, 5), TIME),
        (DeclaredFamily.AGAINST_TIME, GBT[0], (0, 1), TIME),
        (DeclaredFamily.AGAINST_SIMPLE, CNN[0], (3, 4, 5), GBT[0]),
    ]
    smallest = min(compared.differences[:2], key=lambda one: one.p)
    assert smallest.p_holm == pytest.approx(2 * smallest.p)


def test_the_difference_is_that_of_the_means_over_seeds(compared) -> None:
    points = {one.key: one.macro_f1.point for one in compared.models}
    means = [np.mean([points[key] for key in keys]) for keys in (CNN, GBT)]
    found = compared.differences[2].difference
    assert found.point == pytest.approx(means[0] - means[1])
    assert found.low < found.point < found.high
    assert "jackknife" in found.bca_fallback


def test_the_headline_tells_the_mean_over_seeds(compared) -> None:
    mean = compared.macro_f1_of(GBT[0])
    text = headline(compared)
    assert f"gbt/realistic macro F1 {mean.point:.2f} [{mean.low:.2f}" in text
    assert "(mean of 2 seeds), elapsed_time" in text


def test_an_interval_over_equal_seeds_is_that_over_episodes_and_the_sandwich_agrees() -> None:
    one = World().episodes(np.random.default_rng(0), 40)
    config = BootstrapConfig(n_resamples=1000)
    same = seeds_interval([np.repeat(one, 3, axis=1)], config=config, size=SIZE)
    differ = World().episodes(np.random.default_rng(0), 40, gains=(-0.6, 0.0, 0.6))
    wide = seeds_interval([differ], config=config, size=SIZE)
    assert wide.high - wide.low > 1.5 * (same.high - same.low)
    for found in (same, wide):
        assert (found.high - found.low) / 4 == pytest.approx(found.standard_error, rel=0.25)
    assert same.caution is wide.caution is None
    assert seeds_interval([one], config=config, size=SIZE).low is None


def test_the_spread_of_a_few_seeds_is_not_understated() -> None:
    """Episodes are all alike here: what is left is the variance of a mean of three seeds."""
    seeds = World().episodes(np.random.default_rng(1), 1, gains=(-0.9, 0.0, 0.9))
    found = seeds_interval(
        [np.repeat(seeds, 40, axis=0)], config=BootstrapConfig(n_resamples=4000), size=SIZE
    )
    values = np.array([macro_f1(one) for one in seeds[0]], dtype=np.float64)
    assert found.standard_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(3), rel=1e-6)
    farthest = np.sqrt(1.5) * (values.max() - values.mean())
    assert found.high - found.point == pytest.approx(farthest, rel=1e-6)


def test_p_over_seeds_equals_a_loop_over_all_swaps() -> None:
    """Two seeds against three: each meets each, and an episode is swapped in all of them."""
    counts = World().episodes(np.random.default_rng(2), 5, gains=(0.5, 0.7, 0.0, 0.0, 0.1))
    first, second = counts[:, :2], counts[:, 2:]

    def gap(swaps) -> float:
        swapped = np.array(swaps)[:, None, None]
        total = 0.0
        for i, j in itertools.product(range(2), range(3)):
            a = np.where(swapped, second[:, j], first[:, i]).sum(axis=0)
            b = np.where(swapped, first[:, i], second[:, j]).sum(axis=0)
            total += macro_f1(a) - macro_f1(b)
        return total / 6

    all_gaps = [gap(swaps) for swaps in itertools.product((False, True), repeat=5)]
    slow = np.mean(np.abs(all_gaps) >= abs(all_gaps[0]) - 1e-12)
    assert paired_permutation_p(first, second, BootstrapConfig(n_resamples=32)) == slow


def test_no_end_is_below_zero_or_above_one_however_far_the_seeds_lie_apart():
    """One training all wrong, one nearly all right: stretched, their spread would leave [0, 1]."""
    rng = np.random.default_rng(0)
    truth_EW = rng.integers(0, 5, (6, 10))
    cluster = np.repeat(np.arange(6), 10)
    of_seeds = [
        cluster_confusions(truth_EW.ravel(), (truth_EW.ravel() + wrong) % 5, cluster, 6, 5)
        for wrong in (np.ones(60, dtype=int), (rng.random(60) < 0.1).astype(int))
    ]
    confusions = np.stack(of_seeds, axis=1)
    size = SampleSize(n_hosts=1, n_samples=1, n_episodes=6, n_windows=60, condition="")
    found = seeds_interval([confusions], config=FAST, size=size)
    assert (found.low, found.high) == (0.0, 1.0)
    pair = [confusions, confusions[:, ::-1]]
    gap = seeds_interval(pair, signs_G=(1.0, -1.0), config=FAST, size=size)
    assert -1.0 <= gap.low < gap.high <= 1.0
