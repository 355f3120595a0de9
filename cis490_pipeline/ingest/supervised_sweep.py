"""The validation sweep in a child: what the command line calls.

Not here: how the child is carried through (``supervisor``), what it does (``sweep``).
"""

import os
from pathlib import Path

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.black_box import held_box
from cis490_pipeline.ingest.messages import SweepJob
from cis490_pipeline.ingest.options import IngestOptions, Progress, no_progress
from cis490_pipeline.ingest.supervisor import Supervisor
from cis490_pipeline.ingest.sweep_file import (
    Sweep,
    collect_sweep,
    entries_to_judge,
    parts_directory,
)


def sweep_store_supervised(
    store: EpisodeStore,
    out: Path,
    *,
    limit: int | None = None,
    options: IngestOptions | None = None,
    progress: Progress = no_progress,
) -> Sweep:
    """Judge the episodes of a store, as ``sweep.sweep_store``, in a child.

    Raises
    ------
    IngestError
        Where the child dies again and again, and no episode explains it.
    Cis490Error
        What ``sweep.sweep_store`` raises.
    """
    options = options or IngestOptions()
    reading = read_received(store.index_path)
    entries = entries_to_judge(reading, limit)
    path = out.with_name(f"{out.name}.visiting")
    with held_box(path, options.threads) as (box, left):
        job = SweepJob(
            parent=os.getpid(),
            box=str(path),
            store=str(store.root),
            index=store.index_name,
            threads=options.threads,
            episodes_per_commit=options.episodes_per_commit,
            limits=options.limits,
            with_content=False,
            entries=tuple(entries),
            parts=str(parts_directory(out)),
        )
        supervisor = Supervisor(job, box, options.visit_limit_s, progress)
        supervisor.carry_through([visit.episode_id for visit in left])
    return collect_sweep(out, reading, entries, n_judged=supervisor.n_due)
