"""Detection rate and time to detect, with censored episodes, equal to a slow count."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.evaluation.alarms import trace_alarm
from cis490_pipeline.evaluation.detection import horizon_of, time_to_detect
from cis490_pipeline.evaluation.replicates import RULE_OF_THREE
from cis490_pipeline_tests.evaluation.made_up import FAST
from cis490_pipeline_tests.evaluation.watched import (
    CLEAN,
    INFECTING,
    Watched,
    courses,
    episodes,
    predictions,
    read_slowly,
    rule,
)
from cis490_pipeline_tests.metrics.test_survival import slow_mean, slow_median, slow_survival


def timed(*watched, config=FAST):
    found, known = predictions(*watched), courses(*watched)
    return time_to_detect(found, known, trace_alarm(found, known, rule()), config)


def test_the_median_has_no_jackknife_and_nothing_disagrees_with_it():
    found = timed(*[infected(delay=1 + i % 4) for i in range(24)]).median_s
    assert found.bca_fallback == "a median jumps: the jackknife says nothing of it"
    assert found.standard_error is None
    assert found.disagreement is None


def test_the_ends_of_the_curve_are_expanded_like_every_interval():
    few = [infected(delay=1 + i % 4) if i % 3 else infected() for i in range(6)]
    (found,) = (one for one in timed(*few).curve if one.t_s == 20.0)
    rng = np.random.default_rng(FAST.seed)
    late = np.array([not i % 3 or 1 + i % 4 > 2 for i in range(6)])
    drawn = 1.0 - late[rng.integers(0, 6, (FAST.n_resamples, 6))].mean(axis=1)
    plain = np.quantile(drawn, [0.025, 0.975])
    assert found.low <= plain[0]
    assert found.high >= plain[1]
    assert found.high - found.low > plain[1] - plain[0]


def infected(*, delay=None, after=8, end_s=None):
    """Onset at 21 s; the alarm is raised ``delay`` windows after the first infected one."""
    scores = [0.1] * (4 + after)
    if delay is not None:
        scores[4 + delay - 1 : 4 + delay + 1] = [0.9, 0.9]
    phases = (CLEAN,) * 4 + (INFECTING,) * after
    return Watched(phases=phases, scores=tuple(scores), onset_s=21.0, end_s=end_s)


CONTROL = Watched(phases=(CLEAN,) * 9, scores=(0.9,) * 9, control=True)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(episodes(), min_size=1, max_size=10))
def test_it_equals_a_slow_count_and_the_textbook_curve(watched):
    found = timed(*watched)
    pairs = [(one, read_slowly(one)) for one in watched if one.onset_s is not None]
    times = [(slow.detected_s or one.course.end_s) - (one.onset_s or 0.0) for one, slow in pairs]
    times = [max(t, 0.0) for t in times]
    events = [slow.detected_s is not None for _, slow in pairs]
    assert (found.n_infected, found.n_detected) == (len(pairs), sum(events))
    assert found.n_falsely_ringing == sum(slow.falsely_ringing for _, slow in pairs)
    if not pairs:
        assert found.rate.point is None
        return
    assert found.rate.point == pytest.approx(sum(events) / len(pairs))
    assert found.mean_s.point == pytest.approx(slow_mean(times, events, found.horizon_s))
    median = slow_median(times, events)
    assert found.median_s.point == (None if np.isinf(median) else pytest.approx(median))
    for point in found.curve:
        expected = 1 - slow_survival(times, events, point.t_s)
        assert point.detected == pytest.approx(expected, abs=1e-12)
        assert point.n_at_risk == sum(t >= point.t_s for t in times)


def test_the_k_windows_are_inside_the_delay():
    # the first infected window ends at 30 s, the second at 35 s: 14 s after the onset at 21 s
    found = timed(*[infected(delay=1)] * 30)
    assert found.median_s.point == 14.0
    assert found.mean_s.point == pytest.approx(14.0)


def test_intervals_hold_over_episodes_and_say_what_they_rest_on():
    found = timed(*[infected(delay=1)] * 15, *[infected(delay=4)] * 10, *[infected()] * 5)
    assert (found.n_detected, found.n_infected) == (25, 30)
    for one in (found.rate, found.mean_s, found.median_s):
        assert one.low <= one.point <= one.high
        assert one.n_episodes == 30
        assert one.condition == "conditional on host lab-b"
    assert found.rate.low < 25 / 30 < found.rate.high
    assert found.rate.bca_low is not None


def test_controls_and_episodes_without_an_infection_are_not_asked_to_be_detected():
    never = Watched(phases=(CLEAN,) * 9, scores=(0.9,) * 9)
    found = timed(infected(delay=1), infected(), CONTROL, never)
    assert found.n_infected == found.rate.n_episodes == 2


def test_without_an_infection_everything_is_null_with_a_reason():
    found = timed(CONTROL, CONTROL)
    for one in (found.rate, found.mean_s, found.median_s):
        assert one.point is None
        assert "no episode with an infection" in one.reason
    assert found.curve == ()


def test_detecting_all_or_none_is_bounded_by_the_rule_of_three():
    everyone = timed(*[infected(delay=1)] * 30).rate
    assert (everyone.point, everyone.high, everyone.method) == (1.0, 1.0, RULE_OF_THREE)
    assert everyone.low == pytest.approx(0.9)
    nobody = timed(*[infected()] * 30).rate
    assert (nobody.point, nobody.low) == (0.0, 0.0)
    assert nobody.high == pytest.approx(0.1)


def test_a_median_that_was_never_reached_is_null_with_a_reason():
    found = timed(*[infected(delay=1)] * 5, *[infected()] * 20)
    assert found.median_s.point is None
    assert found.median_s.reason == "never half are detected"


def test_an_end_that_was_never_reached_is_null_with_a_reason():
    found = timed(*[infected(delay=1)] * 13, *[infected()] * 11)
    assert found.median_s.point == 14.0
    assert found.median_s.low is not None
    assert found.median_s.high is None
    assert "beyond what was watched" in found.median_s.reason


def test_an_episode_that_failed_is_censored_there():
    found = timed(infected(delay=6), infected(delay=6, end_s=44.0))
    assert (found.n_infected, found.n_detected) == (2, 1)
    assert [p.n_at_risk for p in found.curve if p.t_s in {20.0, 25.0}] == [2, 1]


def test_the_horizon_rests_on_no_prediction():
    quick = timed(*[infected(delay=1)] * 4)
    assert quick.horizon_s == timed(*[infected()] * 4).horizon_s == 40.0
    assert horizon_of(np.array([])) == 0.0


def test_one_infected_episode_has_no_interval():
    found = timed(infected(delay=1))
    assert found.mean_s.point is not None
    assert found.mean_s.low is None
    assert "fewer than 2 episodes" in found.mean_s.reason


def test_a_curve_of_none_or_all_does_not_claim_to_know():
    nobody = timed(*[infected()] * 30).curve
    assert {point.detected for point in nobody} == {0.0}
    assert nobody[2].high == pytest.approx(0.1)
    everyone = timed(*[infected(delay=1)] * 30).curve[-1]
    assert (everyone.detected, everyone.n_at_risk) == (1.0, 0)
    assert everyone.low == pytest.approx(0.9)


def test_an_interval_of_no_width_says_that_no_resample_differs():
    found = timed(*[infected(delay=1)] * 30).mean_s
    assert found.low == found.high
    assert "no resample differs" in found.caution
