"""A host's episodes in the order in which they were received.

Not here: any rule over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow.compute as pc

from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.tables import Tables

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_TIME_DIGITS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One indexed episode.

    ``at_s`` is Unix seconds of its reception; where the index has none, of its recording.
    """

    episode_id: str
    at_s: float
    status: str
    code_commit: str | None
    code_dirty: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One accepted or degraded episode and the place of its grid (None where it has no tick)."""

    episode_id: str
    at_s: float
    shard: str | None
    first_tick: int
    n_ticks: int


def recorded_at_s(episode_id: str) -> float:
    """Return the time in a ULID, Unix seconds.

    >>> recorded_at_s("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    1469922850.259
    """
    milliseconds = 0
    for digit in episode_id[:_ULID_TIME_DIGITS]:
        milliseconds = 32 * milliseconds + _CROCKFORD.index(digit)
    return milliseconds / 1000


def received_from(tables: Tables, host_id: str) -> tuple[Received, ...]:
    """Return every indexed episode of a host, oldest first."""
    columns = ["episode_id", "received_at_s", "status", "code_commit", "code_dirty"]
    rows = tables.read(
        Table.VALIDATION_INDEX, columns=columns, where=pc.field("host_id") == host_id
    )
    found = (
        Received(
            episode_id=row["episode_id"],
            at_s=_at_s(row["episode_id"], row["received_at_s"]),
            status=row["status"],
            code_commit=row["code_commit"],
            code_dirty=row["code_dirty"],
        )
        for row in rows.to_pylist()
    )
    return tuple(sorted(found, key=lambda one: (one.at_s, one.episode_id)))


def newest_held(tables: Tables, host_id: str, limit: int) -> tuple[Held, ...]:
    """Return the newest accepted or degraded episodes of a host, oldest of them first."""
    columns = ["episode_id", "received_at_s", "shard", "first_tick", "n_ticks"]
    rows = tables.read(Table.EPISODES, columns=columns, where=pc.field("host_id") == host_id)
    found = (
        Held(
            episode_id=row["episode_id"],
            at_s=_at_s(row["episode_id"], row["received_at_s"]),
            shard=row["shard"],
            first_tick=row["first_tick"],
            n_ticks=row["n_ticks"],
        )
        for row in rows.to_pylist()
    )
    return tuple(sorted(found, key=lambda one: (one.at_s, one.episode_id))[-limit:])


def _at_s(episode_id: EpisodeId, received_at_s: float | None) -> float:
    return recorded_at_s(episode_id) if received_at_s is None else received_at_s


def newest(history: Sequence[Received], limit: int) -> Sequence[Received]:
    """Return the last ``limit`` of a history."""
    return history[-limit:]
