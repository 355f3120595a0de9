"""Figures beside macro F1: null with a reason where something they need is not there."""

from cis490_pipeline.evaluation.measures import NO_BASIS, measures_of
from cis490_pipeline.evaluation.scores import evaluation_from_json, evaluation_to_json
from cis490_pipeline_tests.evaluation.made_up import FAST, evaluations_of, key_of, rows
from cis490_pipeline_tests.evaluation.watched import (
    CLEAN,
    INFECTING,
    Watched,
    basis,
    predictions,
    rule,
)

INFECTED = Watched(
    phases=(CLEAN,) * 4 + (INFECTING,) * 4, scores=(0.1,) * 4 + (0.9,) * 4, onset_s=21.0
)


def measured(*watched, alarm=None):
    return measures_of(predictions(*watched), basis(*watched, alarm=alarm), FAST)


def test_the_alarm_of_the_bundle_stands_beside_its_figures():
    found = measured(*[INFECTED] * 4).detection
    assert found.reason is None
    assert found.alarm == rule()
    assert found.found.n_detected == 4
    assert len(found.base_rates) == 3


def test_a_bundle_without_a_threshold_has_no_detection_and_says_why():
    found = measured(INFECTED, alarm=rule(None)).detection
    assert found.reason == "the bundle has no alarm: nothing to choose it on"
    assert found.alarm == rule(None)
    assert found.found is found.false_alarms is None
    assert found.base_rates == ()


def test_predictions_alone_have_no_detection_and_say_why():
    (evaluation,) = evaluations_of(rows(key_of("gbt"), skill=0.6), [key_of("gbt")])
    assert evaluation.measures.detection.reason == NO_BASIS
    assert evaluation_from_json(evaluation_to_json(evaluation), where="x") == evaluation
