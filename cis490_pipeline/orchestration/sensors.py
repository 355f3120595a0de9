"""Sensors: new rows of the index start ingest runs; a slow one heals what a failed run left.

``new_episodes`` is an edge detector: its cursor is a position in the index, so a run that fails
takes its event with it. ``reconcile`` compares the index with the tables and asks again.

Both are stopped until somebody starts them in the UI.
Not here: following a file (``episodes.tail``), what is due (``ingest.due``).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from cis490_pipeline.datasets.host_lists import load_host_lists, load_time_percents
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.episodes.tail import TailStep, read_new
from cis490_pipeline.episodes.tail_position import TailPosition
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.ingest.due import hosts_behind
from cis490_pipeline.orchestration.jobs import INDEX, INGEST_HOST
from cis490_pipeline.orchestration.partitions import register_partitions
from cis490_pipeline.orchestration.resources import Lab

_TICK_S: Final = 30
_RECONCILE_S: Final = 900
_MADE: Final = dg.AssetKey("validation_index")
_NOT_ENDED: Final = [status for status in dg.DagsterRunStatus if status not in FINISHED_STATUSES]


@dg.sensor(
    name="new_episodes",
    job=INGEST_HOST,
    minimum_interval_seconds=_TICK_S,
    description="Follows the store's index: new hosts become partitions, and every host with new "
    "rows gets one ingest run, in the same tick.",
)
def new_episodes(context: dg.SensorEvaluationContext, lab: Lab) -> dg.SensorResult | dg.SkipReason:
    """Read what is new in the index, at most 8 MiB a tick."""
    store = lab.episode_store(INDEX)
    position = _position(context)
    step = read_new(store.index_path, position)
    _tell(context, store.index_path, step)
    if step.position is None or not step.entries:
        context.update_cursor(step.position.to_json() if step.position is not None else "")
        return dg.SkipReason(f"nothing new in {store.index_path}, {_lag(step)}")
    _register(context, store, lab)
    return dg.SensorResult(
        run_requests=_requests(step.entries, step.position), cursor=step.position.to_json()
    )


def _register(context: dg.SensorEvaluationContext, store: EpisodeStore, lab: Lab) -> None:
    declared = lab.warehouse.layout.host_lists
    lists, percents = load_host_lists(declared), load_time_percents(declared)
    register_partitions(context.instance, store, lists, percents)


def _tell(context: dg.SensorEvaluationContext, path: Path, step: TailStep) -> None:
    """Log what the tick found; what needs somebody's eye is an error."""
    if step.gap:
        context.log.error(
            f"{path} was rotated, cut or compressed before it was read to its end: rows may be "
            "missing; the reconcile sensor asks for all that the store's index files still name"
        )
    if step.damage:
        context.log.warning(f"{len(step.damage)} damaged rows in {path}")
    context.log.info(
        f"{len(step.entries)} new rows in generation {step.generation} of {path}, {_lag(step)}"
    )


def _lag(step: TailStep) -> str:
    return f"{step.bytes_behind} bytes behind"


def _position(context: dg.SensorEvaluationContext) -> TailPosition | None:
    """Return where to go on; a cursor that cannot be read costs a reading from the beginning."""
    if not context.cursor:
        return None
    try:
        return TailPosition.from_json(context.cursor)
    except ConfigurationError as error:
        context.log.warning(f"{error}; reading the index from its beginning")
        return None


def _requests(entries: Iterable[IndexEntry], upto: TailPosition) -> list[dg.RunRequest]:
    """Return one run a host, which reads the index up to that position.

    The key names the position: generation and offset, and what stands before it in the file, since
    Dagster remembers keys for ever and a follower that begins anew counts generations from 0 again.
    """
    here = f"{upto.generation}:{upto.offset}:{upto.identity.anchor_sha256[:16]}"
    config = {"ops": {"ingest": {"config": {"upto": upto.to_json()}}}}
    return [
        dg.RunRequest(
            run_key=f"{host}:{here}",
            partition_key=host,
            run_config=config,
            tags={"cis490/launched_by": "new_episodes"},
        )
        for host in sorted({entry.host_id for entry in entries})
    ]


@dg.sensor(
    name="reconcile",
    job=INGEST_HOST,
    minimum_interval_seconds=_RECONCILE_S,
    description="Compares the index with the tables and asks for an ingest run of every host that "
    "is behind: what a failed run left is not lost.",
)
def reconcile(context: dg.SensorEvaluationContext, lab: Lab) -> dg.SensorResult | dg.SkipReason:
    """Ask for the hosts that are behind, at most once an hour for the same state."""
    store = lab.episode_store(INDEX)
    behind = hosts_behind(store, read_received(store.index_path).entries, lab.warehouse.tables)
    if not behind:
        return dg.SkipReason("the tables hold what the index names")
    under_way = _under_way(context.instance)
    idle = {host: n_due for host, n_due in sorted(behind.items()) if host not in under_way}
    if not idle:
        return dg.SkipReason(f"being ingested: {', '.join(sorted(behind))}")
    _register(context, store, lab)
    hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"reconcile:{host}:{hour}:{n_due}",
                partition_key=host,
                tags={"cis490/launched_by": "reconcile"},
            )
            for host, n_due in idle.items()
        ]
    )


def _under_way(instance: dg.DagsterInstance) -> set[str]:
    """Return the hosts that a run which has not ended yet ingests, or will."""
    hosts = list(instance.get_dynamic_partitions("host"))
    found: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=_NOT_ENDED)):
        if run.job_name == INGEST_HOST.name or _MADE in (run.asset_selection or ()):
            one = run.tags.get("dagster/partition")
            first = run.tags.get("dagster/asset_partition_range_start", one)
            last = run.tags.get("dagster/asset_partition_range_end", one)
            if first in hosts and last in hosts:
                found.update(hosts[hosts.index(first) : hosts.index(last) + 1])
    return found


SENSORS: Final = (new_episodes, reconcile)
