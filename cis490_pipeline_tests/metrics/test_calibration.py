"""Calibration measures against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from cis490_pipeline.metrics.calibration import brier, ece, log_loss


@pytest.fixture
def scored(request):
    rng = np.random.default_rng(3)
    return rng.integers(0, 5, 400), rng.dirichlet(np.ones(5), 400)


def test_brier_equals_sklearn(scored):
    truth, proba = scored
    theirs = brier_score_loss(truth, proba, labels=np.arange(5), scale_by_half=False)
    assert brier(truth, proba) == pytest.approx(theirs)


def test_log_loss_equals_sklearn(scored):
    truth, proba = scored
    assert log_loss(truth, proba) == pytest.approx(sklearn_log_loss(truth, proba, labels=range(5)))


def test_certain_and_wrong_has_a_finite_log_loss():
    assert log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(34.539, abs=1e-3)


def test_ece_equals_a_loop_over_bins(scored):
    truth, proba = scored
    top, right = proba.max(axis=1), proba.argmax(axis=1) == truth
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (top >= low) & (top < low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - top[inside].mean())
    assert ece(truth, proba) == pytest.approx(expected)


def test_too_sure_and_too_modest_do_not_cancel():
    truth = np.array([0, 1, 0, 0])
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    # Two windows at 0.9 of which half are right, two at 0.6 that both are: 0.4 off each.
    assert ece(truth, proba) == pytest.approx(0.4)


def test_perfect_and_certain_predictions_have_no_error():
    truth = np.array([0, 1, 2])
    proba = np.eye(3)
    assert brier(truth, proba) == 0.0
    assert ece(truth, proba) == 0.0
    assert log_loss(truth, proba) == 0.0


def test_no_cases_have_no_calibration():
    none, proba = np.array([], dtype=np.int64), np.zeros((0, 5))
    assert brier(none, proba) is None
    assert ece(none, proba) is None
    assert log_loss(none, proba) is None
