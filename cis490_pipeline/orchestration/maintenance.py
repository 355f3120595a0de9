"""The ``maintenance`` job: compaction and clean-up of the data directory, by hand or ``nightly``.

It is an op, no asset: it changes no content, and no data version moves by it.
Not here: what it does (``ingest.compaction``).
"""

from typing import Final

import dagster as dg
from pydantic import Field

from cis490_pipeline.ingest.compaction import CompactionOptions, compact
from cis490_pipeline.orchestration.metadata import markdown_table
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import RETRY, SIX_HOURS

_DEFAULTS: Final = CompactionOptions()


class MaintenanceConfig(dg.Config):
    """How long superseded files stay for those who read them."""

    retention_hours: int = Field(
        default=_DEFAULTS.retention_hours,
        ge=0,
        description="Longer than any run reads; 0 only where nobody reads.",
    )


@dg.op(
    description="Merge small shards and table files; delete what nothing has named for a week.",
    out=dg.Out(dg.Nothing),
    tags={"dagster-celery/queue": "cpu"},
    retry_policy=RETRY,
)
def compact_warehouse(
    context: dg.OpExecutionContext, config: MaintenanceConfig, lab: Lab
) -> dg.Output[None]:
    """Compact; ingest of a host waits while that host's files are merged."""
    options = CompactionOptions(retention_hours=config.retention_hours)
    report = compact(lab.warehouse, options)
    context.log.info(report.sentence)
    rows = [
        (t.table.value, t.merged.before, t.merged.after, t.vacuumed.files) for t in report.tables
    ]
    header = ("table", "files merged", "into", "superseded files deleted")
    return dg.Output(
        None,
        metadata={
            "tables": markdown_table(header, rows),
            "shards_merged": dg.MetadataValue.int(report.shards_merged.before),
            "shards_written": dg.MetadataValue.int(report.shards_merged.after),
            "deleted_bytes": dg.MetadataValue.int(report.removed.bytes),
            "waiting_bytes": dg.MetadataValue.int(report.waiting.bytes),
            "seconds": dg.MetadataValue.float(round(report.seconds, 3)),
        },
    )


@dg.job(
    name="maintenance",
    description="Merge small shards and table files; delete what nobody needs. Safe at any time.",
    tags={"cis490/job": "maintenance", **SIX_HOURS},
)
def maintenance() -> None:
    """One step."""
    compact_warehouse()
