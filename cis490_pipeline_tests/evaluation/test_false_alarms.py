"""False alarms and what an alarm is worth where infections are rare, equal to a slow count."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.evaluation.alarms import trace_alarm
from cis490_pipeline.evaluation.base_rates import BASE_RATES, at_base_rates
from cis490_pipeline.evaluation.false_alarms import (
    EXACT_HOURS,
    RULE_OF_THREE_HOURS,
    false_alarms,
)
from cis490_pipeline.evaluation.interval import PERCENTILE
from cis490_pipeline.evaluation.replicates import EXACT
from cis490_pipeline_tests.evaluation.made_up import FAST
from cis490_pipeline_tests.evaluation.watched import (
    ARMED,
    CLEAN,
    INFECTING,
    Watched,
    courses,
    episodes,
    predictions,
    read_slowly,
    rule,
)


def judged(*watched):
    found, known = predictions(*watched), courses(*watched)
    return false_alarms(found, known, trace_alarm(found, known, rule()), FAST)


def worth(*watched):
    found, known = predictions(*watched), courses(*watched)
    return at_base_rates(found, trace_alarm(found, known, rule()), FAST)


def clean(*loud, control=False, windows=10):
    scores = [0.9 if window in loud else 0.1 for window in range(windows)]
    return Watched(phases=(CLEAN,) * windows, scores=tuple(scores), control=control)


def infected(scores):
    phases = (CLEAN,) * 4 + (ARMED,) * 2 + (INFECTING,) * 4
    return Watched(phases=phases, scores=tuple(scores), onset_s=31.0)


QUIET = infected([0.1] * 10)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(episodes(), min_size=1, max_size=10))
def test_counts_equal_a_slow_count(watched):
    found = judged(*watched)
    slow = [read_slowly(one) for one in watched]
    everyone, armed = found.all_episodes, found.armed
    assert everyone.n_alarms == sum(one.false for one in slow)
    assert everyone.n_alarmed == sum(one.false > 0 for one in slow)
    assert everyone.n_episodes == sum(one.could_clean > 0 for one in slow)
    assert everyone.hours == pytest.approx(sum(one.could_clean for one in slow) * 5 / 3600)
    assert armed.n_alarms == sum(one.armed for one in slow)
    assert armed.n_episodes == sum(one.could_armed > 0 for one in slow)
    if everyone.hours and everyone.n_alarms:
        rate = everyone.n_alarms / everyone.hours
        assert found.per_host_hour.point == pytest.approx(rate)
        assert found.per_host_day.point == pytest.approx(24 * rate)


def test_an_alarm_that_falls_silent_and_is_raised_again_is_two():
    found = judged(clean(1, 2, 6, 7), clean(), clean())
    assert (found.all_episodes.n_alarms, found.all_episodes.n_alarmed) == (2, 1)
    assert found.all_episodes.share.point == pytest.approx(1 / 3)


def test_controls_are_counted_among_all_and_apart():
    found = judged(clean(1, 2, control=True), clean(control=True), clean(3, 4), QUIET)
    assert (found.controls.n_alarmed, found.controls.n_episodes) == (1, 2)
    assert (found.all_episodes.n_alarmed, found.all_episodes.n_episodes) == (2, 4)


def test_an_alarm_in_armed_is_in_neither():
    found = judged(infected([0.1] * 3 + [0.9] * 2 + [0.1] * 5), QUIET)
    assert found.all_episodes.n_alarms == 0
    assert (found.armed.n_alarms, found.armed.n_episodes) == (1, 2)


def test_no_false_alarm_is_bounded_by_the_rule_of_three():
    found = judged(*[clean()] * 60)
    share, hourly = found.all_episodes.share, found.per_host_hour
    assert (share.point, share.low, share.high) == (0.0, 0.0, pytest.approx(0.05))
    hours = 60 * 9 * 5 / 3600
    assert (hourly.low, hourly.high) == (0.0, pytest.approx(3 / hours))
    assert hourly.method == RULE_OF_THREE_HOURS
    assert "independently" in hourly.caution
    assert found.per_host_day.high == pytest.approx(72 / hours)


def test_some_false_alarms_have_an_interval_over_episodes():
    found = judged(*[clean(2, 3)] * 6, *[clean()] * 24)
    for one in (found.all_episodes.share, found.per_host_hour):
        assert one.low < one.point < one.high
        assert one.n_episodes == 30


def test_what_could_not_ring_is_null_with_a_reason():
    short = Watched(phases=(CLEAN, INFECTING), scores=(0.9, 0.9), onset_s=9.0)
    found = judged(short, short)
    for one in (found.all_episodes.share, found.per_host_hour, found.controls.share):
        assert one.point is None
        assert one.reason
    assert "control" in found.controls.share.reason


def slow_worth(watched, base_rate):
    """Share of ringing windows that are infected, weighted window by window."""
    rung = {True: 0, False: 0}
    windows = {True: 0, False: 0}
    for one in watched:
        for w, phase in enumerate(one.phases):
            recent = one.scores[max(0, w - 2) : w + 1]
            if phase == ARMED or len(recent) < 2 or 5.0 * w + 10.0 > one.course.end_s:
                continue
            infected_now = phase >= INFECTING
            windows[infected_now] += 1
            rung[infected_now] += sum(score > 0.5 for score in recent) >= 2
    true = base_rate * rung[True] / windows[True]
    false = (1 - base_rate) * rung[False] / windows[False]
    return true / (true + false)


def test_precision_at_a_base_rate_equals_a_slow_count():
    generator = np.random.default_rng(0)
    watched = [infected(generator.random(10).round(1).tolist()) for _ in range(30)]
    found = worth(*watched)
    assert [one.base_rate for one in found] == list(BASE_RATES)
    for one in found:
        assert one.precision.point == pytest.approx(slow_worth(watched, one.base_rate))
        assert one.precision.low < one.precision.point < one.precision.high
    assert found[0].precision.point > found[2].precision.point


def test_a_clean_record_bounds_precision_instead_of_claiming_it():
    found = worth(*[infected([0.1] * 6 + [0.9] * 4)] * 30)[1].precision
    assert (found.point, found.high) == (1.0, 1.0)
    tpr, fpr = 3 / 4, 3 / 30
    assert found.low == pytest.approx(tpr * 1e-3 / (tpr * 1e-3 + fpr * (1 - 1e-3)))
    assert "the bound is all that is known" in found.caution


def test_alarms_a_day_are_false_ones_where_infections_are_rare():
    watched = [clean(2, 3)] * 6 + [clean()] * 24 + [infected([0.1] * 6 + [0.9] * 4)] * 10
    rarest = worth(*watched)[2].alarms_per_host_day
    hours = (30 * 9 + 10 * 3) * 5 / 3600
    assert rarest.point == pytest.approx(24 * 6 / hours, rel=1e-2)
    silent = worth(*[clean()] * 30, QUIET)[2].alarms_per_host_day
    assert silent.high == pytest.approx(0.9999 * 72 / ((30 * 9 + 3) * 5 / 3600))


def test_an_alarm_that_never_rings_has_no_precision():
    found = worth(*[QUIET] * 5)[0]
    assert found.precision.point is None
    assert found.precision.reason == "the alarm rings in no window"
    only_clean = worth(*[clean()] * 5)[0]
    assert "no infected window" in only_clean.precision.reason
    assert only_clean.alarms_per_host_day.point is None


def test_one_false_alarm_never_looks_better_than_none():
    def highs(n_loud):
        found = judged(*[clean(2, 3)] * n_loud, *[clean()] * (64 - n_loud))
        return found.all_episodes.share, found.per_host_hour

    none, one, four, five = (highs(n) for n in (0, 1, 4, 5))
    for before, after in ((none, one), (one, four)):
        assert all(a.high < b.high for a, b in zip(before, after, strict=True))
    assert (one[0].method, one[1].method) == (EXACT, EXACT_HOURS)
    assert five[0].method == five[1].method == PERCENTILE
    assert one[0].low > 0
    assert "independently" in one[1].caution


def test_precision_that_hangs_on_few_episodes_says_so():
    ringing = infected([0.1] * 6 + [0.9] * 4)
    few = worth(ringing, *[clean(2, 3)] * 4, *[clean()] * 30)[0]
    many = worth(ringing, *[clean(2, 3)] * 5, *[clean()] * 30)[0]
    for interval in (few.precision, few.alarms_per_host_day):
        assert "fewer than 5 episodes" in interval.caution
    assert many.precision.caution is many.alarms_per_host_day.caution is None
