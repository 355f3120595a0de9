"""One more episode of the test host: what tests on it goes stale, what trained stays fresh."""

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm

SPLIT = "host=lab-b"
FAST = ["model/elapsed_time/any", "evaluation/elapsed_time/any"]


def status(farm: Farm, key: str, partition: str) -> StaleStatus:
    """Ask the instance, as the UI does."""
    resolver = CachingStaleStatusResolver(
        farm.instance,
        farm.definitions.resolve_asset_graph(),
        LoadingContextForTest(farm.instance),
    )
    return resolver.get_status(dg.AssetKey(key.split("/")), partition)


def materialize_split(farm: Farm) -> None:
    farm.run(["training_set", "test_set", *FAST], SPLIT)


def test_one_more_test_host_episode_leaves_the_models_fresh(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    materialize_split(farm)
    for key in ("training_set", "test_set", *FAST):
        assert status(farm, key, SPLIT) is StaleStatus.FRESH, key
    for key in ("validation_index", "tensor_shards", "window_features"):
        assert status(farm, key, "lab-b") is StaleStatus.FRESH, key

    farm.ship("lab-b", 500)
    farm.register()
    for key in ("validation_index", "tensor_shards", "window_features"):
        assert status(farm, key, "lab-b") is StaleStatus.STALE, key
        assert status(farm, key, "lab-a") is StaleStatus.FRESH, key

    result = farm.run(INGEST, "lab-b")
    new = result.asset_materializations_for_node("ingest")[0].metadata["episodes_new"].value
    assert new == 1
    assert status(farm, "test_set", SPLIT) is StaleStatus.STALE
    assert status(farm, "model/elapsed_time/any", SPLIT) is StaleStatus.FRESH

    farm.run(["training_set", "test_set"], SPLIT)
    assert status(farm, "evaluation/elapsed_time/any", SPLIT) is StaleStatus.STALE
    assert status(farm, "model/elapsed_time/any", SPLIT) is StaleStatus.FRESH
    farm.run("evaluation/elapsed_time/any", SPLIT)
    assert status(farm, "evaluation/elapsed_time/any", SPLIT) is StaleStatus.FRESH


def test_one_more_training_host_episode_makes_the_models_stale(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    materialize_split(farm)
    farm.ship("lab-a", 501)
    farm.register()
    farm.ingest("lab-a")
    farm.run(["training_set", "test_set"], SPLIT)
    assert status(farm, "model/elapsed_time/any", SPLIT) is StaleStatus.STALE


def test_a_run_that_finds_nothing_new_makes_nothing_stale(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    materialize_split(farm)
    farm.ingest("lab-a", "lab-b")
    for key in ("training_set", "test_set", *FAST):
        assert status(farm, key, SPLIT) is StaleStatus.FRESH, key


def test_a_tarball_that_arrives_late_is_news(farm: Farm) -> None:
    farm.ship("lab-b", 502)
    path = farm.store / "episodes" / "lab-b" / f"{episode_id(502)}.tar.zst"
    blob = path.read_bytes()
    path.unlink()
    farm.register()
    farm.ingest("lab-b")
    assert status(farm, "window_features", "lab-b") is StaleStatus.FRESH
    path.write_bytes(blob)
    farm.register()
    assert status(farm, "window_features", "lab-b") is StaleStatus.STALE


def test_a_host_whose_episodes_moved_away_goes_stale(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    for number in range(100, 112):  # every lab-b episode is re-shipped by lab-c
        farm.ship("lab-c", number)
    farm.register()
    assert status(farm, "validation_index", "lab-b") is StaleStatus.STALE
