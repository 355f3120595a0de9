"""Distances between samples: equal to their definitions, and none where values are missing."""

from itertools import pairwise

import numpy as np
import pytest

from cis490_pipeline.metrics.drift import distance_in_iqr, kolmogorov_smirnov


def _slow_ks(first, second):
    points = np.concatenate([first, second])
    return max(abs((first <= one).mean() - (second <= one).mean()) for one in points)


def _slow_wasserstein(first, second):
    """The area between the two distribution functions, step by step."""
    points = np.sort(np.concatenate([first, second]))
    return sum(
        (right - left) * abs((first <= left).mean() - (second <= left).mean())
        for left, right in pairwise(points)
    )


def test_distances_equal_the_definitions_and_missing_values_are_left_out():
    rng = np.random.default_rng(0)
    reference, other = rng.normal(size=41).round(1), rng.normal(0.7, 2, size=17).round(1)
    gaps = np.full(9, np.nan)
    found = kolmogorov_smirnov(np.append(reference, gaps), np.append(gaps, other))
    assert found is not None
    assert found[0] == pytest.approx(_slow_ks(reference, other))
    low, high = np.quantile(reference, [0.25, 0.75])
    expected = _slow_wasserstein(reference, other) / (high - low)
    assert distance_in_iqr(np.append(reference, gaps), other) == pytest.approx(expected)


def test_neither_distance_knows_the_unit_of_the_channel():
    rng = np.random.default_rng(1)
    reference, other = rng.normal(size=30), rng.normal(1, 1, size=20)
    plain = kolmogorov_smirnov(reference, other), distance_in_iqr(reference, other)
    scaled = reference * 1e9 + 5e9, other * 1e9 + 5e9
    assert kolmogorov_smirnov(*scaled)[0] == pytest.approx(plain[0][0])
    assert distance_in_iqr(*scaled) == pytest.approx(plain[1])


def test_p_is_uniform_enough_where_nothing_drifts():
    rng = np.random.default_rng(2)
    p = [kolmogorov_smirnov(rng.normal(size=24), rng.normal(size=24))[1] for _ in range(600)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 600)
    assert kolmogorov_smirnov(rng.normal(size=24), rng.normal(3, 1, size=24))[1] < 1e-6


@pytest.mark.parametrize("gone", [np.empty(0), np.array([1.0]), np.array([np.nan, np.nan, 2.0])])
def test_fewer_than_two_values_have_no_distance(gone):
    full = np.arange(10.0)
    for pair in ((full, gone), (gone, full)):
        assert kolmogorov_smirnov(*pair) is None
        assert distance_in_iqr(*pair) is None


def test_of_a_reference_that_does_not_vary_there_is_a_ks_distance_and_no_unit():
    still, other = np.full(10, 3.0), np.arange(10.0)
    assert kolmogorov_smirnov(still, other)[0] == pytest.approx(0.6)
    assert distance_in_iqr(still, other) is None
