"""``cis490 validate``: judge every indexed episode of a store; resumable."""

import sys
import time
from pathlib import Path

import click

from cis490_pipeline.cli.options import (
    index_option,
    settings_for,
    store_argument,
    threads_option,
)
from cis490_pipeline.cli.output import ProgressLine, emit_json, json_option, print_table
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.supervised_sweep import sweep_store_supervised
from cis490_pipeline.validation.gate import Status
from cis490_pipeline.validation.summary import SweepSummary, summarize

_N_DAMAGE = 10


@click.command("validate", help="Judge every indexed episode of STORE into a Parquet file.")
@store_argument
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Parquet file."
)
@index_option
@click.option("--limit", type=click.IntRange(min=0), default=None, help="Only the first N.")
@threads_option
@click.option("--strict", is_flag=True, help="Exit 1 where an episode is not accepted.")
@json_option
def command(
    store: Path,
    out: Path,
    index: str,
    limit: int | None,
    threads: int,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    """Sweep the store and print what it is like."""
    started = time.monotonic()
    episodes = EpisodeStore(store.resolve(), index)
    with ProgressLine("validate") as progress:
        options = IngestOptions(
            threads=threads,
            episodes_per_commit=500,
            visit_limit_s=settings_for(None).visit_limit_s,
        )
        sweep = sweep_store_supervised(
            episodes, out.resolve(), limit=limit, options=options, progress=progress
        )
    summary = summarize(sweep.rows, sweep.reading.damage)
    _print_summary(summary)
    for damage in sweep.reading.damage[:_N_DAMAGE]:
        click.echo(
            f"index line {damage.line}, byte {damage.offset}: {damage.kind} {damage.excerpt}"
        )
    if len(sweep.reading.damage) > _N_DAMAGE:
        click.echo(f"… and {len(sweep.reading.damage) - _N_DAMAGE} more damaged index rows")
    if sweep.n_resumed:
        click.echo(f"{sweep.n_resumed} verdicts were resumed from an interrupted sweep")
    click.echo(f"{summary.episodes} verdicts in {out}")
    emit_json(
        {
            "episodes": summary.episodes,
            "status": {status.value: n for status, n in summary.by_status.items()},
            "index_damage": {kind.value: n for kind, n in summary.index_damage.items()},
            "seconds": round(time.monotonic() - started, 3),
        },
        wanted=as_json,
    )
    if strict and summary.by_status[Status.ACCEPTED] != summary.episodes:
        sys.exit(1)


def _print_summary(summary: SweepSummary) -> None:
    names = [status.value for status in Status]
    rows = [
        [host, *(str(counts[status]) for status in Status)]
        for host, counts in summary.by_host.items()
    ]
    total = ["all", *(str(summary.by_status[status]) for status in Status)]
    print_table("verdicts", ["host", *(f"{name} " for name in names)], [*rows, total])
    if summary.top_reasons:
        rows = [[reason, str(n)] for reason, n in summary.top_reasons]
        print_table("top reasons", ["reason", "episodes "], rows)
    damaged = {kind.value: n for kind, n in summary.index_damage.items() if n}
    if damaged:
        rows = [[kind, str(n)] for kind, n in damaged.items()]
        print_table("index damage", ["kind", "rows "], rows)
