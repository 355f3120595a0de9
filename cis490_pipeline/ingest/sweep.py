"""The validation sweep alone: every indexed episode of a store judged into one Parquet file.

Resumable: verdicts are kept in parts beside the output until the sweep is whole; a run that starts
over the parts of another visits only what they do not answer.

Not here: the files (``sweep_file``), tables and shards (``run``).
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.batches import visit_in_batches
from cis490_pipeline.ingest.due import due_entries, held_verdicts
from cis490_pipeline.ingest.options import IngestOptions, Progress, no_progress
from cis490_pipeline.ingest.sweep_file import (
    Sweep,
    collect_sweep,
    entries_to_judge,
    next_number,
    parts_directory,
    read_parts,
    write_part,
)


def sweep_store(
    store: EpisodeStore,
    out: Path,
    *,
    limit: int | None = None,
    options: IngestOptions | None = None,
    progress: Progress = no_progress,
) -> Sweep:
    """Judge the episodes of a store and write ``out`` with exactly the format's columns.

    Parameters
    ----------
    out
        Parquet file to write, whole; the parts lie in ``<out>.parts`` until then.
    limit
        Judge only the first so many episodes, in index order.

    Raises
    ------
    StoreError
        Where the index cannot be read.
    WarehouseError
        Where the output cannot be written.
    """
    reading = read_received(store.index_path)
    entries = entries_to_judge(reading, limit)
    options = options or IngestOptions()
    n_judged = judge_due(store, entries, parts_directory(out), options, progress)
    return collect_sweep(out, reading, entries, n_judged=n_judged)


def judge_due(
    store: EpisodeStore,
    entries: Sequence[IndexEntry],
    parts: Path,
    options: IngestOptions,
    progress: Progress = no_progress,
) -> int:
    """Judge the entries that the parts do not answer into further parts.

    Returns
    -------
    int
        How many these were.

    Raises
    ------
    WarehouseError
        Where a part cannot be written.
    """
    due = due_entries(store, entries, held_verdicts(read_parts(parts)))
    n_seen = 0
    with closing(visit_in_batches(store, due, options, with_content=False)) as batches:
        for number, outcomes in enumerate(batches, start=next_number(parts)):
            write_part(parts, number, [outcome.row for outcome in outcomes])
            n_seen += len(outcomes)
            progress(n_seen, len(due))
    return n_seen
