"""Intervals over episodes: against a slow loop, in simulation, and where there is none."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import bootstrap as scipy_bootstrap
from sklearn.metrics import f1_score

from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    Contrast,
    contrast_interval,
    expanded_level,
    macro_f1_interval,
    resample,
)
from cis490_pipeline.evaluation.interval import SampleSize
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.metrics.f1 import macro_f1, macro_f1_stack


def _size(n_episodes: int, n_windows: int = 0) -> SampleSize:
    return SampleSize(
        n_hosts=1,
        n_samples=1,
        n_episodes=n_episodes,
        n_windows=n_windows,
        condition="conditional on host lab-b",
    )


def _windows(rng, n_episodes=30, n_windows=12, n_classes=3, spread=0.2):
    """Truth, prediction and cluster of windows whose episodes differ in difficulty."""
    cluster = np.repeat(np.arange(n_episodes), n_windows)
    truth = rng.integers(0, n_classes, cluster.size)
    skill = np.clip(0.6 + rng.normal(0, spread, n_episodes), 0.0, 1.0)
    right = rng.random(cluster.size) < skill[cluster]
    predicted = np.where(right, truth, (truth + 1) % n_classes)
    return truth, predicted, cluster


def _interval(confusions, **options):
    config = BootstrapConfig(**{"n_resamples": 400, "seed": 1, **options})
    return macro_f1_interval(confusions, config=config, size=_size(confusions.shape[0]))


def test_every_resample_equals_sklearn_on_the_repeated_windows():
    truth, predicted, cluster = _windows(np.random.default_rng(0))
    confusions = cluster_confusions(truth, predicted, cluster, 30, 3)
    config = BootstrapConfig(n_resamples=25, seed=5)
    drawn = resample(confusions[:, None], config).confusions_BMKK[:, 0]
    rng = np.random.default_rng(5)
    for b, picks in enumerate(rng.integers(0, 30, size=(25, 30))):
        rows = np.concatenate([np.flatnonzero(cluster == episode) for episode in picks])
        slow = f1_score(truth[rows], predicted[rows], average="macro")
        assert macro_f1(drawn[b]) == pytest.approx(slow, abs=1e-12)


def _even():
    truth, predicted, cluster = _windows(np.random.default_rng(2), n_episodes=60)
    return cluster_confusions(truth, predicted, cluster, 60, 3)


def _skewed():
    """A few long episodes go wrong: the acceleration of BCa is far from 0."""
    rng = np.random.default_rng(3)
    wrong = rng.binomial(10, 0.1, (40, 2))
    wrong[:4] = (40, 41), (36, 38), (43, 37), (33, 44)
    right = 10 + 35 * (np.arange(40) < 4)[:, None] - wrong
    rows = [[right[:, 0], wrong[:, 0]], [wrong[:, 1], right[:, 1]]]
    return np.array(rows).transpose(2, 0, 1)


@pytest.mark.parametrize("confusions", [_even(), _skewed()], ids=["even", "skewed"])
def test_percentiles_and_bca_agree_with_scipy_resampling_cluster_indices(confusions):
    n_episodes, n_classes, _ = confusions.shape
    ours = _interval(confusions, n_resamples=20_000)

    def statistic(index, axis=-1):
        return macro_f1_stack(confusions[index].sum(axis=-3), np.ones(n_classes, dtype=bool))

    for method, low, high in (
        ("percentile", ours.low, ours.high),
        ("BCa", ours.bca_low, ours.bca_high),
    ):
        theirs = scipy_bootstrap(
            (np.arange(n_episodes),),
            statistic,
            n_resamples=20_000,
            batch=1000,
            method=method,
            confidence_level=expanded_level(0.95, n_episodes),
            rng=np.random.default_rng(9),
        )
        assert low == pytest.approx(theirs.confidence_interval.low, abs=0.006)
        assert high == pytest.approx(theirs.confidence_interval.high, abs=0.006)
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=0.08)


def test_bca_moves_the_interval_of_a_skewed_value():
    ours = _interval(_skewed(), n_resamples=20_000)
    assert ours.low - ours.bca_low > 0.02


def test_design_effect_is_large_where_episodes_differ_and_one_where_they_do_not():
    clustered, independent = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        for found, spread in ((clustered, 0.3), (independent, 0.0)):
            truth, predicted, cluster = _windows(rng, n_episodes=80, n_windows=30, spread=spread)
            confusions = cluster_confusions(truth, predicted, cluster, 80, 3)
            found.append(_interval(confusions, n_resamples=50).design_effect)
    assert np.mean(clustered) > 4.0
    assert np.mean(independent) == pytest.approx(1.0, abs=0.2)


def test_the_methods_agree_on_even_episodes_and_a_disagreement_is_named():
    assert _interval(_even(), n_resamples=4000).disagreement is None
    one_goes_wrong = _skewed()[3:]
    one_goes_wrong[0] *= 3
    found = _interval(one_goes_wrong, n_resamples=4000)
    assert "of the BCa interval" in found.disagreement
    assert "from the percentile interval's" in found.disagreement


def test_few_clusters_widen_the_interval_as_student_does():
    assert expanded_level(0.95, 2) == pytest.approx(1.0)
    tail = (1.0 - expanded_level(0.9, 12)) / 2
    normal, student = stats.norm.ppf(1 - tail), stats.t.ppf(0.95, 11)
    assert normal == pytest.approx(student * np.sqrt(12 / 11))
    assert expanded_level(0.95, 10**6) == pytest.approx(0.95, abs=1e-5)


def test_lost_classes_are_redrawn_and_counted():
    confusions = np.zeros((10, 2, 2), dtype=np.int64)
    confusions[:, 0, 0] = 5
    confusions[0] = [[0, 0], [1, 4]]
    drawn = resample(confusions[:, None], BootstrapConfig(n_resamples=500, seed=3))
    assert (drawn.confusions_BMKK[:, 0].sum(axis=-1) > 0).all()
    # Without redrawing, (9/10)^10 = 35 % of the draws lose class 1: 0.35 / 0.65 redraws for each.
    assert drawn.n_redrawn == pytest.approx(500 * 0.535, rel=0.25)
    assert drawn.n_dropped == 0
    interval = _interval(confusions)
    assert interval.n_redrawn > 0
    assert interval.degenerate_share == pytest.approx(0.9**10, abs=0.08)
    assert "one episode only" in interval.caution
    assert interval.bca_low is None
    assert "jackknife" in interval.bca_fallback


def test_no_interval_where_resamples_cannot_keep_every_class():
    # Each of 12 classes in an episode of its own: 12!/12^12 = 5e-5 of the draws keep them all.
    confusions = np.zeros((12, 12, 12), dtype=np.int64)
    confusions[np.arange(12), np.arange(12), np.arange(12)] = 3
    interval = _interval(confusions, n_resamples=100)
    assert interval.point == 1.0
    assert interval.low is None
    assert "resamples lost a class" in interval.reason


@pytest.mark.parametrize("n_episodes", [0, 1])
def test_fewer_than_two_episodes_have_no_interval_but_a_reason(n_episodes):
    confusions = np.full((n_episodes, 3, 3), 2, dtype=np.int64)
    interval = _interval(confusions)
    assert interval.low is None
    assert interval.high is None
    assert interval.reason
    assert (interval.point is None) == (n_episodes == 0)


def test_bca_falls_back_where_nothing_varies():
    confusions = np.tile(np.diag([3, 4]), (25, 1, 1))
    interval = _interval(confusions)
    assert (interval.low, interval.high) == (1.0, 1.0)
    assert interval.bca_fallback == "no episode changes the value"


def test_same_seed_same_interval_and_another_seed_another():
    confusions = np.random.default_rng(4).integers(0, 6, (20, 4, 4))
    assert _interval(confusions) == _interval(confusions)
    assert _interval(confusions) != _interval(confusions, seed=2)


def test_models_resampled_apart_are_still_paired():
    rng = np.random.default_rng(5)
    truth, predicted, cluster = _windows(rng)
    first = cluster_confusions(truth, predicted, cluster, 30, 3)
    second = cluster_confusions(truth, rng.permutation(predicted), cluster, 30, 3)
    config = BootstrapConfig(n_resamples=50, seed=1)
    together = resample(np.stack([first, second], axis=1), config).confusions_BMKK
    apart = [resample(one[:, None], config).confusions_BMKK[:, 0] for one in (first, second)]
    assert np.array_equal(together, np.stack(apart, axis=1))


def test_models_with_different_truth_are_refused():
    confusions = np.random.default_rng(0).integers(0, 5, (6, 2, 3, 3))
    with pytest.raises(ValueError, match="cannot be paired"):
        resample(confusions, BootstrapConfig(n_resamples=10))


def test_class_of_a_contrast_without_support_is_untested():
    confusions = np.zeros((4, 1, 3, 3), dtype=np.int64)
    confusions[:, 0, 0, 0] = 2
    config = BootstrapConfig(n_resamples=10)
    interval = contrast_interval(
        confusions,
        Contrast(weights_M=(1.0,), classes_K=np.array([False, True, False])),
        resample(confusions, config),
        config=config,
        size=_size(4),
    )
    assert interval.point is None
    assert interval.reason == "no windows of this class"


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10_000))
def test_intervals_hold_together(n_episodes, seed):
    confusions = np.random.default_rng(seed).integers(0, 4, (n_episodes, 3, 3))
    interval = _interval(confusions, n_resamples=60)
    if interval.low is None:
        assert interval.reason
        return
    assert 0.0 <= interval.low <= interval.high <= 1.0
    assert interval.n_resamples <= 60
    assert (interval.bca_low is None) == (interval.bca_fallback is not None)
    assert interval.design_effect is None or interval.design_effect >= 0


def test_two_thousand_resamples_of_a_thousand_episodes_take_well_under_a_second():
    confusions = np.random.default_rng(0).integers(0, 10, (1000, 5, 5))
    _interval(confusions)
    started = time.perf_counter()
    _interval(confusions, n_resamples=2000)
    assert time.perf_counter() - started < 1.0


@pytest.mark.parametrize("values", [{"n_resamples": 0}, {"level": 1.0}])
def test_senseless_parameters_are_refused(values):
    with pytest.raises(ValueError, match="n_resamples"):
        BootstrapConfig(**values)
