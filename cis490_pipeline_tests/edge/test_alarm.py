"""An alarm takes k positive windows among the last n, and is raised when the last of them ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmRule, AlarmState, alarm_score


def _rule(k=2, n=3, threshold=0.5):
    return AlarmRule(
        policy=AlarmPolicy(k=k, n=n),
        threshold=threshold,
        reason="" if threshold is not None else "nothing to choose it on",
        n_episodes=1,
        n_false=0,
        clean_s=60.0,
    )


def _raised(windows, rule):
    state = AlarmState(rule)
    for window, score in windows:
        state.update(window, score)
    return state.raised_s


def test_it_is_raised_at_the_end_of_the_second_positive_window():
    scores = [0.1, 0.9, 0.1, 0.9, 0.9]
    assert _raised(enumerate(scores), _rule()) == 25.0  # window 3: centre 20 s, ends at 25 s


def test_one_odd_window_raises_nothing():
    assert _raised(enumerate([0.1, 0.9, 0.1, 0.1, 0.9, 0.1]), _rule()) is None


def test_it_is_raised_once_and_rings_as_long_as_it_lasts():
    state = AlarmState(_rule())
    rings = [state.update(w, score) for w, score in enumerate([0.9, 0.9, 0.1, 0.1, 0.9, 0.9])]
    assert rings == [False, True, True, False, False, True]
    assert state.raised_s == 15.0


def test_a_score_at_the_threshold_is_not_positive():
    assert _raised(enumerate([0.5] * 6), _rule(threshold=0.5)) is None


def test_windows_that_never_came_are_not_positive():
    assert _raised([(0, 0.9), (3, 0.9)], _rule()) is None
    assert _raised([(0, 0.9), (2, 0.9)], _rule()) == 20.0


def test_without_a_threshold_nothing_is_raised():
    assert _raised(enumerate([1.0] * 9), _rule(threshold=None)) is None


def test_windows_must_come_in_order():
    state = AlarmState(_rule())
    state.update(2, 0.9)
    with pytest.raises(ValueError, match="window 2 does not come after window 2"):
        state.update(2, 0.9)


def test_a_rule_without_threshold_says_why():
    with pytest.raises(ValueError, match="reason"):
        AlarmRule(
            policy=AlarmPolicy(), threshold=None, reason="", n_episodes=0, n_false=0, clean_s=0.0
        )
    with pytest.raises(ValueError, match="4 positive windows among 3"):
        AlarmPolicy(k=4, n=3)


def test_the_score_is_everything_but_clean():
    assert alarm_score(np.array([0.3, 0.1, 0.2, 0.2, 0.2])) == pytest.approx(0.7)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.floats(0, 1)), min_size=1, max_size=30),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_it_rings_exactly_where_counting_says_so(steps, k, more):
    windows = np.cumsum([gap for gap, _ in steps]) - 1
    state = AlarmState(_rule(k=k, n=k + more))
    for i, (_, score) in enumerate(steps):
        recent = [
            s
            for w, (_, s) in zip(windows[: i + 1], steps, strict=False)
            if w > windows[i] - k - more
        ]
        assert state.update(int(windows[i]), score) == (sum(s > 0.5 for s in recent) >= k)
