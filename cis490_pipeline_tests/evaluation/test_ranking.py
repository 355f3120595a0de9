"""PR-AUC and TPR at FPR over a test set, with intervals over episodes and honest nulls."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from cis490_pipeline.evaluation.ranking import ranking_scores
from cis490_pipeline_tests.evaluation.made_up import FAST
from cis490_pipeline_tests.evaluation.watched import (
    ARMED,
    CLEAN,
    INFECTING,
    Watched,
    predictions,
)


def episodes(n, *, windows=20, seed=0, skill=0.3):
    """Half clean, half infected, one window of ``armed`` in between that is never asked for."""
    generator = np.random.default_rng(seed)
    half = windows // 2
    phases = (CLEAN,) * half + (ARMED,) + (INFECTING,) * half
    made = []
    for _ in range(n):
        level = generator.normal(0, 0.1)
        score = np.clip(0.4 + level + generator.normal(0, 0.2, len(phases)), 0, 1)
        score[half + 1 :] = np.clip(score[half + 1 :] + skill, 0, 1)
        score[half] = 1.0
        made.append(Watched(phases=phases, scores=tuple(score.tolist()), onset_s=5.0 * half + 6))
    return made


def test_average_precision_is_scikit_learns_without_armed():
    found = predictions(*episodes(30))
    asked = found.y_true_N != ARMED
    truth, score = found.y_true_N[asked] >= INFECTING, 1.0 - found.proba_NK[asked, CLEAN]
    scores = ranking_scores(found, FAST)
    average = scores.average_precision
    assert average.point == pytest.approx(average_precision_score(truth, score))
    assert average.low < average.point < average.high
    assert average.bca_low is not None
    assert (scores.n_positive, scores.n_negative, scores.positive_share) == (300, 300, 0.5)
    assert (average.n_episodes, average.n_windows) == (30, 600)


def test_an_fpr_needs_ten_false_positives_to_be_stated():
    scores = ranking_scores(predictions(*episodes(30)), FAST)
    tenth, hundredth, thousandth = scores.at_fpr
    assert (tenth.fpr, hundredth.fpr, thousandth.fpr) == (0.1, 0.01, 0.001)
    assert tenth.tpr.low < tenth.tpr.point < tenth.tpr.high
    assert tenth.lowest_fpr is None
    for one, needed in ((hundredth, "1000"), (thousandth, "10000")):
        assert one.tpr.point is one.tpr.low is None
        assert f"300 clean windows, an FPR of {one.fpr:g} needs {needed}" in one.tpr.reason
        assert one.lowest_fpr == pytest.approx(0.01)


def test_enough_negatives_state_one_in_a_thousand():
    scores = ranking_scores(predictions(*episodes(100, windows=202)), FAST)
    assert scores.n_negative == 10_100
    assert all(one.tpr.point is not None for one in scores.at_fpr)
    points = [one.tpr.point for one in scores.at_fpr]
    assert points == sorted(points, reverse=True)


def test_the_interval_is_over_episodes_and_not_windows():
    # copies of one window's score: an episode says as much as one window
    few = [
        Watched(phases=(CLEAN,) * 10 + (INFECTING,) * 10, scores=(0.3,) * 10 + (level,) * 10)
        for level in np.linspace(0.1, 0.9, 12)
    ]
    more = [
        Watched(phases=(CLEAN, INFECTING), scores=(0.3, level))
        for level in np.linspace(0.1, 0.9, 12)
    ]
    wide = ranking_scores(predictions(*few), FAST).average_precision
    same = ranking_scores(predictions(*more), FAST).average_precision
    assert (wide.low, wide.high) == pytest.approx((same.low, same.high))


def test_without_infected_or_clean_windows_everything_is_null_with_a_reason():
    clean = Watched(phases=(CLEAN,) * 5, scores=(0.1,) * 5)
    infected = Watched(phases=(INFECTING,) * 5, scores=(0.1,) * 5)
    for one, word in ((clean, "no infected window"), (infected, "no clean window")):
        scores = ranking_scores(predictions(one, one), FAST)
        for interval in (scores.average_precision, *(at.tpr for at in scores.at_fpr)):
            assert interval.point is None
            assert word in interval.reason
