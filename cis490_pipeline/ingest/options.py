"""How a run works, and what it does for the process that supervises it.

Not here: the run (``run``, ``sweep``), the supervising process (``supervisor``).
"""

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.episode import OpenFailure
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import FileStamp
from cis490_pipeline.ingest.black_box import BlackBox

EPISODES_PER_COMMIT: Final = 100
"""More would hold more in memory; fewer would make more, smaller files."""
VISIT_LIMIT_S: Final = 120.0
"""Far beyond any episode: decompressing up to the archive limit takes seconds."""

Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Report nothing."""


def _nobody_counts(n_new: int) -> None:
    """Take a number that nobody asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condemned:
    """A tarball that kills or hangs the decoder, as it was when that was found out."""

    episode_id: str
    sha256: str
    stamp: FileStamp
    failure: OpenFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What a run does for the process that watches it; nothing where there is none.

    It names in ``box`` what it opens, does not open what is ``condemned`` (by episode id), and
    tells ``on_commit`` the number of episodes of each commit.
    """

    box: BlackBox | None = None
    condemned: Mapping[str, Condemned] = field(default_factory=dict[str, Condemned])
    on_commit: Callable[[int], None] = _nobody_counts

    def opening(self, episode_id: str) -> AbstractContextManager[None]:
        """Return what names the episode while it is opened."""
        return contextlib.nullcontext() if self.box is None else self.box.visiting(episode_id)

    def failure_of(self, entry: IndexEntry, stamp: FileStamp) -> OpenFailure | None:
        """Return why a tarball must not be opened; None once index or file say that it changed."""
        held = self.condemned.get(entry.episode_id)
        if held is None or (held.sha256, held.stamp) != (entry.sha256, stamp):
            return None
        return held.failure


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How a run works; none of it changes a result.

    ``threads`` decode at once; ``limits`` are those of the archive reader. A supervised visit that
    takes longer than ``visit_limit_s`` is a hang.
    """

    threads: int = 1
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    episodes_per_commit: int = EPISODES_PER_COMMIT
    visit_limit_s: float = VISIT_LIMIT_S
    supervision: Supervision = field(default_factory=Supervision)
