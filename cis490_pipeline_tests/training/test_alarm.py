"""The alarm threshold keeps the budget of false alarms on id_val, with episodes as the unit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmState
from cis490_pipeline.edge.header import FORMAT_VERSION
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.gbt import GBT
from cis490_pipeline.orchestration.config import ModelConfig
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.training.alarm import alarm_policy, fit_alarm
from cis490_pipeline_tests.conformance.factory import request_for, run_job

CLEAN, ARMED, INFECTING, RUNNING, DORMANT = range(5)


def _cases(*episodes):
    """Return windows of episodes, each a list of phases, from window 0 on."""
    return Cases(
        y_N=np.concatenate([np.array(one) for one in episodes]).astype(np.int64),
        cluster_N=np.repeat(np.arange(len(episodes)), [len(one) for one in episodes]),
        t_center_s_N=np.concatenate([5.0 + 5.0 * np.arange(len(one)) for one in episodes]),
        summary_NF=None,
        sequences=None,
        n_classes=5,
    )


def _saying(scores):
    """Return probabilities with these scores."""
    score_N = np.asarray(scores, dtype=np.float64)
    rest = np.repeat(score_N[:, None] / 4, 4, axis=1)
    return np.concatenate([1 - score_N[:, None], rest], axis=1)


def _false_alarms(rule, p_NK, cases):
    """Count episodes in which a device would ring in a clean window before onset."""
    false = 0
    for episode in np.unique(cases.cluster_N):
        state, rang, infected = AlarmState(rule), False, False
        for i in np.flatnonzero(cases.cluster_N == episode):
            infected |= cases.y_N[i] >= INFECTING
            window = round((cases.t_center_s_N[i] - 5) / 5)
            rings = state.update(window, 1 - p_NK[i, CLEAN])
            rang |= rings and cases.y_N[i] == CLEAN and not infected
        false += rang
    return false


def test_the_threshold_lies_above_the_second_best_clean_window_and_below_the_infection():
    cases = _cases([CLEAN] * 4 + [INFECTING] * 2)
    rule = fit_alarm(_saying([0.1, 0.7, 0.5, 0.2, 0.8, 0.9]), cases, AlarmPolicy())
    # two of three: 0.7 alone rings nothing, 0.7 and 0.5 ring below 0.5; the next score is 0.7
    assert rule.threshold == pytest.approx(0.6)
    assert (rule.n_episodes, rule.n_false, rule.reason) == (1, 0, "")
    assert rule.clean_s == 15.0  # the first window alone cannot ring


def test_armed_windows_and_clean_ones_after_the_infection_are_in_neither():
    cases = _cases([CLEAN, CLEAN, ARMED, ARMED, DORMANT, CLEAN, CLEAN])
    rule = fit_alarm(_saying([0.1, 0.2, 0.9, 0.9, 0.9, 0.95, 0.95]), cases, AlarmPolicy())
    assert rule.threshold is not None
    assert 0.1 < rule.threshold < 0.9


def test_the_budget_is_a_share_of_episodes():
    loud = [0.8, 0.8, 0.8]
    cases = _cases(*[[CLEAN] * 3] * 10)
    p_NK = _saying(loud + [0.1, 0.1, 0.1] * 9)
    strict = fit_alarm(p_NK, cases, AlarmPolicy(budget=0.05))
    lenient = fit_alarm(p_NK, cases, AlarmPolicy(budget=0.1))
    assert (strict.n_false, lenient.n_false) == (0, 1)
    assert strict.threshold is not None
    assert lenient.threshold is not None
    assert strict.threshold > 0.8 > lenient.threshold > 0.1


def test_id_val_without_clean_windows_gives_none_and_the_reason():
    for phases in ([ARMED, INFECTING, RUNNING], [CLEAN, INFECTING, RUNNING]):
        rule = fit_alarm(_saying([0.1, 0.5, 0.9]), _cases(phases), AlarmPolicy())
        assert rule.threshold is None
        assert "no id_val episode has 2 windows within 3" in rule.reason


def test_a_model_that_is_always_sure_of_an_infection_never_rings():
    cases = _cases([CLEAN] * 4, [CLEAN, CLEAN, INFECTING])
    rule = fit_alarm(_saying([1.0] * 7), cases, AlarmPolicy())
    assert (rule.threshold, rule.n_false) == (1.0, 0)


def test_the_order_of_the_cases_does_not_matter():
    cases = _cases([CLEAN] * 5 + [INFECTING], [CLEAN] * 3)
    p_NK = _saying([0.1, 0.6, 0.5, 0.2, 0.4, 0.9, 0.3, 0.35, 0.1])
    order = np.random.default_rng(0).permutation(9)
    mixed = replace(
        cases,
        y_N=cases.y_N[order],
        cluster_N=cases.cluster_N[order],
        t_center_s_N=cases.t_center_s_N[order],
    )
    assert fit_alarm(p_NK[order], mixed, AlarmPolicy()) == fit_alarm(p_NK, cases, AlarmPolicy())


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(0, 2), st.floats(0, 0.9))
def test_a_device_rings_falsely_as_often_as_the_rule_says(seed, k, more, budget):
    generator = np.random.default_rng(seed)
    episodes = [list(generator.integers(0, 5, generator.integers(1, 12))) for _ in range(8)]
    cases = _cases(*[sorted(one)[:-1] + one[-1:] for one in episodes])
    kept = generator.random(cases.n_cases) < 0.9  # windows whose label is no class are absent
    kept[0] = True
    cases = replace(
        cases,
        y_N=cases.y_N[kept],
        cluster_N=cases.cluster_N[kept],
        t_center_s_N=cases.t_center_s_N[kept],
    )
    p_NK = _saying(generator.random(cases.n_cases).round(1))
    rule = fit_alarm(p_NK, cases, AlarmPolicy(k=k, n=k + more, budget=budget))
    if rule.threshold is None:
        assert rule.n_episodes == 0
        return
    assert rule.n_false == _false_alarms(rule, p_NK, cases) <= budget * rule.n_episodes + 1e-9


def test_a_fit_keeps_the_alarm_that_was_asked_for(tmp_path):
    """The threshold is fitted to it, and so it is part of what the bundle is."""
    asked = AlarmPolicy(k=1, n=1, budget=0.5)
    usual = request_for("elapsed_time", Mode.ANY)
    first, second = (run_job(one, tmp_path) for one in (usual, replace(usual, alarm=asked)))
    assert first.identity != second.identity
    headers = [read_header(tmp_path / "models" / one.bundle)[1] for one in (first, second)]
    assert [header.alarm.policy for header in headers] == [AlarmPolicy(), asked]
    assert headers[1].alarm.threshold is not None
    again = run_job(replace(usual, alarm=alarm_policy("2/3", 0.05)), tmp_path)
    assert (again.reused, again.identity) == (True, first.identity), "the usual one, in words"


@pytest.mark.parametrize(
    ("windows", "budget"),
    [("4/3", 0.05), ("0/3", 0.05), ("3", 0.05), ("2/x", 0.05), ("2/3", 1.0), ("2/3", -0.1)],
)
def test_an_alarm_that_cannot_be_is_refused(windows, budget):
    with pytest.raises(ConfigurationError, match="no such alarm") as caught:
        alarm_policy(windows, budget)
    assert windows in caught.value.found
    with pytest.raises(ConfigurationError, match="no such alarm"):
        ModelConfig(alarm=windows, alarm_budget=budget).to_fit_options(GBT, Mode.ORACLE)


def test_a_bundle_carries_its_alarm(tmp_path):
    outcome = run_job(request_for("majority", Mode.ANY), tmp_path)
    _, header = read_header(tmp_path / "models" / outcome.bundle)
    assert header.format_version == FORMAT_VERSION
    assert header.alarm.policy == AlarmPolicy()
    # the slice's episodes have one window of each phase: nothing rings twice before onset
    assert header.alarm.threshold is None
    assert "no id_val episode" in header.alarm.reason
