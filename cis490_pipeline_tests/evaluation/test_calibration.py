"""Calibration with intervals: the points of the plain functions, ends of a slow bootstrap."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.calibration import calibration_scores
from cis490_pipeline.evaluation.predictions import TEST, predictions_of
from cis490_pipeline.evaluation.replicates import episode_weights
from cis490_pipeline.metrics.calibration import brier, ece, log_loss
from cis490_pipeline_tests.evaluation.made_up import FAST, key_of, rows

KEY = key_of("gbt")
FUNCTIONS = {
    "brier": brier,
    "ece": ece,
    "log_loss": log_loss,
    "accuracy": lambda truth, proba: float((proba.argmax(axis=1) == truth).mean()),
}


def made(**options):
    return predictions_of(rows(KEY, skill=0.6, **options), key=KEY, role=TEST)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_points_and_ends_equal_the_metric_on_copied_episodes(name):
    found = made(n_episodes=25, n_windows=12)
    config = BootstrapConfig(n_resamples=60, seed=3)
    interval = getattr(calibration_scores(found, config), name)
    function = FUNCTIONS[name]
    assert interval.point == pytest.approx(function(found.y_true_N, found.proba_NK))
    values = []
    for weight_E in np.concatenate(list(episode_weights(25, config))):
        copies = np.repeat(np.arange(found.cluster_N.size), weight_E[found.cluster_N].astype(int))
        values.append(function(found.y_true_N[copies], found.proba_NK[copies]))
    student = stats.t.ppf(0.975, 24) * np.sqrt(25 / 24)
    low, high = np.quantile(values, stats.norm.cdf([-student, student]))
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_an_even_figure_has_methods_that_agree_and_one_bad_episode_is_told():
    even = calibration_scores(made(n_episodes=60, n_windows=12), FAST).brier
    assert even.disagreement is None
    table = rows(KEY, skill=1.0, n_episodes=25, n_windows=12)
    bad = (
        pa.array(table["episode_id"]).to_numpy(zero_copy_only=False)
        == table["episode_id"][0].as_py()
    )
    phase = np.where(bad, (table["phase"].to_numpy() + 1) % 5, table["phase"].to_numpy())
    place = table.schema.get_field_index("phase")
    table = table.set_column(place, table.schema.field(place), pa.array(phase, table["phase"].type))
    uneven = calibration_scores(predictions_of(table, key=KEY, role=TEST), FAST).log_loss
    assert "interval is" in uneven.disagreement
    assert "from the percentile interval's" in uneven.disagreement


def test_the_jackknife_stands_beside_the_percentiles():
    found = made(n_episodes=25, n_windows=12)
    interval = calibration_scores(found, FAST).brier
    whole = []
    for left_out in range(25):
        kept = found.cluster_N != left_out
        whole.append(brier(found.y_true_N[kept], found.proba_NK[kept]))
    expected = np.sqrt(24 / 25 * ((whole - np.mean(whole)) ** 2).sum())
    assert interval.standard_error == pytest.approx(expected)
    assert interval.bca_low < interval.point < interval.bca_high
    each = ((found.proba_NK - np.eye(5)[found.y_true_N]) ** 2).sum(axis=1)
    assert interval.design_effect == pytest.approx(expected**2 / (each.var() / each.size))


def test_bins_are_a_reliability_diagram():
    found = made(n_episodes=25, n_windows=12)
    bins = calibration_scores(found, FAST).bins
    top, right = found.proba_NK.max(axis=1), found.predicted() == found.y_true_N
    assert sum(one.n_windows for one in bins) == found.y_true_N.size
    for one in bins:
        inside = (top >= one.low) & (top < one.high)
        assert one.n_windows == inside.sum()
        assert one.n_episodes == np.unique(found.cluster_N[inside]).size
        if inside.any():
            assert one.mean_probability == pytest.approx(top[inside].mean())
            assert one.accuracy == pytest.approx(right[inside].mean())
        else:
            assert one.mean_probability is one.accuracy is one.accuracy_low is None
    whole = sum(
        one.n_windows * abs(one.accuracy - one.mean_probability) for one in bins if one.n_windows
    )
    assert calibration_scores(found, FAST).ece.point == pytest.approx(whole / found.y_true_N.size)


def test_ece_says_that_it_lies_too_high():
    scores = calibration_scores(made(), FAST)
    assert "too high" in scores.ece.caution
    assert scores.brier.caution is None
    few = calibration_scores(made(n_episodes=5), FAST)
    assert "fewer than 20 episodes" in few.ece.caution
    assert "fewer than 20 episodes" in few.brier.caution


def test_without_labelled_windows_everything_is_null_with_a_reason():
    table = rows(KEY, skill=0.6, n_episodes=2)
    place = table.schema.get_field_index("phase")
    table = table.set_column(
        place, table.schema.field(place), pa.array([-1] * table.num_rows, pa.int8())
    )
    scores = calibration_scores(predictions_of(table, key=KEY, role=TEST), FAST)
    for one in (scores.accuracy, scores.brier, scores.ece, scores.log_loss):
        assert one.point is None
        assert one.reason
    assert scores.bins == ()
