"""Which of the known episodes may take part in a split at all, and a count of those that may not.

Not here: roles (``division``).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.plan import EpisodeFacts

_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """Episodes sorted by id, one per tarball, and sentences on what was left out."""

    episodes: tuple[EpisodeFacts, ...]
    notes: tuple[str, ...]


def eligible_episodes(
    episodes: Sequence[EpisodeFacts], config: SplitConfig, hosts: Collection[str] | None
) -> Eligible:
    """Return the episodes of ``hosts`` (None: all) that hold windows and have a wanted status."""
    here = [e for e in episodes if hosts is None or e.host_id in hosts]
    wanted = [e for e in here if e.status in config.statuses]
    filled = [e for e in wanted if e.n_windows > 0]
    kept = _first_of_each_tarball(filled)
    return Eligible(
        episodes=kept,
        notes=(
            *_notes_on_statuses(here, config),
            *_note_on_empty(len(wanted) - len(filled)),
            *_note_on_copies(filled, kept),
        ),
    )


def ids_listed_twice(episodes: Iterable[EpisodeFacts]) -> tuple[str, ...]:
    """Return the ids that occur more than once, sorted."""
    times = Counter(episode.episode_id for episode in episodes)
    return tuple(sorted(one for one, n in times.items() if n > 1))


def shown(names: Iterable[str]) -> str:
    """Return a sorted list for a sentence, cut after a few names.

    >>> shown(["c", "a", ""]), shown("gfedcba")
    ('(none), a, c', 'a, b, c, d, e and 2 more')
    """
    ordered = [name or "(none)" for name in sorted(set(names))]
    more = len(ordered) - _NAMES_SHOWN
    return ", ".join(ordered[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def counted(n: int, what: str = "episode") -> str:
    """Return a number with its noun.

    >>> counted(1), counted(2)
    ('1 episode', '2 episodes')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _first_of_each_tarball(episodes: Iterable[EpisodeFacts]) -> tuple[EpisodeFacts, ...]:
    # One content under two ids would sit on both sides of a split.
    ordered = sorted(episodes, key=lambda e: e.episode_id)
    first: dict[str, EpisodeFacts] = {}
    for episode in ordered:
        first.setdefault(episode.sha256, episode)
    return tuple(first.values())


def _notes_on_statuses(episodes: Sequence[EpisodeFacts], config: SplitConfig) -> list[str]:
    left_out = Counter(e.status for e in episodes if e.status not in config.statuses)
    taken = ", ".join(config.statuses)
    return [
        f"left out: {counted(n, f'{status} episode')} (the split takes {taken})"
        for status, n in sorted(left_out.items())
    ]


def _note_on_empty(n: int) -> list[str]:
    return [f"left out: {counted(n)} without a window"] if n else []


def _note_on_copies(filled: Sequence[EpisodeFacts], kept: Sequence[EpisodeFacts]) -> list[str]:
    copies = {e.episode_id for e in filled} - {e.episode_id for e in kept}
    if not copies:
        return []
    return [
        f"left out: {counted(len(copies))} whose tarball is already there under an earlier id "
        f"({shown(copies)})"
    ]
