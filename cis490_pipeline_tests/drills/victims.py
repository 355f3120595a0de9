"""The processes that are killed: an ingest, its supervisor, its worker, a compaction.

``python -m`` of this module is the worker of a supervised ingest. Not here: who kills (``kills``).
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest import child, worker
from cis490_pipeline.ingest.compaction import CompactionOptions, compact
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.ingest.supervised_run import ingest_host_supervised
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.drills.phases import Announcer, Target

OPTIONS: Final = IngestOptions(threads=2, episodes_per_commit=2)
COMMAND: Final = (sys.executable, "-m", "cis490_pipeline_tests.drills.victims")
_VARIABLE: Final = "CIS490_TEST_KILL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a victim does; ``host`` is empty for a compaction."""

    store: Path
    data: Path
    host: str
    supervised: bool
    retention_hours: int
    target: Target


def run_task(task: Task) -> None:
    """Do it in this process, saying the phases."""
    warehouse = Warehouse(task.data)
    if task.supervised:
        os.environ[_VARIABLE] = json.dumps(asdict(task.target))
        child.WORKER = COMMAND
        ingest_host_supervised(EpisodeStore(task.store), warehouse, task.host, OPTIONS)
        return
    Announcer(task.target).install()
    if task.host:
        ingest_host(EpisodeStore(task.store), warehouse, task.host, OPTIONS)
    else:
        options = CompactionOptions(retention_hours=task.retention_hours, temporary_hours=0)
        compact(warehouse, options)


def main() -> None:
    """Do what the real worker does, saying the phases."""
    Announcer(Target(**json.loads(os.environ[_VARIABLE]))).install()
    worker.main()


if __name__ == "__main__":
    main()
