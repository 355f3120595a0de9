"""The maintenance job keeps the directory small and every asset fresh."""

import dagster as dg

from cis490_pipeline.orchestration.maintenance import maintenance
from cis490_pipeline.schema.tables import Table
from cis490_pipeline_tests.ingest.content import content_of
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm


def _data_version(farm: Farm, name: str, host: str) -> dg.DataVersion | None:
    records = farm.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(name), asset_partitions=[host]), limit=1
    ).records
    assert records
    materialization = records[0].event_log_entry.asset_materialization
    assert materialization is not None
    tags = materialization.tags or {}
    return dg.DataVersion(tags["dagster/data_version"])


def test_maintenance_changes_neither_content_nor_data_versions(farm: Farm) -> None:
    farm.ingest("lab-a")
    farm.ship("lab-a", 700)
    farm.ingest("lab-a")
    before = {name: _data_version(farm, name, "lab-a") for name in INGEST}
    content = content_of(farm.settings.data)
    repository = dg.Definitions(
        jobs=[maintenance], resources=farm.definitions.resources, executor=dg.in_process_executor
    )
    job = repository.resolve_job_def("maintenance")
    assert job.execute_in_process(instance=farm.instance).success
    assert content_of(farm.settings.data) == content
    assert farm.warehouse.tables.read(Table.EPISODES)["shard"].unique().to_pylist() != []
    shards = farm.warehouse.tables.read(Table.EPISODES)["shard"].drop_null().unique()
    assert len(shards) == 1
    farm.ingest("lab-a")
    assert {name: _data_version(farm, name, "lab-a") for name in INGEST} == before
