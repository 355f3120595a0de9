"""The ``nightly`` sensor: one switch for what a laboratory wants done while it sleeps.

Every night after 03:30 UTC, one after the other: ingest of the hosts that are behind, new scores
where a test set has grown under models that still stand, compaction. A step is asked for once a
night and waits for the one before; what fails is not in the way of the rest and is asked for again
the next night. A split that cannot be read gets a run of its report, which fails and says why.
Nothing here fits a model.

A sensor and no schedule, since a schedule has one job and cannot wait.
Not here: what is behind (``ingest.due``), which scores are old (``evaluation.due``).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from cis490_pipeline.datasets.host_lists import load_host_lists
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.evaluation.due import OldScores, UnreadableSplit, old_scores
from cis490_pipeline.ingest.due import hosts_behind
from cis490_pipeline.orchestration.assets_models import evaluation_key
from cis490_pipeline.orchestration.jobs import EVALUATE_SPLIT, INDEX, INGEST_HOST
from cis490_pipeline.orchestration.maintenance import maintenance
from cis490_pipeline.orchestration.partitions import register_partitions
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.schema.channels import Mode

BEGINS: Final = timedelta(hours=3, minutes=30)  # UTC
NIGHT_TAG: Final = "cis490/night"
_TICK_S: Final = 300
_REPORTS: Final = ("explanations", "comparison_report", "model_cards")
_SHOWN_BY: Final = ("comparison_report", "model_cards")
"""They read every record and both set files, and write neither."""


@dg.sensor(
    name="nightly",
    jobs=[INGEST_HOST, EVALUATE_SPLIT, maintenance],
    minimum_interval_seconds=_TICK_S,
    description="Once a night after 03:30 UTC: ingest of hosts that are behind, new scores where a "
    "test set has grown, compaction, one after the other. Fits nothing.",
)
def nightly(context: dg.SensorEvaluationContext, lab: Lab) -> dg.SensorResult | dg.SkipReason:
    """Ask for the first step of this night that has something to do and was not asked for yet."""
    night = night_of(datetime.now(UTC))
    if context.cursor == night:
        return dg.SkipReason(f"the night of {night} is done")
    runs = context.instance.get_runs(dg.RunsFilter(tags={NIGHT_TAG: night}))
    waiting = [run for run in runs if not run.is_finished]
    if waiting:
        return dg.SkipReason(f"waiting for {len(waiting)} runs of the night of {night}")
    asked = {(run.job_name, run.tags.get("dagster/partition")) for run in runs}
    for step in _STEPS:
        due = [one for one in step(context, lab) if (one.job_name, one.partition_key) not in asked]
        if due:
            return dg.SensorResult(run_requests=[_of_night(one, night) for one in due])
    context.update_cursor(night)
    return dg.SkipReason(f"the night of {night} is done")


def night_of(now: datetime) -> str:
    """Return the date on which the latest night began.

    Examples
    --------
    >>> night_of(datetime(2026, 3, 2, 3, 29, tzinfo=UTC))
    '2026-03-01'
    >>> night_of(datetime(2026, 3, 2, 3, 30, tzinfo=UTC))
    '2026-03-02'
    """
    return (now - BEGINS).date().isoformat()


def _of_night(request: dg.RunRequest, night: str) -> dg.RunRequest:
    tags = {**request.tags, NIGHT_TAG: night, "cis490/launched_by": "nightly"}
    key = f"nightly:{night}:{request.job_name}:{request.partition_key or ''}"
    return request.with_replaced_attrs(run_key=key, tags=tags)


def _ingest(context: dg.SensorEvaluationContext, lab: Lab) -> Iterator[dg.RunRequest]:
    store = lab.episode_store(INDEX)
    behind = hosts_behind(store, read_received(store.index_path).entries, lab.warehouse.tables)
    if behind:
        lists = load_host_lists(lab.warehouse.layout.host_lists)
        register_partitions(context.instance, store, lists)
    for host in sorted(behind):
        yield dg.RunRequest(job_name=INGEST_HOST.name, partition_key=host)


def _scores(context: dg.SensorEvaluationContext, lab: Lab) -> Iterator[dg.RunRequest]:
    lists = load_host_lists(lab.warehouse.layout.host_lists)
    splits = sorted(context.instance.get_dynamic_partitions("split"))
    for found in old_scores(lab.warehouse, splits, lists):
        if isinstance(found, UnreadableSplit):
            context.log.error(f"split {found.split} cannot be read: {found.reason}")
            yield _show_damage(found)
        else:
            yield _score_again(found)


def _show_damage(found: UnreadableSplit) -> dg.RunRequest:
    """Return a run that fails of the damage, so that it is told as every failure is."""
    return dg.RunRequest(
        job_name=EVALUATE_SPLIT.name,
        partition_key=found.split,
        asset_selection=[dg.AssetKey(name) for name in _SHOWN_BY],
    )


def _score_again(old: OldScores) -> dg.RunRequest:
    """Return a run of the evaluations that there are; those of models never fitted would fail."""
    evaluations = [evaluation_key(family, Mode(mode)) for family, mode in old.models]
    return dg.RunRequest(
        job_name=EVALUATE_SPLIT.name,
        partition_key=old.split,
        asset_selection=[dg.AssetKey("test_set"), *evaluations, *map(dg.AssetKey, _REPORTS)],
        run_config={"ops": {"test_set": {"config": {"statuses": list(old.statuses)}}}},
    )


def _compaction(context: dg.SensorEvaluationContext, lab: Lab) -> Iterator[dg.RunRequest]:
    del context, lab  # there is always something to look at
    yield dg.RunRequest(job_name=maintenance.name)


Step = Callable[[dg.SensorEvaluationContext, Lab], Iterator[dg.RunRequest]]
_STEPS: Final[Sequence[Step]] = (_ingest, _scores, _compaction)
