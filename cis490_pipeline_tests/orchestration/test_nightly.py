"""The night: ingest, then scores, then compaction, each asked for once, and no fit."""

from typing import Any

import dagster as dg
import pytest

from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.datasets.training_sets import training_set_path
from cis490_pipeline.evaluation.due import OldScores, old_scores
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.orchestration.nightly import nightly
from cis490_pipeline_tests.orchestration.conftest import Farm
from cis490_pipeline_tests.orchestration.test_sensors import tick

SPLIT = "host=lab-b"
FAST = ["model/elapsed_time/any", "evaluation/elapsed_time/any"]
LEAKAGE = dg.AssetCheckKey(dg.AssetKey("test_set"), "leakage")


def perform(farm: Farm, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """Run what was asked for, as the daemon would."""
    assert request.job_name is not None
    job = farm.definitions.resolve_job_def(request.job_name)
    if request.asset_selection:
        job = job.get_subset(asset_selection=frozenset(request.asset_selection))
    return job.execute_in_process(
        instance=farm.instance,
        partition_key=request.partition_key,
        run_config=dict(request.run_config),
        tags=dict(request.tags),
        raise_on_error=False,
    )


def asked(requests: list[dg.RunRequest]) -> list[tuple[str | None, str | None]]:
    return [(request.job_name, request.partition_key) for request in requests]


def score(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.run(["training_set", "test_set", *FAST], SPLIT)


def old(farm: Farm) -> list[tuple[str, Any]]:
    splits = farm.instance.get_dynamic_partitions("split")
    found = old_scores(farm.warehouse, splits)
    assert all(isinstance(one, OldScores) for one in found)
    return [(one.split, one.models) for one in found if isinstance(one, OldScores)]


def test_a_night_ingests_scores_and_compacts_one_after_the_other(farm: Farm) -> None:
    score(farm)
    models = set(farm.warehouse.layout.models.iterdir())
    farm.ship("lab-b", 500)

    (ingest,), cursor = tick(farm, nightly)
    assert asked([ingest]) == [("ingest_host", "lab-b")]
    assert perform(farm, ingest).success

    (scores,), cursor = tick(farm, nightly, cursor)
    assert asked([scores]) == [("evaluate_split", SPLIT)]
    result = perform(farm, scores)
    assert result.success
    assert [check.check_name for check in result.get_asset_check_evaluations()] == ["leakage"]
    assert len(load_test_set(farm.warehouse.layout, SPLIT).test) == 13
    (record,) = current_records(farm.warehouse.layout, SPLIT)
    assert record.evaluation is not None
    assert record.evaluation.n_episodes == 13

    (compaction,), cursor = tick(farm, nightly, cursor)
    assert asked([compaction]) == [("maintenance", None)]
    perform(farm, compaction)
    assert tick(farm, nightly, cursor)[0] == []
    assert len({request.run_key for request in (ingest, scores, compaction)}) == 3
    assert set(farm.warehouse.layout.models.iterdir()) == models


def test_what_fails_is_asked_for_once_a_night_and_stops_nothing_else(farm: Farm) -> None:
    requests, cursor = tick(farm, nightly)
    assert asked(requests) == [("ingest_host", "lab-a"), ("ingest_host", "lab-b")]
    for request in requests:  # runs that failed before their first step
        farm.instance.add_run(
            dg.DagsterRun(
                job_name=str(request.job_name),
                status=dg.DagsterRunStatus.FAILURE,
                tags={**request.tags, "dagster/partition": str(request.partition_key)},
            )
        )
    assert asked(tick(farm, nightly, cursor)[0]) == [("maintenance", None)]


def test_a_night_waits_for_its_own_runs(farm: Farm) -> None:
    (first, *_), cursor = tick(farm, nightly)
    run = dg.DagsterRun(
        job_name="ingest_host", status=dg.DagsterRunStatus.STARTED, tags=dict(first.tags)
    )
    farm.instance.add_run(run)
    assert tick(farm, nightly, cursor)[0] == []


def is_step_failure(event: dg.DagsterEvent) -> bool:
    return event.event_type is dg.DagsterEventType.STEP_FAILURE


def test_a_damaged_split_is_told_and_stops_nothing_else(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    for split in ("host=lab-a", SPLIT):
        farm.run(["training_set", "test_set", *FAST], split)
    farm.ship("lab-b", 505)
    farm.register()
    farm.ingest("lab-b")
    training_set_path(farm.warehouse.layout, "host=lab-a").write_text('{"half', encoding="utf-8")
    requests, cursor = tick(farm, nightly)
    evaluated = ("evaluate_split", "host=lab-a"), ("evaluate_split", SPLIT)
    assert asked(requests) == list(evaluated)
    shown, scores = (perform(farm, request) for request in requests)
    assert scores.success
    assert not shown.success
    failed = [event.step_failure_data.error for event in shown.filter_events(is_step_failure)]
    assert any("training_set.json" in str(error) for error in failed)
    assert asked(tick(farm, nightly, cursor)[0]) == [("maintenance", None)]


def test_a_training_set_that_would_change_is_left_to_people(farm: Farm) -> None:
    score(farm)
    assert old(farm) == []
    farm.ship("lab-a", 501)  # trains in the split
    farm.ship("lab-b", 502)
    farm.register()
    farm.ingest("lab-a", "lab-b")
    assert old(farm) == []


def test_a_model_that_nobody_scored_is_not_scored_by_the_night(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.run(["training_set", "test_set", "model/elapsed_time/any"], SPLIT)
    farm.ship("lab-b", 503)
    farm.register()
    farm.ingest("lab-b")
    assert old(farm) == []


@pytest.mark.parametrize("planned", [False, True])
def test_scores_stay_due_until_they_are_there(farm: Farm, planned: bool) -> None:
    score(farm)
    farm.ship("lab-b", 504)
    farm.register()
    farm.ingest("lab-b")
    if planned:  # the run died after it had written the new test set
        farm.run("test_set", SPLIT)
    assert old(farm) == [(SPLIT, (("elapsed_time", "any"),))]
    farm.run(["test_set", FAST[1]], SPLIT)
    assert old(farm) == []
