"""``cis490 explain``: which channels a fitted model looks at in which phase."""

from pathlib import Path
from typing import Final

import click
import msgspec

from cis490_pipeline.cli.options import data_option, split_option, warehouse_for
from cis490_pipeline.cli.output import emit_json, json_option, print_table, say
from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.explain.agreement import RankAgreement
from cis490_pipeline.explain.on_split import explain_model, find_model
from cis490_pipeline.explain.result import ExplainOptions, Explanation
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.provenance import code_commit
from cis490_pipeline.reporting.explained import agreement_groups
from cis490_pipeline.reporting.publish_explanations import publish_explanations
from cis490_pipeline.reporting.text import UNTESTED, number, signed_number
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context

_TOP: Final = 15
"""Cells that ``--json`` lists; the file has them all."""


@click.command("explain", help="Show which channels a fitted model looks at, phase by phase.")
@data_option
@split_option
@click.option("--family", "name", required=True, type=click.Choice([f.name for f in FAMILIES]))
@click.option("--mode", required=True, type=click.Choice([mode.value for mode in Mode]))
@click.option("--context", default="none", type=click.Choice([c.value for c in Context]))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--windows",
    default=ExplainOptions().windows_per_phase,
    show_default=True,
    type=click.IntRange(min=1),
    help="Windows of each phase that are explained.",
)
@json_option
def command(
    data: Path | None,
    split: str,
    name: str,
    mode: str,
    context: str,
    seed: int,
    windows: int,
    *,
    as_json: bool,
) -> None:
    """Explain the current model of a configuration, write JSON and heat map, print the table."""
    warehouse = warehouse_for(data)
    fitted = find_model(
        warehouse, split, name=name, mode=Mode(mode), context=Context(context), seed=seed
    )
    scoring = ScoringContext(why="cis490 explain", code_commit=code_commit())
    done = explain_model(warehouse, fitted, ExplainOptions(windows_per_phase=windows), scoring)
    published = publish_explanations(warehouse.layout, [done]).each[0]
    _show(done.explanation, published.model)
    click.echo(f"{published.json}\n{published.svg}")
    emit_json(
        {
            "top": msgspec.to_builtins(done.explanation.top(_TOP)),
            "json": str(published.json),
            "svg": str(published.svg),
            "warnings": list(done.explanation.warnings),
        },
        wanted=as_json,
    )


def _show(explanation: Explanation, name: str) -> None:
    header = ["channel", *(f"{phase} " for phase in explanation.phases)]
    rows = [
        [explanation.channels[row], *(number(value) for value in explanation.cells[row])]
        for row in explanation.strongest_channels()
    ]
    print_table(f"{name}: mean |attribution| in logits, {explanation.method}", header, rows)
    groups = agreement_groups(explanation)
    pairs = [_pair(group.title, pair) for group in groups for pair in group.pairs]
    print_table("rank correlation of the channels", ["between", *header[1:]], pairs)
    for group in groups:
        if not group.pairs:
            click.echo(f"{group.title}: {UNTESTED}, {group.reason}")
    for warning in explanation.warnings:
        say(f"warning: {warning}")


def _pair(title: str, pair: RankAgreement) -> list[str]:
    return [f"{pair.first}, {pair.second} ({title})", *(signed_number(rho) for rho in pair.rho)]
