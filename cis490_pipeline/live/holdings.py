"""The one reducer: what has been received and reported, and the totals of it.

Everything that is counted on the page comes out of here, whether it was told by a single event or
by a snapshot of everything, so that the two cannot disagree. What is on disk is told again and
again, whole or in parts, in the order of the index; being told twice changes nothing, and of
several rows of one episode the last counts. Nothing is ever un-received: an index that was rotated
away or cut does not take back what it said.

All of this belongs to one thread. Not here: reading (``feeders``), the page's table (``explorer``).
Source: episode format, section *The acceptance gate* (of several rows the last counts).
"""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from cis490_pipeline.live.event_parts import (
    HostEpisodes,
    ReceivedEpisode,
    ReportedAlert,
)
from cis490_pipeline.live.events import (
    ARRIVAL_MINUTES,
    RECENT_ALERTS,
    RECENT_EPISODES,
    Alert,
    Episode,
    Snapshot,
)

_MINUTE_S = 60.0


class Holdings:
    """Episodes by id and alerts by key, both in the order in which they came last."""

    def __init__(self) -> None:
        self._episodes: dict[str, ReceivedEpisode] = {}
        self._alerts: dict[str, ReportedAlert] = {}
        self._host_episodes: Counter[str] = Counter()
        self._host_bytes: Counter[str] = Counter()
        self._total_bytes = 0
        self.version = 0

    def __len__(self) -> int:
        """Return how many episodes there are."""
        return len(self._episodes)

    def episode(self, episode_id: str) -> ReceivedEpisode | None:
        """Return an episode; None where it was never received."""
        return self._episodes.get(episode_id)

    def episodes(self) -> list[ReceivedEpisode]:
        """Return all of them, in the order in which they came."""
        return list(self._episodes.values())

    def receive(self, rows: Iterable[ReceivedEpisode]) -> list[Episode]:
        """Take rows of the index, in its order; return an event for each that tells anything new.

        Of several rows of one episode only the last is looked at.
        """
        last = {row.episode_id: row for row in rows}
        return [self._received(row) for row in last.values() if self._is_news(row)]

    def receive_unknown(self, rows: Iterable[ReceivedEpisode]) -> list[Episode]:
        """Take rows that say less than the index does: of episodes that it does not have."""
        return self.receive(row for row in rows if row.episode_id not in self._episodes)

    def _is_news(self, row: ReceivedEpisode) -> bool:
        known = self._episodes.get(row.episode_id)
        return known is None or (known.host_id, known.sha256, known.size_bytes) != (
            row.host_id,
            row.sha256,
            row.size_bytes,
        )

    def _received(self, row: ReceivedEpisode) -> Episode:
        before = self._episodes.pop(row.episode_id, None)
        if before is not None:
            self._count(before, -1)
        self._episodes[row.episode_id] = row
        self._count(row, 1)
        self.version += 1
        return Episode(
            episode_id=row.episode_id,
            host_id=row.host_id,
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            received_at=row.received_at,
            moved_from=self._moved_from(before, row),
            host_episodes=self._host_episodes[row.host_id],
            total_episodes=len(self._episodes),
            total_bytes=self._total_bytes,
        )

    def _moved_from(
        self, before: ReceivedEpisode | None, row: ReceivedEpisode
    ) -> HostEpisodes | None:
        if before is None or before.host_id == row.host_id:
            return None
        return HostEpisodes(host_id=before.host_id, episodes=self._host_episodes[before.host_id])

    def _count(self, row: ReceivedEpisode, sign: int) -> None:
        self._host_episodes[row.host_id] += sign
        self._host_bytes[row.host_id] += sign * row.size_bytes
        self._total_bytes += sign * row.size_bytes
        if not self._host_episodes[row.host_id]:
            del self._host_episodes[row.host_id], self._host_bytes[row.host_id]

    def report(self, alerts: Iterable[ReportedAlert]) -> list[Alert]:
        """Take alerts in the file's order; return an event for each whose key is new."""
        found: list[Alert] = []
        for one in alerts:
            if one.dedup_key not in self._alerts:
                self._alerts[one.dedup_key] = one
                found.append(_event(one, len(self._alerts)))
        return found

    def snapshot(self, now: float, *, index_damage: int, bytes_behind: int) -> Snapshot:
        """Return how everything is."""
        return Snapshot(
            total_episodes=len(self._episodes),
            total_alerts=len(self._alerts),
            total_bytes=self._total_bytes,
            host_counts=dict(sorted(self._host_episodes.items())),
            host_bytes=dict(sorted(self._host_bytes.items())),
            recent_episodes=tuple(islice(reversed(self._episodes.values()), RECENT_EPISODES)),
            recent_alerts=tuple(islice(reversed(self._alerts.values()), RECENT_ALERTS)),
            arrivals=self._arrivals(now),
            index_damage=index_damage,
            bytes_behind=bytes_behind,
        )

    def _arrivals(self, now: float) -> tuple[int, ...]:
        """Return how many came in each of the last minutes, the oldest first.

        Looked at from the newest on, up to the first one that is older by twice that time: clocks
        of receivers differ, but the order of the index is that of arrival.
        """
        counts = [0] * ARRIVAL_MINUTES
        for one in reversed(self._episodes.values()):
            if one.received_at is None:
                continue
            minutes_ago = int((now - one.received_at) // _MINUTE_S)
            if minutes_ago >= 2 * ARRIVAL_MINUTES:
                break
            if 0 <= minutes_ago < ARRIVAL_MINUTES:
                counts[ARRIVAL_MINUTES - 1 - minutes_ago] += 1
        return tuple(counts)


def _event(one: ReportedAlert, total_alerts: int) -> Alert:
    return Alert(
        host_id=one.host_id,
        symptom=one.symptom,
        detail=one.detail,
        suggested_fix=one.suggested_fix,
        detected_at=one.detected_at,
        dedup_key=one.dedup_key,
        total_alerts=total_alerts,
    )
