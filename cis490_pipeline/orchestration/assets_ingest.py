"""The ingest assets of a host: one decode pass, three assets, never a part of them alone.

Not here: the pass itself (``ingest``), the checks (``checks``).
"""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from cis490_pipeline.ingest.report import IngestReport
from cis490_pipeline.ingest.supervised_run import ingest_host_supervised
from cis490_pipeline.orchestration.config import IngestConfig
from cis490_pipeline.orchestration.metadata import SILENCE, ingest_metadata, table_metadata
from cis490_pipeline.orchestration.partitions import EPISODE_STORE, HOSTS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import INGEST_RETRY
from cis490_pipeline.orchestration.several_hosts import Made, materialized
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.tables import Table

GROUP: Final = "ingest"
OWNERS: Final = ("team:data",)
INGEST_KEYS: Final = ("validation_index", "tensor_shards", "window_features")

EPISODE_STORE_SPEC: Final = dg.AssetSpec(
    EPISODE_STORE,
    partitions_def=HOSTS,
    group_name="store",
    kinds={"file"},
    owners=["team:lab"],
    description="The receiver's `index.jsonl` and `episodes/<host>/*.tar.zst`; append-only, "
    "written elsewhere. `cis490 register` reports what it holds for each host.",
)


def _spec(name: str, kind: str, description: str, table: Table | None) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        deps=[EPISODE_STORE],
        partitions_def=HOSTS,
        group_name=GROUP,
        kinds={"python", kind},
        owners=OWNERS,
        code_version=current_schema().fingerprint[:12],
        description=description,
        metadata=table_metadata(table) if table else {},
        freshness_policy=SILENCE,
        tags={"stage": "ingest"},
    )


@dg.multi_asset(
    name="ingest",
    can_subset=False,
    backfill_policy=dg.BackfillPolicy.single_run(),  # a run costs more than a host with few news
    specs=[
        _spec(
            "validation_index",
            "deltalake",
            "One row per indexed episode: its verdict and every reason.",
            Table.VALIDATION_INDEX,
        ),
        _spec(
            "tensor_shards",
            "numpy",
            "The 10 Hz grid of every accepted or degraded episode, `[ticks, 46]` float32, "
            "memory-mapped; windows are views into it.",
            None,
        ),
        _spec(
            "window_features",
            "deltalake",
            "One row per window of 10 s every 5 s: label and 46 × 6 statistics. "
            "`episodes` and `episode_features` are written beside it.",
            Table.WINDOW_FEATURES,
        ),
    ],
    retry_policy=INGEST_RETRY,
    op_tags={"dagster-celery/queue": "cpu"},
)
def ingest_assets(
    context: dg.AssetExecutionContext, config: IngestConfig, lab: Lab
) -> Iterator[dg.MaterializeResult | dg.AssetMaterialization]:
    """Read the hosts' new episodes, one host after the other; a no-op where nothing is new."""
    store = lab.episode_store(config.index)
    made: list[Made] = []
    for host in context.partition_keys:
        report = ingest_host_supervised(
            store, lab.warehouse, host, lab.ingest_options, upto=config.upto
        )
        (context.log.warning if report.upto_lost else context.log.info)(report.sentence)
        made.extend(_made(report, host))
    yield from materialized(context.instance, made)


def _made(report: IngestReport, host: str) -> Iterator[Made]:
    for name in INGEST_KEYS:
        yield Made(
            host=host,
            asset=name,
            data_version=report.data_versions[name],
            metadata=ingest_metadata(report, name),
        )
