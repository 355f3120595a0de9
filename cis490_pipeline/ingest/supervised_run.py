"""Ingest of one host in a child: what assets and command line call.

Not here: how the child is carried through (``supervisor``), what it does (``run``).
"""

import os
import time
from dataclasses import replace

import msgspec

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.black_box import held_box
from cis490_pipeline.ingest.messages import IngestJob
from cis490_pipeline.ingest.options import IngestOptions, Progress, no_progress
from cis490_pipeline.ingest.report import IngestReport
from cis490_pipeline.ingest.supervisor import Supervisor
from cis490_pipeline.warehouse.warehouse import Warehouse


def ingest_host_supervised(
    store: EpisodeStore,
    warehouse: Warehouse,
    host_id: str,
    options: IngestOptions | None = None,
    progress: Progress = no_progress,
    *,
    upto: str = "",
) -> IngestReport:
    """Bring one host's tables and shards up to date, as ``run.ingest_host``, in a child.

    Raises
    ------
    IngestError
        Where the child dies again and again, and no episode explains it.
    Cis490Error
        What ``run.ingest_host`` raises.
    """
    started = time.monotonic()
    options = options or IngestOptions()
    path = warehouse.layout.ingest / f"{host_id}.visiting"
    with held_box(path, options.threads) as (box, left):
        job = IngestJob(
            parent=os.getpid(),
            box=str(path),
            store=str(store.root),
            index=store.index_name,
            threads=options.threads,
            episodes_per_commit=options.episodes_per_commit,
            limits=options.limits,
            with_content=True,
            data=str(warehouse.root),
            host_id=host_id,
            upto=upto,
        )
        supervisor = Supervisor(job, box, options.visit_limit_s, progress)
        finished = supervisor.carry_through([visit.episode_id for visit in left])
    report = msgspec.json.decode(finished.report, type=IngestReport)
    seconds = time.monotonic() - started
    return replace(report, episodes_new=supervisor.n_new, seconds=seconds)
