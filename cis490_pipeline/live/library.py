"""Questions about episodes, answered from what has been received and from the tables.

Called in threads. The list of all episodes is put together again only when something changed.

Not here: HTTP (``app``), searching (``explorer``).
"""

from dataclasses import dataclass
from threading import Lock

from cis490_pipeline.live.explorer import Listing, Page, Query, Row, find, listing_of, row_of
from cis490_pipeline.live.feeders.progress import Progress
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.verdicts import LabelledWindow, Transition, Verdicts, read_course
from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """An episode, its verdict, and where it is accepted its phases."""

    row: Row
    end_s: float | None
    transitions: tuple[Transition, ...]
    windows: tuple[LabelledWindow, ...]


@dataclass(frozen=True, slots=True)
class _Cached:
    version: int
    verdicts: Verdicts
    listing: Listing


class Library:
    """What can be asked of episodes."""

    def __init__(self, holdings: Holdings, progress: Progress, warehouse: Warehouse) -> None:
        self.holdings = holdings
        self._progress = progress
        self._warehouse = warehouse
        self._cached: _Cached | None = None
        self._lock = Lock()

    def find(self, query: Query) -> Page:
        """Return a page of the table."""
        return find(self._listing(), query)

    def _listing(self) -> Listing:
        # Versions are read before what they are of: a listing is never older than it is said to be.
        version, verdicts = self.holdings.version, self._progress.verdicts
        with self._lock:
            cached = self._cached
            if cached and cached.version == version and cached.verdicts is verdicts:
                return cached.listing
            listing = listing_of(self.holdings.episodes(), verdicts.judged)
            self._cached = _Cached(version, verdicts, listing)
            return listing

    def one(self, episode_id: EpisodeId) -> Details | None:
        """Return an episode; None where it was never received."""
        episode = self.holdings.episode(episode_id)
        if episode is None:
            return None
        course = read_course(self._warehouse, episode)
        return Details(
            row=row_of(episode, self._progress.verdicts.judged.get(episode_id)),
            end_s=course.end_s,
            transitions=course.transitions,
            windows=course.windows,
        )
