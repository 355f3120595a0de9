"""One run over several hosts, as a backfill launches it, tells of each host what is true of it."""

import dagster as dg
import pytest

from cis490_pipeline.orchestration import assets_ingest
from cis490_pipeline.orchestration.assets_ingest import ingest_assets
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm

RANGE = {
    "dagster/asset_partition_range_start": "lab-a",
    "dagster/asset_partition_range_end": "lab-b",
}
CHECKS = {"index_damage", "silent_downgrade", "code_version", "clock_skew", "channels"}


def latest(farm: Farm, asset: str, host: str) -> dg.AssetMaterialization:
    of_host = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[host])
    materialization = (
        farm.instance.fetch_materializations(of_host, limit=1).records[0].asset_materialization
    )
    assert materialization is not None
    return materialization


def version(farm: Farm, asset: str, host: str) -> str:
    return (latest(farm, asset, host).tags or {})["dagster/data_version"]


def versions(farm: Farm) -> dict[tuple[str, str], str]:
    return {(a, h): version(farm, a, h) for a in INGEST for h in ("lab-a", "lab-b")}


def test_a_backfill_of_hosts_is_one_run() -> None:
    policy = ingest_assets.backfill_policy
    assert policy is not None
    assert policy.policy_type is dg.BackfillPolicy.single_run().policy_type


def test_every_host_has_its_own_content_counts_and_verdicts(farm: Farm) -> None:
    farm.ship("lab-b", 500, drop=["netflow.jsonl"])
    result = farm.run(INGEST, tags=RANGE)
    assert result.success
    for host, episodes, degraded in (("lab-a", 12, 0), ("lab-b", 13, 1)):
        told = latest(farm, "validation_index", host).metadata
        assert told["episodes_total"].value == episodes
        assert f"| degraded | {degraded} |" in str(told["verdicts"].value)
    evaluations = result.get_asset_check_evaluations()
    found = {(e.check_name, e.partition) for e in evaluations}
    assert found == {(name, host) for name in CHECKS for host in ("lab-a", "lab-b")}
    assert len(evaluations) == len(found)
    assert all(e.target_materialization_data is not None for e in evaluations)


def test_content_has_one_version_however_its_run_was_launched(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    alone = versions(farm)
    assert farm.run(INGEST, tags=RANGE).success
    assert versions(farm) == alone
    farm.ship("lab-b", 500)
    assert farm.run(INGEST, tags=RANGE).success
    changed = {key for key, found in versions(farm).items() if found != alone[key]}
    assert changed == {(asset, "lab-b") for asset in INGEST}


def test_what_a_host_was_made_from_is_noted_for_every_host(farm: Farm) -> None:
    assert farm.run(INGEST, tags=RANGE).success
    for host in ("lab-a", "lab-b"):
        tags = latest(farm, "window_features", host).tags or {}
        assert "dagster/input_data_version/episode_store" in tags
        assert (
            tags["dagster/code_version"]
            == ingest_assets.specs_by_key[dg.AssetKey("window_features")].code_version
        )


def test_a_host_that_fails_leaves_the_others_rows_and_no_green_partition(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = assets_ingest.ingest_host_supervised

    def broken(
        store: object, warehouse: object, host: str, *rest: object, **more: object
    ) -> object:
        if host == "lab-b":
            raise OSError(28, "No space left on device")
        return real(store, warehouse, host, *rest, **more)

    monkeypatch.setattr(assets_ingest, "ingest_host_supervised", broken)
    result = farm.run(INGEST, tags=RANGE, raise_on_error=False)
    assert not result.success
    assert not farm.instance.get_materialized_partitions(dg.AssetKey("window_features"))
    monkeypatch.undo()
    again = farm.run(INGEST, tags=RANGE)
    assert latest(farm, "validation_index", "lab-a").metadata["episodes_new"].value == 0
    assert latest(farm, "validation_index", "lab-b").metadata["episodes_new"].value == 12
    assert again.success
