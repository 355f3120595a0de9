"""``cis490 ingest``: new episodes into tables and shards, without Dagster; safe to repeat."""

import time
from pathlib import Path

import click

from cis490_pipeline.cli.options import (
    data_option,
    index_option,
    store_argument,
    threads_option,
    warehouse_for,
)
from cis490_pipeline.cli.output import ProgressLine, emit_json, json_option, say
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import IngestOptions, hosts_to_ingest, ingest_host


@click.command("ingest", help="Read new episodes of STORE into tables and shards.")
@store_argument
@data_option
@index_option
@click.option("--host", default=None, help="One host only; default: every host of the index.")
@threads_option
@json_option
def command(
    store: Path, data: Path | None, index: str, host: str | None, threads: int, *, as_json: bool
) -> None:
    """Ingest the hosts one after the other."""
    started = time.monotonic()
    episodes = EpisodeStore(store.resolve(), index)
    warehouse = warehouse_for(data)
    hosts = hosts_to_ingest(episodes, warehouse)
    if host is not None and host not in hosts:
        raise click.BadParameter(f"no such host in the index; it has {', '.join(hosts)}")
    reports = []
    for name in hosts if host is None else [host]:
        with ProgressLine(f"ingest {name}") as progress:
            options = IngestOptions(threads=threads)
            reports.append(ingest_host(episodes, warehouse, name, options, progress))
        say(reports[-1].sentence)
    totals = {
        "episodes_new": sum(r.episodes_new for r in reports),
        "episodes_total": sum(r.episodes_total for r in reports),
        "windows_total": sum(r.windows_total for r in reports),
        "seconds": round(time.monotonic() - started, 3),
    }
    click.echo(
        f"{totals['episodes_new']} new episodes, {totals['episodes_total']} held with "
        f"{totals['windows_total']} windows in {warehouse.root} ({totals['seconds']} s)"
    )
    emit_json(totals, wanted=as_json)
