"""What the UI knows of the tables: columns, rows of a partition, where a column comes from."""

from datetime import timedelta

import dagster as dg
from dagster._core.definitions.metadata.metadata_set import TableMetadataSet

from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm

TABLES = {
    "validation_index": Table.VALIDATION_INDEX,
    "window_features": Table.WINDOW_FEATURES,
    "evaluation/elapsed_time/any": Table.PREDICTIONS,
}
SPLIT = "host=lab-b"


def latest(farm: Farm, key: str, partition: str) -> TableMetadataSet:
    records = farm.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(key.split("/")), asset_partitions=[partition]),
        limit=1,
    ).records
    assert records
    materialization = records[0].asset_materialization
    assert materialization is not None
    return TableMetadataSet.extract(materialization.metadata)


def test_an_asset_in_a_table_shows_its_columns_and_the_table_s_name(farm: Farm) -> None:
    specs = {s.key.to_user_string(): s for s in farm.definitions.resolve_all_asset_specs()}
    for key, table in TABLES.items():
        shown = TableMetadataSet.extract(specs[key].metadata)
        assert shown.column_schema is not None
        assert [c.name for c in shown.column_schema.columns] == TABLE_SCHEMAS[table].names
        assert all(column.description for column in shown.column_schema.columns)
        assert shown.table_name == table.value


def test_rows_are_counted_for_the_partition_and_not_for_the_table(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.ship("lab-b", 500)
    farm.ingest("lab-b")
    for host, episodes in (("lab-a", 12), ("lab-b", 13)):
        assert latest(farm, "validation_index", host).partition_row_count == episodes
        assert latest(farm, "validation_index", host).row_count is None
        rows = farm.warehouse.tables.read(Table.WINDOW_FEATURES, columns=["host_id"])
        windows = rows["host_id"].to_pylist().count(host)
        assert latest(farm, "window_features", host).partition_row_count == windows


def test_predictions_say_which_columns_are_copied_from_the_windows(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    fast = ["model/elapsed_time/any", "evaluation/elapsed_time/any"]
    farm.run(["training_set", "test_set", *fast], SPLIT)
    lineage = latest(farm, fast[1], SPLIT).column_lineage
    assert lineage is not None
    windows = dg.AssetKey("window_features")
    for name in ("episode_id", "window", "phase"):
        assert lineage.deps_by_column[name] == [dg.TableColumnDep(windows, name)]
    assert not [name for name in lineage.deps_by_column if name.startswith("p_")]


def test_assets_made_of_episodes_say_when_none_came(farm: Farm) -> None:
    specs = {s.key.to_user_string(): s for s in farm.definitions.resolve_all_asset_specs()}
    watched = {key for key, spec in specs.items() if spec.freshness_policy is not None}
    assert watched == {*INGEST, "data_card"}
    for key in watched:
        policy = specs[key].freshness_policy
        assert policy == dg.FreshnessPolicy.time_window(
            warn_window=timedelta(days=2), fail_window=timedelta(days=7)
        )
