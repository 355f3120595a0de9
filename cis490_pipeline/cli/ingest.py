"""``cis490 ingest``: new episodes into tables and shards, without Dagster; safe to repeat."""

import time
from pathlib import Path

import click

from cis490_pipeline.cli.options import (
    data_option,
    index_option,
    settings_for,
    store_argument,
    threads_option,
)
from cis490_pipeline.cli.output import ProgressLine, emit_json, json_option, say
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.due import hosts_to_ingest
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.supervised_run import ingest_host_supervised
from cis490_pipeline.warehouse.warehouse import Warehouse


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
    settings = settings_for(data)
    warehouse = Warehouse(settings.data)
    options = IngestOptions(threads=threads, visit_limit_s=settings.visit_limit_s)
    hosts = hosts_to_ingest(episodes, warehouse)
    if host is not None and host not in hosts:
        raise click.BadParameter(f"no such host in the index; it has {', '.join(hosts)}")
    reports = []
    for name in hosts if host is None else [host]:
        with ProgressLine(f"ingest {name}") as progress:
            reports.append(ingest_host_supervised(episodes, warehouse, name, options, progress))
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
