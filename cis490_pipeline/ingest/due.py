"""Which episodes a run has to visit: what the index holds and the tables do not, or no longer.

Not here: the rule for one episode (``validation.retry``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from cis490_pipeline.episodes.index import IndexEntry, load_index
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.gate import Status
from cis490_pipeline.validation.retry import HeldVerdict, needs_visit
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


def held_verdicts(rows: pa.Table) -> dict[str, HeldVerdict]:
    """Return episode id → what is remembered of its last visit.

    ``rows`` is a validation index with the columns that the retry rule compares.
    """
    return {
        row["episode_id"]: HeldVerdict(
            host_id=row["host_id"],
            sha256=row["sha256"],
            status=row["status"],
            reasons=tuple(row["reasons"]),
            file_size_bytes=row["file_size_bytes"],
            file_mtime_ns=row["file_mtime_ns"],
        )
        for row in rows.select(list(_COLUMNS)).to_pylist()
    }


def read_held(tables: Tables) -> dict[str, HeldVerdict]:
    """Return what the validation index holds, of every host: a re-ship may change the host.

    An episode that two hosts hold (both were at work while it was re-shipped) has no verdict that
    stands: it is given no host, so that the one that the index names visits and replaces it.
    """
    rows = tables.read(Table.VALIDATION_INDEX, columns=_COLUMNS)
    held = held_verdicts(rows)
    if len(held) < rows.num_rows:
        times = Counter(rows["episode_id"].to_pylist())
        held |= {name: replace(held[name], host_id="") for name, n in times.items() if n > 1}
    return held


def due_entries(
    store: EpisodeStore,
    entries: Iterable[IndexEntry],
    held: Mapping[str, HeldVerdict],
    unfinished: frozenset[str] = frozenset(),
) -> Sequence[IndexEntry]:
    """Return the entries to visit, in index order; ``unfinished`` ones are visited in any case."""
    due = [
        entry
        for entry in entries
        if entry.episode_id in unfinished or _is_due(store, entry, held.get(entry.episode_id))
    ]
    return sorted(due, key=lambda entry: entry.offset)


def _is_due(store: EpisodeStore, entry: IndexEntry, held: HeldVerdict | None) -> bool:
    try:
        stamp = store.stamp(entry.host_id, entry.episode_id)
    except OSError:  # the visit itself will say what the file system says
        return True
    return needs_visit(entry, held, stamp)


def hosts_to_ingest(store: EpisodeStore, warehouse: Warehouse) -> tuple[str, ...]:
    """Return the hosts of the index and of the tables, sorted.

    A host whose last episode moved to another one is in the tables alone; its run is what takes an
    unfinished batch of it back.
    """
    held = warehouse.tables.read(Table.VALIDATION_INDEX, columns=["host_id"])["host_id"].unique()
    indexed = {str(entry.host_id) for entry in load_index(store.index_path).entries}
    return tuple(sorted(indexed.union(held.to_pylist())))


def hosts_behind(
    store: EpisodeStore, entries: Iterable[IndexEntry], tables: Tables
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
