"""``cis490 compact``: small files into large ones, and nothing on disk that nobody needs."""

from dataclasses import asdict
from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, warehouse_for
from cis490_pipeline.cli.output import emit_json, json_option
from cis490_pipeline.ingest.compaction import CompactionOptions, compact

_DEFAULTS = CompactionOptions()


@click.command("compact", help="Merge small shards and table files; delete what nothing names.")
@data_option
@click.option(
    "--retention-hours",
    type=click.IntRange(min=0),
    default=_DEFAULTS.retention_hours,
    show_default=True,
    help="Superseded files stay so long for those who read them; 0 only where nobody does.",
)
@click.option(
    "--shard-mb",
    type=click.IntRange(min=1),
    default=_DEFAULTS.shard_bytes >> 20,
    show_default=True,
    help="Size that shards are merged to, MiB.",
)
@json_option
def command(data: Path | None, retention_hours: int, shard_mb: int, *, as_json: bool) -> None:
    """Compact and say what was done."""
    options = CompactionOptions(retention_hours=retention_hours, shard_bytes=shard_mb << 20)
    report = compact(warehouse_for(data), options)
    click.echo(report.sentence)
    emit_json(
        {
            "shards_merged": asdict(report.shards_merged),
            "table_files_merged": asdict(report.files_merged),
            "removed": asdict(report.removed),
            "waiting": asdict(report.waiting),
            "seconds": round(report.seconds, 3),
        },
        wanted=as_json,
    )
