"""Shadow mode in Dagster: made where there is a model of ``deploy``, told for each host."""

import pytest

from cis490_pipeline.schema.tables import Table
from cis490_pipeline.shadow.summary import standing_summaries
from cis490_pipeline_tests.orchestration.conftest import Farm

CONFIG = {"ops": {"shadow_scores": {"config": {"model": "gbt/realistic"}}}}
MODEL = ["model/gbt/realistic", "evaluation/gbt/realistic"]
FIT = {
    "ops": {
        "model__gbt__realistic": {
            "config": {"contexts": ["none"], "hyper_parameters": {"rounds": 3}}
        }
    }
}


def test_as_long_as_nothing_is_deployed_nobody_watches(farm: Farm) -> None:
    farm.ingest("lab-a")
    assert farm.run("shadow_scores", "lab-a").asset_materializations_for_node("shadow_scores") == []
    assert not farm.warehouse.tables.exists(Table.SHADOW_SCORES)


@pytest.fixture
def deployed(farm: Farm) -> Farm:
    """Fitted on both hosts; then two more episodes came."""
    farm.ingest("lab-a", "lab-b")
    farm.run(["training_set", "test_set", *MODEL], "deploy", run_config=FIT)
    for number in (600, 601):
        farm.ship("lab-b", number)
    farm.register()
    farm.ingest("lab-b")
    return farm


def test_what_arrived_is_scored_and_told_for_its_host(deployed: Farm) -> None:
    result = deployed.run("shadow_scores", "lab-b", run_config=CONFIG)
    (made,) = result.asset_materializations_for_node("shadow_scores")
    metadata = made.metadata
    assert made.partition == "lab-b"
    assert metadata["model"].value == "gbt/realistic"
    assert metadata["episodes_new"].value == metadata["dagster/partition_row_count"].value == 2
    (found,) = standing_summaries(deployed.warehouse.layout)
    rate = found.alarms_per_host_hour
    assert rate.point is None or metadata["alarms_per_host_hour"].value == round(rate.point, 4)

    again = deployed.run("shadow_scores", "lab-b", run_config=CONFIG)
    (second,) = again.asset_materializations_for_node("shadow_scores")
    assert second.metadata["episodes_new"].value == 0
    assert second.tags["dagster/data_version"] == made.tags["dagster/data_version"]


def test_a_model_that_is_not_there_is_named_with_those_that_are(deployed: Farm) -> None:
    wrong = {"ops": {"shadow_scores": {"config": {"model": "cnn/realistic"}}}}
    result = deployed.run("shadow_scores", "lab-b", run_config=wrong, raise_on_error=False)
    assert not result.success
    failures = [one for one in result.all_events if one.is_step_failure]
    assert "gbt/realistic" in str(failures[0].step_failure_data.error)
