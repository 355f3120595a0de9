"""The alarm over a test set: what a device would ring, and which of it is a detection."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.evaluation.alarms import ARMED, CLEAN, trace_alarm
from cis490_pipeline_tests.evaluation.watched import (
    DORMANT,
    INFECTING,
    Watched,
    courses,
    episodes,
    predictions,
    read_slowly,
    rule,
)


def trace(*watched, **policy):
    return trace_alarm(predictions(*watched), courses(*watched), rule(**policy))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(episodes(), min_size=1, max_size=6), st.integers(1, 3), st.integers(0, 2))
def test_every_window_is_as_a_patient_reader_finds_it(watched, k, more):
    found = trace(*watched, k=k, n=k + more)
    cluster_N = predictions(*watched).cluster_N
    phase_N = predictions(*watched).y_true_N
    for i, one in enumerate(watched):
        slow = read_slowly(one, k=k, n=k + more)
        mine = cluster_N == i
        raised_s = found.verdict_s_N[mine & found.raised_N]
        assert tuple(raised_s) == slow.raised_s
        before = mine & found.before_N
        assert (before & found.raised_N & (phase_N == CLEAN)).sum() == slow.false
        assert (before & found.raised_N & (phase_N == ARMED)).sum() == slow.armed
        assert (before & found.could_N & (phase_N == CLEAN)).sum() == slow.could_clean
        assert (before & found.could_N & (phase_N == ARMED)).sum() == slow.could_armed
        detected_s = found.verdict_s_N[mine & found.detects_N]
        assert detected_s.min(initial=np.inf) == (slow.detected_s or np.inf)


def test_one_episode_says_nothing_to_the_next():
    loud = Watched(phases=(CLEAN,) * 4, scores=(0.1, 0.1, 0.1, 0.9))
    found = trace(loud, Watched(phases=(CLEAN,) * 4, scores=(0.9, 0.1, 0.1, 0.1)))
    assert not found.rings_N.any()


def infected(scores, *, armed=0):
    """Six windows before an onset at 31 s, the last of them armed, and four after it."""
    phases = (CLEAN,) * (6 - armed) + (ARMED,) * armed + (INFECTING,) + (DORMANT,) * 3
    return Watched(phases=phases, scores=tuple(scores), onset_s=31.0)


def test_a_false_alarm_that_still_rings_at_onset_detects_nothing_until_it_is_raised_again():
    through = trace(infected([0.1, 0.1] + [0.9] * 8))
    assert through.raised_N.sum() == 1
    assert not through.detects_N.any()
    again = trace(infected([0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9]))
    assert again.verdict_s_N[again.detects_N].tolist() == [45.0, 50.0, 55.0]


def test_an_alarm_that_was_raised_in_armed_and_still_rings_detects_at_the_first_verdict():
    found = trace(infected([0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], armed=3))
    assert found.verdict_s_N[found.raised_N].tolist() == [30.0]
    assert found.verdict_s_N[found.detects_N][0] == 35.0


def test_the_verdict_on_a_window_is_timed_by_its_end_not_its_label():
    # window 5 is labelled clean (centre 30 s), its verdict exists at 35 s, after the onset at 31 s
    found = trace(infected([0.1] * 4 + [0.9, 0.9] + [0.1] * 4))
    assert found.verdict_s_N[found.raised_N].tolist() == [35.0]
    assert found.verdict_s_N[found.detects_N][0] == 35.0
    assert not (found.before_N & found.raised_N).any()


def test_nothing_after_the_end_of_watching_counts():
    one = infected([0.1] * 6 + [0.9] * 4)
    cut = Watched(phases=one.phases, scores=one.scores, onset_s=31.0, end_s=44.0)
    assert trace(one).detects_N.any()
    assert not trace(cut).detects_N.any()
