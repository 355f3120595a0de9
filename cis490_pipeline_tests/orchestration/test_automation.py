"""What happens by itself when episodes arrive: data card, shadow scores, and never a fit."""

import dagster as dg
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm

FITS = ("model", "trunk")


def requested(
    farm: Farm, cursor: AssetDaemonCursor | None = None
) -> tuple[dict[str, int], AssetDaemonCursor]:
    """Ask the instance what automation would make now: asset → number of partitions."""
    found = dg.evaluate_automation_conditions(
        defs=farm.definitions, instance=farm.instance, cursor=cursor
    )
    keys = farm.definitions.resolve_asset_graph().get_all_asset_keys()
    numbers = {key.to_user_string(): found.get_num_requested(key) for key in keys}
    assert found.total_requested == sum(numbers.values())
    return {key: number for key, number in numbers.items() if number}, found.cursor


def test_a_new_episode_renews_the_data_card_and_fits_nothing(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.run(["training_set", "test_set", "model/elapsed_time/any"], "host=lab-b")
    farm.run("data_card")
    _, cursor = requested(farm)

    for host, number in (("lab-b", 500), ("lab-a", 501)):
        farm.ship(host, number)
        farm.register()
        farm.ingest(host)
        found, cursor = requested(farm, cursor)
        assert found == {"data_card": 1, "shadow_scores": 1}
        farm.run("data_card")
        found, cursor = requested(farm, cursor)
        assert found == {}


def test_a_registered_host_without_data_holds_nothing_back(farm: Farm) -> None:
    _, cursor = requested(farm)
    farm.ingest("lab-a")  # lab-b has a partition and nothing else
    assert requested(farm, cursor)[0] == {"data_card": 1, "shadow_scores": 1}


def test_an_ingest_that_finds_nothing_new_sets_nothing_off(farm: Farm) -> None:
    farm.ingest("lab-a")
    _, cursor = requested(farm)
    farm.ingest("lab-a")
    assert requested(farm, cursor)[0] == {}


def test_no_asset_that_fits_has_a_condition_and_no_sensor_s_job_contains_one(farm: Farm) -> None:
    specs = farm.definitions.resolve_all_asset_specs()
    automatic = {spec.key.to_user_string() for spec in specs if spec.automation_condition}
    assert automatic == {"data_card", "shadow_scores"}
    repository = farm.definitions.get_repository_def()
    assert repository.schedule_defs == []
    started = {
        target.job_name
        for sensor in repository.sensor_defs
        for target in sensor.targets
        if target.has_job_def or target.job_name
    } - {"__ASSET_JOB"}
    assert started >= {"ingest_host", "evaluate_split", "maintenance"}
    for name in started:
        layer = farm.definitions.resolve_job_def(name).asset_layer
        assert not [key for key in layer.selected_asset_keys if key.path[0] in FITS]
    everything = farm.definitions.resolve_job_def("full_split").asset_layer.selected_asset_keys
    assert any(key.path[0] in FITS for key in everything)  # the question can be answered with yes


def test_every_sensor_waits_to_be_started(farm: Farm) -> None:
    sensors = farm.definitions.get_repository_def().sensor_defs
    names = {"new_episodes", "reconcile", "nightly", "automation", "failures"}
    assert {sensor.name for sensor in sensors} == names
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.STOPPED}


def test_a_partition_of_the_ingest_assets_is_made_by_no_condition(farm: Farm) -> None:
    _, cursor = requested(farm)
    farm.ship("lab-a", 502)
    farm.register()
    assert not set(requested(farm, cursor)[0]) & set(INGEST)
