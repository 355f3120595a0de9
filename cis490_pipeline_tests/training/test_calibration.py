"""The temperature improves the log-loss on id_val, within bounds."""

import numpy as np
import pytest

from cis490_pipeline.edge.probabilities import softmax, with_temperature
from cis490_pipeline.training.calibration import fit_temperature


def _loss(p_NK, y_N):
    return -np.log(p_NK[np.arange(y_N.size), y_N]).mean()


def _drawn(temperature):
    generator = np.random.default_rng(0)
    logits_NK = generator.normal(size=(4000, 5)) * 2
    true_NK = softmax(logits_NK)
    y_N = np.array([generator.choice(5, p=row) for row in true_NK])
    return with_temperature(true_NK, 1 / temperature), y_N


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature):
    p_NK, y_N = _drawn(temperature)
    found = fit_temperature(p_NK, y_N)
    assert found == pytest.approx(temperature, rel=0.1)
    assert _loss(with_temperature(p_NK, found), y_N) <= _loss(p_NK, y_N) + 1e-9


def test_the_predicted_class_stays():
    p_NK, y_N = _drawn(3.0)
    tempered_NK = with_temperature(p_NK, fit_temperature(p_NK, y_N))
    np.testing.assert_array_equal(tempered_NK.argmax(axis=1), p_NK.argmax(axis=1))


def test_it_is_bounded_where_everything_is_right_or_certainly_wrong():
    sure = np.array([[1.0, 0.0]] * 3)
    assert fit_temperature(np.array([[0.9, 0.1]] * 3), np.zeros(3, int)) == pytest.approx(0.2)
    assert fit_temperature(sure, np.ones(3, int)) == pytest.approx(10.0)
    assert fit_temperature(sure[:0], np.zeros(0, int)) == 1.0
