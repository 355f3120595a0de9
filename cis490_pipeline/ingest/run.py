"""Ingest of one host, or of all: due episodes in threads, a commit for every hundred.

A run processes what the index holds and the tables do not, and is a no-op otherwise. Memory is
bounded by the two batches in flight, not by the number of episodes.

Not here: Dagster (``orchestration``), one episode (``one_pass``), one commit (``commit``).
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing

import pyarrow as pa

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.episodes.tail_position import TailPosition
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.ingest.batches import visit_in_batches
from cis490_pipeline.ingest.commit import commit_batch, undo
from cis490_pipeline.ingest.due import HeldVerdicts, due_entries, read_held, rows_of_host
from cis490_pipeline.ingest.journal import host_lock, journal_of
from cis490_pipeline.ingest.memory import return_free_memory
from cis490_pipeline.ingest.one_pass import Outcome
from cis490_pipeline.ingest.options import IngestOptions, Progress, no_progress
from cis490_pipeline.ingest.report import IngestReport, report_on
from cis490_pipeline.ingest.schema_guard import publish_schema
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.validation.retry import HeldVerdict
from cis490_pipeline.warehouse.warehouse import Warehouse


def ingest_host(
    store: EpisodeStore,
    warehouse: Warehouse,
    host_id: str,
    options: IngestOptions | None = None,
    progress: Progress = no_progress,
    *,
    upto: str = "",
) -> IngestReport:
    """Bring one host's tables and shards up to date with the index.

    Parameters
    ----------
    upto
        A position in the index as ``TailPosition.to_json`` writes it: episodes whose last row is
        behind it are left to a later run. Empty, of another version, or in a file that is no
        longer there: everything.

    Returns
    -------
    IngestReport
        What this run did and what the tables hold now.

    Raises
    ------
    StoreError
        Where the index cannot be read.
    SchemaMismatchError
        Where the tables were made for another feature schema.
    WarehouseError
        Where the machine refuses to write; what was committed stays, nothing is half there.
    """
    started = time.monotonic()
    options = options or IngestOptions()
    with host_lock(warehouse.layout, host_id):
        publish_schema(warehouse.layout)
        reading = read_received(store.index_path, _position_or_none(upto))
        indexed = reading.entries
        elsewhere = frozenset(e.episode_id for e in indexed if e.host_id != host_id)
        journal = journal_of(warehouse.layout, host_id)
        undo(warehouse, journal, host_id, journal.pending() & elsewhere)
        entries = [e for e in indexed if e.host_id == host_id]
        held = read_held(warehouse.tables)
        news = _ingest(store, warehouse, host_id, entries, held, options, progress)
        return report_on(
            warehouse,
            host_id,
            rows_of_host(host_id, held, news),
            n_indexed=len(entries),
            n_new=news.num_rows,
            seconds=time.monotonic() - started,
            upto_lost=bool(upto) and reading.everything,
        )


def _position_or_none(text: str) -> TailPosition | None:
    try:
        return TailPosition.from_json(text) if text else None
    except ConfigurationError:  # a run that was asked for before an update; more is never wrong
        return None


def _ingest(
    store: EpisodeStore,
    warehouse: Warehouse,
    host_id: str,
    entries: Sequence[IndexEntry],
    held: HeldVerdicts,
    options: IngestOptions,
    progress: Progress,
) -> pa.Table:
    """Visit and commit what is due; returns the new rows of the validation index."""
    journal = journal_of(warehouse.layout, host_id)
    unfinished = journal.pending()
    due = due_entries(store, entries, held, unfinished)
    replaced = unfinished.union(held)
    committed = [TABLE_SCHEMAS[Table.VALIDATION_INDEX].empty_table()]
    n_seen = 0
    with closing(visit_in_batches(store, due, options)) as batches:
        for outcomes in batches:
            news = [o for o in outcomes if o.row.episode_id in unfinished or is_news(o, held)]
            if news:
                committed.append(commit_batch(warehouse, journal, host_id, news, replaced))
                options.supervision.on_commit(len(news))
            n_seen += len(outcomes)
            del outcomes, news
            return_free_memory()
            progress(n_seen, len(due))
    return pa.concat_tables(committed)


def is_news(outcome: Outcome, held: Mapping[str, HeldVerdict]) -> bool:
    """Say whether a visit found anything else than what is held.

    A missing tarball is looked for at every run; finding it missing again is not worth a commit.
    """
    row, before = outcome.row, held.get(outcome.row.episode_id)
    if before is None or outcome.content is not None:
        return True
    found = HeldVerdict(
        host_id=row.host_id,
        sha256=row.sha256,
        status=row.status,
        reasons=tuple(row.reasons),
        file_size_bytes=row.file_size_bytes,
        file_mtime_ns=row.file_mtime_ns,
    )
    return found != before
