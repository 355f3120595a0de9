"""Scores by label purity: each window in one range, each range over its own phases."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from cis490_pipeline.evaluation.predictions import TEST, predictions_of
from cis490_pipeline.evaluation.purity import purity_scores
from cis490_pipeline_tests.evaluation.made_up import FAST, key_of, rows

KEY = key_of("gbt")


@pytest.fixture(scope="module")
def made():
    found = predictions_of(rows(KEY, skill=0.6), key=KEY, role=TEST)
    levels = np.array([0.5, 0.6, 0.75, 0.9, 0.99, 1.0, 1.0, 1.0], dtype=np.float32)
    purity_N = levels[np.random.default_rng(0).integers(0, levels.size, found.y_true_N.size)]
    return found, purity_N.astype(np.float64)


def test_each_range_equals_sklearn_on_its_windows(made):
    found, purity_N = made
    scores = purity_scores(found, purity_N, FAST)
    masks = [purity_N < 0.75, (purity_N >= 0.75) & (purity_N < 1), purity_N == 1]
    for one, mask in zip(scores, masks, strict=True):
        truth, predicted = found.y_true_N[mask], found.predicted()[mask]
        assert one.n_windows == one.macro_f1.n_windows == mask.sum() > 0
        assert one.macro_f1.point == pytest.approx(f1_score(truth, predicted, average="macro"))
        assert one.accuracy.point == pytest.approx(accuracy_score(truth, predicted))
        assert one.accuracy.low < one.accuracy.point < one.accuracy.high
    assert [one.purity for one in scores] == ["below 0.75", "0.75 to below 1", "1"]


def test_a_range_without_windows_is_null_with_a_reason(made):
    found, purity_N = made
    low, middle, pure = purity_scores(found, np.ones_like(purity_N), FAST)
    for one in (low, middle):
        assert one.macro_f1.point is one.accuracy.point is None
        assert one.macro_f1.reason == "no window of this purity"
    assert pure.n_windows == found.y_true_N.size


def test_windows_of_unknown_purity_are_in_no_range(made):
    found, purity_N = made
    unknown = np.where(np.arange(purity_N.size) < 7, np.nan, 1.0)
    assert purity_scores(found, unknown, FAST)[2].n_windows == purity_N.size - 7


def test_a_range_names_the_phases_that_it_is_the_mean_of(made):
    found, _ = made
    mixed = np.where(found.y_true_N == 0, 0.5, 1.0)
    low, _, pure = purity_scores(found, mixed, FAST)
    assert low.phases == ("clean",)
    assert "clean" not in pure.phases
    assert len(pure.phases) == 4
