"""``cis490 smoke``: the smoke subset end to end through Dagster, on committed real episodes.

A job cannot span two partition definitions, so this is one run of ``ingest_host`` per host, then
one run of ``full_split``; all of them stand in the UI's history and can be re-executed there.
"""

import sys
import time
from pathlib import Path
from typing import Final

import click

from cis490_pipeline.cli.options import data_option
from cis490_pipeline.cli.output import emit_json, json_option, print_table, say
from cis490_pipeline.cli.results import model_columns, model_row, model_values
from cis490_pipeline.errors import Cis490Error, StoreError
from cis490_pipeline.evaluation.records import EvaluationRecord, current_records
from cis490_pipeline.orchestration.smoke import SmokeRuns, run_smoke
from cis490_pipeline.settings import Settings
from cis490_pipeline.warehouse.layout import Layout

SPLIT: Final = "host=lab-b"
INDEX: Final = "smoke_index.jsonl"


@click.command("smoke", help="Run the smoke subset end to end through Dagster.")
@data_option
@json_option
def command(data: Path | None, *, as_json: bool) -> None:
    """Ingest two hosts, fit every family on lab-a, score on lab-b, write the report."""
    started = time.monotonic()
    corpus = _corpus()
    settings = Settings(store=corpus) if data is None else Settings(store=corpus, data=data)
    say(f"smoke: {corpus / INDEX} → {settings.data}")
    runs = run_smoke(settings, INDEX, SPLIT, say)
    if runs.failures:
        raise Cis490Error(
            "a run failed",
            where=f"{settings.data}",
            found="; ".join(runs.failures),
            todo=f"look at it with: cis490 ui --data {settings.data}",
        )
    seconds = round(time.monotonic() - started, 1)
    records = current_records(Layout(settings.data), SPLIT)
    _print(settings, runs, records, seconds, elsewhere=data is not None)
    emit_json(_values(settings, runs, records, seconds), wanted=as_json)


def _corpus() -> Path:
    path = Path(__file__).resolve().parents[2] / "data" / "corpus"
    if not (path / INDEX).is_file():
        raise StoreError(
            "the committed corpus is not beside the package",
            where=str(path),
            todo="run `make smoke` in a checkout",
        )
    return path


def _report(settings: Settings) -> Path:
    return Layout(settings.data).report(SPLIT) / "report.html"


def _print(
    settings: Settings,
    runs: SmokeRuns,
    records: tuple[EvaluationRecord, ...],
    seconds: float,
    *,
    elsewhere: bool,
) -> None:
    title = f"{SPLIT}: macro F1 on episodes of a host never seen in training"
    print_table(title, model_columns(), [model_row(record) for record in records])
    click.echo(runs.headline)
    n_reused = sum(record.fitted.reused for record in records)
    click.echo(
        f"{runs.episodes_new} new episodes ingested ({runs.episodes_total} held), "
        f"{n_reused} of {len(records)} models reused, {seconds} s"
    )
    if runs.episodes_total > runs.episodes_indexed:
        click.echo(
            f"note: {settings.data} holds {runs.episodes_total} episodes, the smoke subset has "
            f"{runs.episodes_indexed}; the split is over all of them"
        )
    click.echo(f"report: {_report(settings)}")
    ui = f"cis490 ui --data {settings.data}" if elsewhere else "make ui"
    click.echo(f"the runs are in Dagster's UI: {ui}")
    sys.stdout.flush()


def _values(
    settings: Settings, runs: SmokeRuns, records: tuple[EvaluationRecord, ...], seconds: float
) -> dict[str, object]:
    keys = ("family", "mode", "context", "seed", "macro_f1", "ci_low", "ci_high")
    models = [
        {key: model_values(record)[key] for key in keys} | {"reused": record.fitted.reused}
        for record in records
    ]
    return {
        "report": str(_report(settings)),
        "split": SPLIT,
        "seconds": seconds,
        "episodes_new": runs.episodes_new,
        "models": models,
    }
