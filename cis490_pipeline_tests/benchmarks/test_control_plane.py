"""The measurement of the control plane on a small installation: what it makes and asks is real."""

from collections.abc import Iterator

import pytest

from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.benchmarks.control_plane import replayed, run_backfill
from cis490_pipeline_tests.benchmarks.control_plane_pages import Recorder
from cis490_pipeline_tests.benchmarks.control_plane_servers import Servers, servers
from cis490_pipeline_tests.benchmarks.control_plane_world import QUICK, World, make_world
from cis490_pipeline_tests.reporting.browser import chromium_path

pytestmark = pytest.mark.end_to_end

_PARTITIONS = """query($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) { ... on AssetNode {
    partitionStats { numMaterialized numPartitions numFailed } } } }"""
_LATEST = """query($k: AssetKeyInput!, $p: [String!]) { assetOrError(assetKey: $k) { ... on Asset {
    assetMaterializations(partitions: $p, limit: 1) { metadataEntries { label
    ... on IntMetadataEntry { intValue } } } } } }"""
_CHECKS = """query($k: AssetKeyInput!, $n: String!) { assetCheckExecutions(
    assetKey: $k, checkName: $n, limit: 50) { status evaluation { partition success } } }"""


def say(_: str) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "CIS490_DATA", "CIS490_STORE"):
            patch.setenv(name, "")  # put back what the making of the home exports
        yield make_world(tmp_path_factory.mktemp("control"), QUICK, say)


@pytest.fixture(scope="module")
def running(world: World) -> Iterator[Servers]:
    with servers(world.settings) as found:
        yield found


def test_every_model_has_its_past_in_as_many_splits(world: World, running: Servers) -> None:
    for key in (["model", "gbt", "realistic"], ["evaluation", "cnn", "oracle"]):
        found = running.client.ask(_PARTITIONS, k={"path": key})["assetNodeOrError"]
        assert found["partitionStats"] == {
            "numMaterialized": QUICK.splits,
            "numPartitions": QUICK.hosts + QUICK.splits // 2 + 3,
            "numFailed": 0,
        }
    assert world.runs == QUICK.rounds * (QUICK.hosts + QUICK.splits)


def test_a_backfill_of_all_hosts_is_one_run_and_tells_of_each(
    world: World, running: Servers
) -> None:
    done = run_backfill(running, world, say)
    assert (done.status, done.runs, done.hosts) == ("COMPLETED_SUCCESS", 1, QUICK.hosts)
    rows = Warehouse(world.settings.data).tables.read(Table.WINDOW_FEATURES, columns=["host_id"])
    held = rows["host_id"].to_pylist()
    assert set(held) == set(world.hosts)
    for host in world.hosts:
        asked = running.client.ask(_LATEST, k={"path": ["window_features"]}, p=[host])
        (event,) = asked["assetOrError"]["assetMaterializations"]
        told = {one["label"]: one.get("intValue") for one in event["metadataEntries"]}
        assert told["dagster/partition_row_count"] == held.count(host)
        assert told["episodes_new"] == QUICK.episodes_per_host
    found = running.client.ask(_CHECKS, k={"path": ["window_features"]}, n="channels")
    evaluated = [one["evaluation"]["partition"] for one in found["assetCheckExecutions"]]
    assert sorted(evaluated) == sorted(world.hosts)


def test_what_a_page_asks_is_recorded_and_answered_again(world: World, running: Servers) -> None:
    with Recorder(chromium_path()) as browser:
        graph = browser.visit("graph", f"{running.address}/asset-groups")
        partitions = browser.visit(
            "partitions", f"{running.address}/assets/model/gbt/realistic?view=partitions"
        )
    asked = {one.operation: one for one in (*graph.asked, *partitions.asked)}
    assert any("AssetGraph" in name for name in asked), sorted(asked)
    assert any("Partition" in name for name in asked), sorted(asked)
    for one in asked.values():
        assert replayed(running, one, 1).response_bytes > 0
