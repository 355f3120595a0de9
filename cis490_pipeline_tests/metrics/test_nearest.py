"""Nearest distances with missing values, against a loop over pairs."""

import math

import numpy as np
import pytest

from cis490_pipeline.metrics.nearest import nearest_distances


def by_pairs(a_QF: np.ndarray, b_RF: np.ndarray, *, leave_one_out: bool) -> list[float]:
    found: list[float] = []
    for q, a in enumerate(a_QF.tolist()):
        distances = []
        for r, b in enumerate(b_RF.tolist()):
            pairs = [(x, y) for x, y in zip(a, b, strict=True) if x == x and y == y]
            if pairs and not (leave_one_out and q == r):
                distances.append(math.sqrt(sum((x - y) ** 2 for x, y in pairs) / len(pairs)))
        found.append(min(distances, default=math.nan))
    return found


@pytest.mark.parametrize("leave_one_out", [False, True])
@pytest.mark.parametrize("n_queries", [1, 7, 300])
def test_it_is_the_lowest_over_all_pairs(n_queries: int, leave_one_out: bool) -> None:
    generator = np.random.default_rng(n_queries)
    a_QF = generator.normal(size=(n_queries, 5))
    a_QF[generator.random(a_QF.shape) < 0.3] = np.nan
    b_RF = a_QF if leave_one_out else generator.normal(size=(20, 5))
    found_Q = nearest_distances(a_QF, b_RF, leave_one_out=leave_one_out)
    np.testing.assert_allclose(
        found_Q, by_pairs(a_QF, b_RF, leave_one_out=leave_one_out), atol=1e-7
    )


def test_nothing_in_common_is_no_distance() -> None:
    alone = nearest_distances(np.array([[1.0, np.nan]]), np.array([[np.nan, 1.0]]))
    assert np.isnan(alone).tolist() == [True]
    assert np.isnan(nearest_distances(np.ones((1, 2)), np.ones((0, 2)))).tolist() == [True]
