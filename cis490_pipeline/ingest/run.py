"""Ingest of one host, or of all: due episodes in threads, a commit for every hundred.

A run processes what the index holds and the tables do not, and is a no-op otherwise. Memory is
bounded by the two batches in flight, not by the number of episodes.

Not here: Dagster (``orchestration``), one episode (``one_pass``), one commit (``commit``).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.index import IndexEntry, load_index
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.commit import commit_batch
from cis490_pipeline.ingest.due import due_entries, read_held
from cis490_pipeline.ingest.journal import host_lock, journal_of
from cis490_pipeline.ingest.one_pass import Outcome, visit
from cis490_pipeline.ingest.report import IngestReport, report_on
from cis490_pipeline.ingest.schema_guard import publish_schema
from cis490_pipeline.validation.retry import HeldVerdict
from cis490_pipeline.warehouse.warehouse import Warehouse

EPISODES_PER_COMMIT: Final = 100
"""More would hold more in memory; fewer would make more, smaller files."""

Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How a run works; none of it changes a result.

    ``threads`` decode at once; ``limits`` are those of the archive reader.
    """

    threads: int = 1
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    episodes_per_commit: int = EPISODES_PER_COMMIT


def ingest_host(
    store: EpisodeStore,
    warehouse: Warehouse,
    host_id: str,
    options: IngestOptions | None = None,
    progress: Progress = no_progress,
) -> IngestReport:
    """Bring one host's tables and shards up to date with the index.

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
        entries = [e for e in load_index(store.index_path).entries if e.host_id == host_id]
        n_new = _ingest(store, warehouse, host_id, entries, options, progress)
        seconds = time.monotonic() - started
        return report_on(warehouse, host_id, n_indexed=len(entries), n_new=n_new, seconds=seconds)


def _ingest(
    store: EpisodeStore,
    warehouse: Warehouse,
    host_id: str,
    entries: Sequence[IndexEntry],
    options: IngestOptions,
    progress: Progress,
) -> int:
    journal = journal_of(warehouse.layout, host_id)
    unfinished = journal.pending()
    held = read_held(warehouse.tables)
    due = due_entries(store, entries, held, unfinished)
    replaced = unfinished.union(held)
    n_new = n_seen = 0
    for outcomes in visit_in_batches(store, due, options):
        news = [o for o in outcomes if o.row.episode_id in unfinished or is_news(o, held)]
        if news:
            commit_batch(warehouse, journal, host_id, news, replaced)
        n_new += len(news)
        n_seen += len(outcomes)
        progress(n_seen, len(due))
    return n_new


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


def visit_in_batches(
    store: EpisodeStore, due: Sequence[IndexEntry], options: IngestOptions
) -> Iterator[list[Outcome]]:
    """Yield the outcomes of the due episodes in order, a batch at a time.

    While one batch is being committed the next one is being decoded. Each thread gets one slice of
    a batch: handing over single episodes costs more than it balances.
    """
    size = options.episodes_per_commit
    batches = [due[first : first + size] for first in range(0, len(due), size)]
    with ThreadPoolExecutor(max_workers=options.threads) as pool:
        pending: list[Future[list[Outcome]]] = []
        for batch in batches:
            following = _submit(pool, store, batch, options)
            if pending:
                yield _gathered(pending)
            pending = following
        if pending:
            yield _gathered(pending)


def _submit(
    pool: ThreadPoolExecutor,
    store: EpisodeStore,
    batch: Sequence[IndexEntry],
    options: IngestOptions,
) -> list[Future[list[Outcome]]]:
    width = -(-len(batch) // options.threads)
    slices = [batch[first : first + width] for first in range(0, len(batch), width)]
    return [pool.submit(_visit_slice, store, part, options.limits) for part in slices]


def _visit_slice(
    store: EpisodeStore, part: Sequence[IndexEntry], limits: ArchiveLimits
) -> list[Outcome]:
    return [visit(store, entry, limits) for entry in part]


def _gathered(pending: Sequence[Future[list[Outcome]]]) -> list[Outcome]:
    return [outcome for future in pending for outcome in future.result()]
