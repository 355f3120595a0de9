"""Shadow mode: what a host has newly shipped, scored by the model of ``deploy``.

Made by itself after every ingest that brought something (``automation``), since it is cheap and
fits nothing.

Not here: who watches and what is counted (``shadow``).
"""

import time
from collections.abc import Iterator
from typing import Final

import dagster as dg

from cis490_pipeline.orchestration.assets_ingest import INGEST_KEYS
from cis490_pipeline.orchestration.automation import WHEN_INPUTS_CHANGE
from cis490_pipeline.orchestration.config import ShadowConfig
from cis490_pipeline.orchestration.metadata import shadow_metadata, table_metadata
from cis490_pipeline.orchestration.partitions import HOSTS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import RETRY
from cis490_pipeline.orchestration.several_hosts import Made, materialized
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.shadow.scores import score_arrivals
from cis490_pipeline.shadow.summary import SHADOW_VERSION, summarize_host
from cis490_pipeline.shadow.watcher import NoWatcher, Watcher, find_watcher

_NAME: Final = "shadow_scores"


_SPEC: Final = dg.AssetSpec(
    _NAME,
    deps=list(INGEST_KEYS),
    group_name="shadow",
    kinds={"python", "deltalake"},
    owners=["team:ml"],
    code_version=f"{current_schema().fingerprint[:12]}.{SHADOW_VERSION}",
    description="What the recommended model of split `deploy` says of episodes that it was not "
    "fitted on, one row each: alarms, false alarms, infections found; and how far the host's "
    "telemetry has drifted. Nobody acts on it, and it is no test: the hosts trained the model. "
    "Makes nothing as long as `deploy` has no evaluated model.",
    metadata=table_metadata(Table.SHADOW_SCORES),
    automation_condition=WHEN_INPUTS_CHANGE,
    skippable=True,
    tags={"stage": "shadow"},
)


@dg.multi_asset(
    name=_NAME,
    partitions_def=HOSTS,
    # of an asset this would be a beta parameter, and every process would warn of it
    backfill_policy=dg.BackfillPolicy.single_run(),
    specs=[_SPEC],
    op_tags={"dagster-celery/queue": "cpu"},
    retry_policy=RETRY,
)
def shadow_scores(
    context: dg.AssetExecutionContext, config: ShadowConfig, lab: Lab
) -> Iterator[dg.MaterializeResult | dg.AssetMaterialization]:
    """Score the hosts' arrivals, one host after the other."""
    watcher = find_watcher(lab.warehouse, config.model)
    if isinstance(watcher, NoWatcher):
        context.log.warning(f"nobody watches: {watcher.reason}")
        return
    context.log.info(f"{watcher.key.label}, bundle {watcher.fitted.bundle[:12]}, watches")
    made = [_made(lab, host, watcher, config.threads) for host in context.partition_keys]
    yield from materialized(context.instance, made)


def _made(lab: Lab, host: str, watcher: Watcher, threads: int) -> Made:
    n_new = score_arrivals(lab.warehouse, host, watcher, now=time.time, threads=threads)
    found = summarize_host(lab.warehouse, host, watcher)
    return Made(
        host=host,
        asset=_NAME,
        data_version=found.content_hash,
        metadata=shadow_metadata(found, n_new, lab.warehouse.layout.shadow(host)),
    )
