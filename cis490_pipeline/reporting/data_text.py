"""Sentences and short texts of the data card, the same on the page and in Markdown.

Not here: the page (``data_page``), the Markdown (``data_card``).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cis490_pipeline.quality.alerts import Alert
from cis490_pipeline.quality.clocks import SourceClock
from cis490_pipeline.reporting.data_facts import DataFacts
from cis490_pipeline.splits.config import TRAINABLE_STATUSES

NO_PROFILE: Final = "(unknown)"
"""The profile of episodes that could not be opened or name none."""
ALERTS_SHOWN: Final = 20


def gap_sentences(facts: DataFacts) -> tuple[str, ...]:
    """Return, per host, the profiles that train on other hosts and not on it.

    A model tested on the host says nothing about them.
    """
    trained = {
        (cell.host_id, cell.profile)
        for cell in facts.cells
        if cell.status in TRAINABLE_STATUSES and cell.profile
    }
    profiles = sorted({profile for _, profile in trained})
    found: list[str] = []
    for host in facts.hosts:
        absent = [profile for profile in profiles if (host.host_id, profile) not in trained]
        if absent:
            found.append(f"{host.host_id} has no {', no '.join(absent)}")
    return tuple(found)


def data_sentence(facts: DataFacts) -> str:
    """Return the card in one sentence."""
    return (
        f"{facts.n_episodes} episodes and {facts.n_windows} windows of {len(facts.hosts)} "
        f"{_plural('host', len(facts.hosts))} and {len(facts.profiles)} "
        f"{_plural('profile', len(facts.profiles))}"
    )


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def duration(seconds: float) -> str:
    """Return a length of time with two figures that matter.

    >>> duration(12.4), duration(5400), duration(0)
    ('12 s', '1.5 h', '0 s')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def percent(share: float) -> str:
    """Return a share in whole per cent; what is little is not told as nothing.

    >>> percent(0.0), percent(0.004), percent(0.42), percent(0.996)
    ('0', '< 1 %', '42 %', '> 99 %')
    """
    if share == 0.0:
        return "0"
    if share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1.0 else f"{100 * share:.0f} %"


def moment(at_s: float) -> str:
    """Return a UTC time to the minute.

    >>> moment(1795322711.653)
    '2026-11-22 04:45'
    """
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M")


def clock_texts(clock: SourceClock) -> tuple[str, str]:
    """Return by how much a source begins late and ends early: medians, the worst in brackets."""
    return (
        _seconds(clock.median_start_s, clock.worst_start_s),
        _seconds(clock.median_end_s, clock.worst_end_s),
    )


def _seconds(middle: float | None, worst: float | None) -> str:
    return "–" if middle is None or worst is None else f"{middle:.1f} s ({worst:.1f} s)"


def alerts_shown(facts: DataFacts) -> Sequence[Alert]:
    """Return the last alerts of the store, newest first."""
    return facts.alerts.alerts[: -ALERTS_SHOWN - 1 : -1]
