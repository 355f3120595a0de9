"""``cis490 train``: fit one model on a split's training set, without Dagster."""

from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, split_option, warehouse_for
from cis490_pipeline.cli.output import ProgressLine, emit_json, json_option, say
from cis490_pipeline.cli.reporter import TerminalReporter
from cis490_pipeline.datasets.host_lists import load_host_lists
from cis490_pipeline.datasets.planning import write_training_set
from cis490_pipeline.models.catalog import FAMILIES, family
from cis490_pipeline.models.classifier import Procedure
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.training.on_split import FitOptions, fit_on_split, request_of
from cis490_pipeline.training.run import TrainingOutcome


@click.command("train", help="Fit one model on the training set of a split.")
@data_option
@split_option
@click.option("--family", "name", required=True, type=click.Choice([f.name for f in FAMILIES]))
@click.option("--mode", required=True, type=click.Choice([mode.value for mode in Mode]))
@click.option("--context", default="none", type=click.Choice([c.value for c in Context]))
@click.option(
    "--phase-filter/--no-phase-filter",
    default=None,
    help="Weigh each window against what can follow what; default: with a context.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--epochs", default=None, type=click.IntRange(min=1), help="Networks: exact passes.")
@click.option(
    "--statuses",
    default="accepted,degraded",
    show_default=True,
    help="Gate verdicts that may train, separated by commas.",
)
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1))
@json_option
def command(  # noqa: PLR0913 - one parameter an option
    data: Path | None,
    split: str,
    name: str,
    mode: str,
    context: str,
    seed: int,
    epochs: int | None,
    statuses: str,
    *,
    phase_filter: bool | None,
    threads: int,
    as_json: bool,
) -> None:
    """Plan the training set, fit, and say where the bundle is."""
    warehouse = warehouse_for(data)
    if epochs is not None and family(name).procedure is not Procedure.NETWORK:
        raise click.BadParameter(f"{name} is not fitted in epochs", param_hint="--epochs")
    options = FitOptions(
        family=name,
        mode=Mode(mode),
        context=Context(context),
        phase_filter=phase_filter,
        seed=seed,
        overrides={} if epochs is None else {"epochs": epochs},
        threads=threads,
    )
    config = SplitConfig(statuses=tuple(word.strip() for word in statuses.split(",")))
    request_of(options, config.statuses)  # a wrong option must not replace the split's set file
    lists = load_host_lists(warehouse.layout.host_lists)
    chosen = write_training_set(warehouse, split, config, lists)
    say(f"{split}: {len(chosen.train)} episodes train, {len(chosen.id_val)} are id_val")
    with ProgressLine(f"fit {name}/{mode}") as progress:
        reporter = TerminalReporter(progress)
        outcome = fit_on_split(warehouse, split, options, reporter, lambda: False)
    _tell(warehouse.layout.models / outcome.bundle, outcome, as_json=as_json)


def _tell(bundle: Path, outcome: TrainingOutcome, *, as_json: bool) -> None:
    how = "reused, nothing was fitted" if outcome.reused else f"fitted in {outcome.seconds:.1f} s"
    click.echo(f"{bundle}\n{how}")
    emit_json(
        {
            "bundle": outcome.bundle,
            "identity": outcome.identity,
            "id_val_macro_f1": outcome.id_val_macro_f1,
            "seconds": round(outcome.seconds, 3),
            "reused": outcome.reused,
        },
        wanted=as_json,
    )
