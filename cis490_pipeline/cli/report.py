"""``cis490 report``: a split's comparison report and model cards from what was scored.

For ``host=<h>`` also the page over all hosts that were left out so far.
"""

from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, split_option, warehouse_for
from cis490_pipeline.cli.output import emit_json, json_option
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline.reporting.publish_cards import publish_model_cards
from cis490_pipeline.reporting.publish_folds import publish_folds
from cis490_pipeline.splits.recipes import LeaveHostOut, parse_split


@click.command("report", help="Write the comparison report and model cards of a split.")
@data_option
@split_option
@json_option
def command(data: Path | None, split: str, *, as_json: bool) -> None:
    """Write the pages and print the headline."""
    warehouse = warehouse_for(data)
    cards = publish_model_cards(warehouse, split)  # first: the report links those that stand
    report = publish_comparison(warehouse, split)
    click.echo(report.headline)
    click.echo(f"{report.html}\n{len(cards.paths)} model cards in {cards.directory}")
    click.echo(f"all reports: {report.index}")
    folds = publish_folds(warehouse) if isinstance(parse_split(split), LeaveHostOut) else None
    if folds is not None:
        click.echo(f"{len(folds.tested)} of {len(folds.hosts)} hosts left out: {folds.html}")
    emit_json(
        {
            "html": str(report.html),
            "markdown": str(report.markdown),
            "json": str(report.json),
            "headline": report.headline,
            "index": str(report.index),
            "leave_one_host_out": str(folds.html) if folds is not None else None,
        },
        wanted=as_json,
    )
