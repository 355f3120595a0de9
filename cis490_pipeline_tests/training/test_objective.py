"""Class weights are fair, bounded and survive absent classes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.models.class_weights import inverse_frequency_weights
from cis490_pipeline.training.objective import weighted_cross_entropy


@settings(max_examples=100, deadline=None)
@given(y=st.lists(st.integers(0, 6), min_size=1, max_size=300))
def test_weights_are_finite_bounded_and_follow_rarity(y):
    y_N = np.array(y)
    weight_K = inverse_frequency_weights(y_N, 7)
    count_K = np.bincount(y_N, minlength=7)
    assert np.all((weight_K >= 0.1) & (weight_K <= 10))
    assert np.all(weight_K[count_K == 0] == 1)
    present = np.flatnonzero(count_K)
    by_count = present[np.argsort(count_K[present], kind="stable")]
    assert np.all(np.diff(weight_K[by_count]) <= 1e-12)


def test_balanced_classes_weigh_one():
    np.testing.assert_allclose(inverse_frequency_weights(np.arange(30) % 5, 5), 1.0)


def test_every_class_has_the_same_total_weight():
    y_N = np.array([0] * 8 + [1] * 4 + [2] * 2)
    total_K = inverse_frequency_weights(y_N, 3) * np.bincount(y_N)
    np.testing.assert_allclose(total_K, total_K[0])


def test_the_loss_is_the_weighted_mean_over_cases():
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    y_B, weight_K = torch.tensor([0, 1]), torch.tensor([1.0, 3.0])
    expected = (np.log1p(np.exp(-2.0)) + 3 * np.log(2)) / 2
    assert float(weighted_cross_entropy(logits, y_B, weight_K, 0.0)) == pytest.approx(expected)
