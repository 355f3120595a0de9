"""The alarm threshold: the lowest one that keeps the budget of false alarms on id_val.

Shape suffixes: N cases, E episodes, K classes, L windows that an alarm looks at.

An episode has a false alarm where the alarm rings in a window labelled ``clean`` before its onset
(its first ``infecting``, ``infected_running`` or ``dormant`` window); ``armed`` is in neither.
Episodes count and not windows: an alarm ends somebody's night once, and the windows of an episode
fail together. With fewer than ``1 / budget`` episodes none may have one.

Not here: the alarm itself (``edge.alarm``); what it is worth on a test set (``evaluation``).
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmRule, alarm_score
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.filtering import windows_of
from cis490_pipeline.schema.phases import PHASES, Phase
from cis490_pipeline.schema.windows import STRIDE_S

_CLEAN: Final = PHASES.index(Phase.CLEAN)
_ONSET: Final = PHASES.index(Phase.INFECTING)
"""From this class on, an episode is infected."""


def alarm_policy(windows: str, budget: float) -> AlarmPolicy:
    """Return the policy that somebody asks for in words.

    Parameters
    ----------
    windows
        ``k/n``: so many positive windows among so many.
    budget
        Share of the id_val episodes that may raise a false alarm.

    Raises
    ------
    ConfigurationError
        Where there is no such policy.

    >>> alarm_policy("2/3", 0.05) == AlarmPolicy()
    True
    """
    try:
        k, n = (int(number) for number in windows.split("/"))
        return msgspec.convert({"k": k, "n": n, "budget": budget}, AlarmPolicy)
    except (ValueError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            "there is no such alarm",
            where="alarm",
            expected="k/n with 1 ≤ k ≤ n ≤ 1000 windows, and a budget from 0 to below 1",
            found=f"{windows}, budget {budget}",
            todo="correct it, for example to 2/3 and 0.05",
        ) from error


def fit_alarm(p_NK: NDArray[np.float64], id_val: Cases, policy: AlarmPolicy) -> AlarmRule:
    """Return the alarm of a model whose finished probabilities on id_val are ``p_NK``.

    Its threshold lies halfway between the score that must not ring and the next one that occurs,
    so that the last digits of another runtime change nothing. It is None where no id_val episode
    could have had a false alarm.
    """
    score_N = alarm_score(p_NK)
    ring_N, negative_N = _rings(score_N, id_val, policy), _negatives(id_val)
    possible_N = negative_N & np.isfinite(ring_N)
    _, episode_N = np.unique(id_val.cluster_N[possible_N], return_inverse=True)
    n_episodes = int(episode_N.max(initial=-1)) + 1
    highest_E = np.full(n_episodes, -np.inf)
    np.maximum.at(highest_E, episode_N, ring_N[possible_N])
    threshold = None if n_episodes == 0 else _threshold(highest_E, score_N, policy.budget)
    return AlarmRule(
        policy=policy,
        threshold=threshold,
        reason="" if threshold is not None else _why_none(policy),
        n_episodes=n_episodes,
        n_false=0 if threshold is None else int((highest_E > threshold).sum()),
        clean_s=STRIDE_S * int(possible_N.sum()),
    )


def _why_none(policy: AlarmPolicy) -> str:
    return (
        f"no id_val episode has {policy.k} windows within {policy.n} that end in a clean one before"
        " onset: nothing says how often it would ring for nothing"
    )


def _threshold(
    highest_E: NDArray[np.float64], score_N: NDArray[np.float64], budget: float
) -> float:
    """Return what all but the episodes of the budget stay at or below."""
    n_allowed = int(budget * highest_E.size + 1e-9)  # 0.1 of 30 is 3, not 2.9999…
    silent = float(np.sort(highest_E)[::-1][n_allowed])
    above_N = score_N[score_N > silent]
    return (silent + float(above_N.min(initial=1.0))) / 2


def _negatives(cases: Cases) -> NDArray[np.bool_]:
    """Return which cases are clean windows before the onset of their episode."""
    window_N = windows_of(cases)
    infected_N = cases.y_N >= _ONSET
    _, episode_N = np.unique(cases.cluster_N, return_inverse=True)
    onset_E = np.full(int(episode_N.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(onset_E, episode_N[infected_N], window_N[infected_N])
    return (cases.y_N == _CLEAN) & (window_N < onset_E[episode_N])


def _rings(score_N: NDArray[np.float64], cases: Cases, policy: AlarmPolicy) -> NDArray[np.float64]:
    """Return the highest threshold below which each window rings: the k-th best of its last n.

    Minus infinity where fewer than k of them exist.
    """
    window_N = windows_of(cases)
    order_N = np.lexsort((window_N, cases.cluster_N))
    cluster_N, window_N, score_N = cases.cluster_N[order_N], window_N[order_N], score_N[order_N]
    last_NL = np.full((score_N.size, policy.n), -np.inf)
    for lag in range(min(policy.n, score_N.size)):
        at, before = slice(lag, None), slice(0, score_N.size - lag)
        near = window_N[at] - window_N[before] < policy.n
        counts = near & (cluster_N[at] == cluster_N[before])
        last_NL[at, lag] = np.where(counts, score_N[before], -np.inf)
    ring_N = np.empty_like(score_N)
    ring_N[order_N] = np.sort(last_NL, axis=1)[:, policy.n - policy.k]
    return ring_N
