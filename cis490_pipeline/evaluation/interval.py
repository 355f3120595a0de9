"""An interval and everything that must stand beside it.

Not here: how it is computed (``bootstrap``).
"""

from dataclasses import dataclass
from typing import Final

PERCENTILE: Final = "episode bootstrap, expanded percentile"
HOSTS_AND_EPISODES: Final = "bootstrap of hosts and of episodes within them, expanded percentile"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """What a figure rests on, and what it is conditional on."""

    n_hosts: int
    n_samples: int
    n_episodes: int
    n_windows: int
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsInterval:
    """The interval of the same statistic with hosts as a second random factor.

    ``reason`` says why ``low`` and ``high`` are None. ``n_redrawn`` draws lost a class.
    """

    low: float | None = None
    high: float | None = None
    method: str = HOSTS_AND_EPISODES
    reason: str | None = None
    n_resamples: int = 0
    n_redrawn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A statistic with a confidence interval over episodes.

    Attributes
    ----------
    point
        The statistic on all episodes; None where it is untested.
    low, high
        Percentile interval; None where no honest interval exists.
    reason
        Why ``point``, ``low`` or ``high`` is None; None where nothing is missing.
    caution
        A sentence on why the interval is likely too narrow; None where nothing is known.
    n_resamples
        Resamples that the interval rests on (dropped ones not counted).
    n_redrawn
        Draws that were thrown away because a class with support was lost.
    bca_low, bca_high, bca_fallback
        Bias-corrected and accelerated interval, or why there is none.
    degenerate_share
        Those and the dropped ones as a part of all draws.
    standard_error
        Cluster-robust (sandwich) standard error: an independent check on the interval's width.
    disagreement
        Where the percentile, BCa and sandwich intervals lie apart; None where they agree.
    design_effect
        Variance over episodes divided by the variance if windows were independent.
    condition
        What the interval does not speak about, e.g. ``conditional on host lab-b``.
    across_hosts
        The interval that speaks about other hosts as well, or why there is none; None for figures
        of which it is not asked (classes, profiles, hosts).
    """

    point: float | None
    low: float | None = None
    high: float | None = None
    level: float
    method: str = PERCENTILE
    reason: str | None = None
    caution: str | None = None
    n_resamples: int = 0
    n_redrawn: int = 0
    degenerate_share: float | None = None
    bca_low: float | None = None
    bca_high: float | None = None
    bca_fallback: str | None = None
    standard_error: float | None = None
    disagreement: str | None = None
    design_effect: float | None = None
    n_hosts: int
    n_samples: int
    n_episodes: int
    n_windows: int
    condition: str
    across_hosts: HostsInterval | None = None


def condition_on(hosts: tuple[str, ...]) -> str:
    """Say what an interval over episodes is conditional on.

    >>> condition_on(("lab-b",))
    'conditional on host lab-b'
    >>> condition_on(("lab-a", "lab-b"))
    'conditional on hosts lab-a, lab-b'
    """
    if not hosts:
        return "no host"
    return f"conditional on host{'s' if len(hosts) > 1 else ''} {', '.join(hosts)}"


def without_interval(
    reason: str, *, size: SampleSize, level: float, point: float | None = None
) -> Interval:
    """Return a statistic that has no interval, with the reason."""
    return Interval(
        point=point,
        level=level,
        reason=reason,
        n_hosts=size.n_hosts,
        n_samples=size.n_samples,
        n_episodes=size.n_episodes,
        n_windows=size.n_windows,
        condition=size.condition,
    )
