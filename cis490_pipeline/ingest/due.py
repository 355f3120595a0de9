"""Which episodes a run has to visit: what the index holds and the tables do not, or no longer.

Not here: the rule for one episode (``validation.retry``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.compute as pc

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore, FileStamp
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.gate import Status
from cis490_pipeline.validation.retry import HeldVerdict, needs_visit

if TYPE_CHECKING:  # what a sweep judges by needs no Delta tables
    from cis490_pipeline.warehouse.tables import Tables
    from cis490_pipeline.warehouse.warehouse import Warehouse

_COLUMNS = (
    "episode_id",
    "host_id",
    "sha256",
    "status",
    "reasons",
    "file_size_bytes",
    "file_mtime_ns",
)
_TRIED_AT_EVERY_RUN = [Status.MISSING.value, Status.ERROR.value]

_Seen = tuple[str, str, int | None, int | None]


@dataclass(frozen=True, slots=True, eq=False)
class HeldVerdicts(Mapping[str, HeldVerdict]):
    """What a validation index remembers: episode id → its verdict.

    Ten thousand verdicts as objects would cost more than all else that a run with nothing new
    does, so they stay Arrow until one is asked for.

    Attributes
    ----------
    rows
        A validation index.
    positions
        Row of each episode; of those that two hosts hold, the last.
    doubled
        Episodes that more than one row holds.
    settled
        What a verdict that stands until something changes was given on: host, sha256, size and
        mtime of the file. Missing tarballs and errors are not among them.
    """

    rows: pa.Table
    positions: Mapping[str, int]
    doubled: frozenset[str]
    settled: Mapping[str, _Seen]

    def __getitem__(self, episode_id: str) -> HeldVerdict:
        (row,) = self.rows.select(list(_COLUMNS)).slice(self.positions[episode_id], 1).to_pylist()
        held = HeldVerdict(
            host_id=row["host_id"],
            sha256=row["sha256"],
            status=row["status"],
            reasons=tuple(row["reasons"]),
            file_size_bytes=row["file_size_bytes"],
            file_mtime_ns=row["file_mtime_ns"],
        )
        return replace(held, host_id="") if episode_id in self.doubled else held

    def __iter__(self) -> Iterator[str]:
        return iter(self.positions)

    def __len__(self) -> int:
        return len(self.positions)

    def stands(self, entry: IndexEntry, stamp: FileStamp | None) -> bool:
        """Say quickly that an entry needs no visit; where this does not, the retry rule decides."""
        return stamp is not None and self.settled.get(entry.episode_id) == (
            entry.host_id,
            entry.sha256,
            stamp.size_bytes,
            stamp.mtime_ns,
        )


def held_verdicts(rows: pa.Table) -> HeldVerdicts:
    """Return what is remembered of each episode's last visit.

    Parameters
    ----------
    rows
        A validation index with at least the columns that the retry rule compares.

    Notes
    -----
    An episode that two hosts hold (both were at work while it was re-shipped) has no verdict that
    stands: it is given no host, so that the one that the index names visits and replaces it.
    """
    ids = cast("list[str]", rows["episode_id"].to_pylist())
    positions = {name: position for position, name in enumerate(ids)}
    doubled = frozenset[str]()
    if len(positions) < len(ids):
        doubled = frozenset(n for position, n in enumerate(ids) if positions[n] != position)
    standing = rows.filter(~pc.field("status").isin(_TRIED_AT_EVERY_RUN))
    seen = ("host_id", "sha256", "file_size_bytes", "file_mtime_ns")
    settled: dict[str, _Seen] = dict(
        zip(
            standing["episode_id"].to_pylist(),
            zip(*(standing[name].to_pylist() for name in seen), strict=True),
            strict=True,
        )
    )
    for name in doubled:
        settled.pop(name, None)
    return HeldVerdicts(rows=rows, positions=positions, doubled=doubled, settled=settled)


def read_held(tables: "Tables") -> HeldVerdicts:
    """Return what the validation index holds, of every host: a re-ship may change the host.

    Its rows also have the soft reasons, for the report.
    """
    columns = (*_COLUMNS, "soft_reasons")
    return held_verdicts(tables.read(Table.VALIDATION_INDEX, columns=columns))


def rows_of_host(host_id: str, held: HeldVerdicts, news: pa.Table) -> pa.Table:
    """Return a host's validation index after ``news`` was committed over what was held."""
    stale = pc.field("episode_id").isin(news["episode_id"].combine_chunks())
    mine = held.rows.filter((pc.field("host_id") == host_id) & ~stale)
    return pa.concat_tables([mine, news.select(mine.schema.names)])


def due_entries(
    store: EpisodeStore,
    entries: Iterable[IndexEntry],
    held: HeldVerdicts,
    unfinished: frozenset[str] = frozenset(),
) -> Sequence[IndexEntry]:
    """Return the entries to visit, in index order; ``unfinished`` ones are visited in any case."""
    due = [
        entry for entry in entries if entry.episode_id in unfinished or _is_due(store, entry, held)
    ]
    return sorted(due, key=lambda entry: entry.place)


def _is_due(store: EpisodeStore, entry: IndexEntry, held: HeldVerdicts) -> bool:
    try:
        stamp = store.stamp(entry.host_id, entry.episode_id)
    except OSError:  # the visit itself will say what the file system says
        return True
    if held.stands(entry, stamp):
        return False
    return needs_visit(entry, held.get(entry.episode_id), stamp)


def hosts_to_ingest(store: EpisodeStore, warehouse: "Warehouse") -> tuple[str, ...]:
    """Return the hosts of the index and of the tables, sorted.

    A host whose last episode moved to another one is in the tables alone; its run is what takes an
    unfinished batch of it back.
    """
    held = warehouse.tables.read(Table.VALIDATION_INDEX, columns=["host_id"])["host_id"].unique()
    indexed = {str(entry.host_id) for entry in read_received(store.index_path).entries}
    return tuple(sorted(indexed.union(held.to_pylist())))


def hosts_behind(
    store: EpisodeStore, entries: Iterable[IndexEntry], tables: "Tables"
) -> dict[str, int]:
    """Return host → number of indexed episodes that a run would find something new about.

    A tarball that is known to be missing and still is does not count.
    """
    held = read_held(tables)
    behind: dict[str, int] = {}
    for entry in due_entries(store, entries, held):
        before = held.get(entry.episode_id)
        known_missing = before is not None and before.status == Status.MISSING
        if not (known_missing and _is_absent(store, entry)):
            behind[entry.host_id] = behind.get(entry.host_id, 0) + 1
    return behind


def _is_absent(store: EpisodeStore, entry: IndexEntry) -> bool:
    try:
        return store.stamp(entry.host_id, entry.episode_id) is None
    except OSError:
        return False
