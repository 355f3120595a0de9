"""The alarm: k positive windows among the last n, whoever decides (device, threshold, evaluation).

Shape suffixes: K classes.

A window's score is ``1 - p(clean)``; it is positive where the score exceeds the threshold. The
verdict on a window exists at its end, so an alarm is raised at the end of the k-th positive one.
Scores are those of the finished prediction, after phase filter and temperature.

Not here: choosing the threshold (``training.alarm``), delays and false alarms (``evaluation``).
"""

from collections import deque
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.phases import PHASES, Phase
from cis490_pipeline.schema.windows import WINDOW_S, window_center_s


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """What an operator asks of the alarm.

    Attributes
    ----------
    k, n
        Positive windows that it takes, among how many neighbouring ones. Two of three: a single
        odd window raises nothing, and one odd window in an infection costs one stride (5 s).
    budget
        Share of the id_val episodes that may raise a false alarm. A share of episodes and not a
        rate per hour: windows of an episode fail together, and id_val is minutes long.

    Raises
    ------
    ValueError
        Where k exceeds n.
    """

    k: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 2
    n: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 3
    budget: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.05

    def __post_init__(self) -> None:
        if self.k > self.n:
            raise ValueError(f"{self.k} positive windows among {self.n}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRule:
    """A policy with the threshold that keeps it on id_val, and what that rests on.

    Attributes
    ----------
    threshold
        None where id_val cannot carry one; then ``reason`` says why, and no alarm is ever raised.
    n_episodes
        Episodes of id_val that could have raised a false alarm.
    n_false
        Those among them that do, at this threshold.
    clean_s
        Seconds before onset in which they could.

    Raises
    ------
    ValueError
        Where there is neither threshold nor reason, or both.
    """

    policy: AlarmPolicy
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    reason: str
    n_episodes: Annotated[int, msgspec.Meta(ge=0)]
    n_false: Annotated[int, msgspec.Meta(ge=0)]
    clean_s: Annotated[float, msgspec.Meta(ge=0)]

    def __post_init__(self) -> None:
        if (self.threshold is None) != bool(self.reason):
            raise ValueError("an alarm has either a threshold or a reason why it has none")


def alarm_score(p_K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``1 - p(clean)`` of probabilities ``[.., K]``.

    >>> alarm_score(np.array([[0.25, 0.75, 0.0, 0.0, 0.0]])).tolist()
    [0.75]
    """
    return 1.0 - p_K[..., PHASES.index(Phase.CLEAN)]


def verdict_s(window: int) -> float:
    """Return when the verdict on a window exists, in seconds since the first label.

    >>> verdict_s(0)
    10.0
    """
    return window_center_s(window) + WINDOW_S / 2


class AlarmState:
    """The alarm on one device: feed it every window's score in order.

    A window that never came is not positive.
    """

    def __init__(self, rule: AlarmRule) -> None:
        self._rule = rule
        self._positive: deque[int] = deque(maxlen=rule.policy.k)
        self._window = -1
        self._raised_s: float | None = None

    @property
    def raised_s(self) -> float | None:
        """When it was first raised, in seconds since the first label; None where it was not."""
        return self._raised_s

    def update(self, window: int, score: float) -> bool:
        """Return whether k of the last n windows are positive.

        Raises
        ------
        ValueError
            Where the window does not come after the one before.
        """
        if window <= self._window:
            raise ValueError(f"window {window} does not come after window {self._window}")
        self._window = window
        policy, threshold = self._rule.policy, self._rule.threshold
        if threshold is not None and score > threshold:
            self._positive.append(window)
        rings = len(self._positive) == policy.k and self._positive[0] > window - policy.n
        if rings and self._raised_s is None:
            self._raised_s = verdict_s(window)
        return rings
