"""Ranking figures against scikit-learn, a slow count, and copies in place of weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_curve

from cis490_pipeline.metrics.ranking import rank, ranking_figures

LIMITS = np.array([0.1, 0.01, 0.5])

windows = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), st.booleans(), st.integers(0, 4)),
    min_size=1,
    max_size=30,
)


def figures(score, positive, cluster, weights):
    ranking = rank(np.array(score), np.array(positive), np.array(cluster))
    return ranking_figures(ranking, np.array(weights, dtype=float), LIMITS)


def slow_tpr(score, positive, limit):
    """Try every threshold, and none at all."""
    negatives, positives = (~positive).sum(), positive.sum()
    best = 0.0
    for threshold in set(score.tolist()):
        called = score >= threshold
        if (called & ~positive).sum() <= limit * negatives + 1e-9:
            best = max(best, (called & positive).sum() / positives)
    return best


@settings(derandomize=True, max_examples=150, deadline=None)
@given(windows, st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_a_weight_is_that_many_copies_and_the_figures_are_the_textbooks(drawn, weights):
    score, positive, cluster = map(np.array, zip(*drawn, strict=True))
    copies = np.repeat(np.arange(score.size), np.array(weights)[cluster])
    found = figures(score, positive, cluster, [weights])
    if positive[copies].all() or not positive[copies].any():
        assert np.isnan(found.average_precision_B[0])
        assert np.isnan(found.tpr_BF).all()
        return
    expected = average_precision_score(positive[copies], score[copies])
    assert found.average_precision_B[0] == pytest.approx(expected)
    slow = [slow_tpr(score[copies], positive[copies], limit) for limit in LIMITS]
    assert found.tpr_BF[0] == pytest.approx(slow)


def test_tpr_at_fpr_is_a_point_of_the_roc_curve():
    generator = np.random.default_rng(0)
    positive = generator.random(2000) < 0.3
    score = generator.normal(positive * 1.5, 1.0)
    found = figures(score, positive, np.zeros(2000, dtype=int), [[1.0]])
    fpr, tpr = roc_curve(positive, score, drop_intermediate=False)[:2]
    expected = [max(t for f, t in zip(fpr, tpr, strict=True) if f <= top) for top in LIMITS]
    assert found.tpr_BF[0] == pytest.approx(expected)


def test_equal_scores_are_one_step_whatever_their_order():
    score = np.full(10, 0.5)
    for positive in (np.arange(10) < 4, np.arange(10) >= 6):
        found = figures(score, positive, np.zeros(10, dtype=int), [[1.0]])
        assert found.average_precision_B[0] == pytest.approx(0.4)
        assert found.tpr_BF[0].tolist() == [0.0, 0.0, 0.0]


def test_an_allowance_of_whole_windows_is_not_lost_to_rounding():
    positive = np.array([False] * 30 + [True] * 10)
    score = np.array([0.9] * 3 + [0.1] * 27 + [0.5] * 10)
    found = figures(score, positive, np.zeros(40, dtype=int), [[1.0]])
    assert found.tpr_BF[0, 0] == 1.0  # 0.1 of 30 are the three above


def test_a_missing_score_is_refused():
    with pytest.raises(ValueError, match="cannot be ranked"):
        figures([np.nan, 0.5], [True, False], [0, 0], [[1.0]])
