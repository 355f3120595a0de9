"""The command: run rows, print the table, write the JSON.

Not here: measuring.
"""

import json
import shutil
import tempfile
from functools import partial
from pathlib import Path

import click

from cis490_pipeline_tests.benchmarks.catalog import ROWS
from cis490_pipeline_tests.benchmarks.report import Run, as_json, as_markdown, show
from cis490_pipeline_tests.benchmarks.run import run_rows
from cis490_pipeline_tests.benchmarks.stores import FULL, QUICK


def _names(context: click.Context, parameter: click.Parameter, text: str) -> tuple[str, ...]:
    names = tuple(ROWS) if text == "all" else tuple(text.split(","))
    unknown = sorted(set(names) - set(ROWS))
    if unknown:
        raise click.BadParameter(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return names


def write(target: Path, run: Run) -> None:
    """Write a run as JSON, replacing the file."""
    target.write_text(json.dumps(as_json(run), indent=1, allow_nan=False) + "\n", "utf-8")


@click.command()
@click.option("--rows", callback=_names, default="all", help=f"Some of {', '.join(ROWS)}.")
@click.option("--quick", is_flag=True, help="Small stores: shows that it runs, not what it costs.")
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bench.json"),
    show_default=True,
    help="Where the figures go.",
)
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Where the table goes too, for a page.",
)
@click.option(
    "--work-dir",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=None,
    help="Where stores are made and removed again; a full run takes some 13 GB.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 where a row misses what it must reach.")
def main(
    rows: tuple[str, ...],
    target: Path,
    markdown: Path | None,
    work_dir: Path | None,
    *,
    quick: bool,
    strict: bool,
) -> None:
    """Measure the budgets of the project."""
    root = Path(tempfile.mkdtemp(prefix="cis490-bench-", dir=work_dir))
    try:
        say, keep = partial(click.echo, err=True), partial(write, target)
        run = run_rows(rows, QUICK if quick else FULL, root, say, keep)
    finally:
        shutil.rmtree(root)
    show(run)
    if markdown is not None:
        markdown.write_text(as_markdown(run), "utf-8")
    raise SystemExit(1 if strict and run.missed else 0)
