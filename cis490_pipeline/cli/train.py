"""``cis490 train``: fit one model on a split's training set, without Dagster.

Several seeds are several models; with ``--search`` each is the best of the family's grid on id_val.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, split_option, warehouse_for
from cis490_pipeline.cli.output import ProgressLine, emit_json, json_option, print_table, say
from cis490_pipeline.cli.reporter import TerminalReporter
from cis490_pipeline.datasets.host_lists import load_host_lists
from cis490_pipeline.datasets.planning import write_training_set
from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.edge.header import Trial
from cis490_pipeline.models.catalog import FAMILIES, family
from cis490_pipeline.models.classifier import Procedure
from cis490_pipeline.reporting.search import SEARCH_HEADER, search_rows
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.training.alarm import alarm_policy
from cis490_pipeline.training.fitted import never_cancelled
from cis490_pipeline.training.job import TrainingOutcome
from cis490_pipeline.training.on_split import FitOptions, fit_on_split, request_of
from cis490_pipeline.warehouse.warehouse import Warehouse


def _fit_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add what is part of the fit: seeds, epochs, filter, search, alarm."""
    options = (
        click.option(
            "--phase-filter/--no-phase-filter",
            default=None,
            help="Weigh each window against what can follow what; default: with a context.",
        ),
        click.option(
            "--seed",
            "seeds",
            multiple=True,
            default=(0,),
            show_default=True,
            type=click.IntRange(0, 2**31 - 1),
            help="Of all draws; may be given several times, for a model each.",
        ),
        click.option(
            "--search",
            is_flag=True,
            help="Try the family's declared grid, keep the best on id_val.",
        ),
        click.option(
            "--alarm",
            default="2/3",
            show_default=True,
            metavar="K/N",
            help="The alarm rings at the K-th positive window among N.",
        ),
        click.option(
            "--alarm-budget",
            default=AlarmPolicy().budget,
            show_default=True,
            type=float,
            help="Share of the id_val episodes that may raise a false alarm.",
        ),
        click.option(
            "--epochs", default=None, type=click.IntRange(min=1), help="Networks: exact passes."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command("train", help="Fit one model on the training set of a split.")
@data_option
@split_option
@click.option("--family", "name", required=True, type=click.Choice([f.name for f in FAMILIES]))
@click.option("--mode", required=True, type=click.Choice([mode.value for mode in Mode]))
@click.option("--context", default="none", type=click.Choice([c.value for c in Context]))
@_fit_options
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
    seeds: tuple[int, ...],
    epochs: int | None,
    statuses: str,
    *,
    phase_filter: bool | None,
    search: bool,
    alarm: str,
    alarm_budget: float,
    threads: int,
    as_json: bool,
) -> None:
    """Plan the training set, fit, and say where the bundle is."""
    if epochs is not None and family(name).procedure is not Procedure.NETWORK:
        raise click.BadParameter(f"{name} is not fitted in epochs", param_hint="--epochs")
    options = FitOptions(
        family=name,
        mode=Mode(mode),
        context=Context(context),
        phase_filter=phase_filter,
        overrides={} if epochs is None else {"epochs": epochs},
        search=search,
        alarm=alarm_policy(alarm, alarm_budget),
        threads=threads,
    )
    warehouse = warehouse_for(data)
    _plan(warehouse, split, options, tuple(word.strip() for word in statuses.split(",")))
    fitted = {
        seed: _fitted(warehouse, split, replace(options, seed=seed))
        for seed in dict.fromkeys(seeds)
    }
    for seed, outcome in fitted.items():
        _tell(warehouse.layout.models / outcome.bundle, seed, outcome)
    emit_json(_values(fitted), wanted=as_json)


def _plan(warehouse: Warehouse, split: str, options: FitOptions, statuses: tuple[str, ...]) -> None:
    config = SplitConfig(statuses=statuses)
    request_of(options, config.statuses)  # a wrong option must not replace the split's set file
    lists = load_host_lists(warehouse.layout.host_lists)
    chosen = write_training_set(warehouse, split, config, lists)
    say(f"{split}: {len(chosen.train)} episodes train, {len(chosen.id_val)} are id_val")


def _fitted(warehouse: Warehouse, split: str, options: FitOptions) -> TrainingOutcome:
    seed = f", seed {options.seed}" if options.seed else ""
    with ProgressLine(f"fit {options.family}/{options.mode.value}{seed}") as progress:
        return fit_on_split(warehouse, split, options, TerminalReporter(progress), never_cancelled)


def _tell(bundle: Path, seed: int, outcome: TrainingOutcome) -> None:
    if outcome.search:
        title = "tried on id_val, whose best is better than the model is"
        print_table(title, SEARCH_HEADER, search_rows(outcome.search))
    how = "reused, nothing was fitted" if outcome.reused else f"fitted in {outcome.seconds:.1f} s"
    click.echo(f"{bundle}\nseed {seed}: {how}")


def _values(fitted: Mapping[int, TrainingOutcome]) -> dict[str, object]:
    """Return the JSON object: of several seeds the first one's bundle, and all of them apart."""
    models = [{"seed": seed, **_model_values(outcome)} for seed, outcome in fitted.items()]
    return {**_model_values(next(iter(fitted.values()))), "models": models}


def _model_values(outcome: TrainingOutcome) -> dict[str, object]:
    return {
        "bundle": outcome.bundle,
        "identity": outcome.identity,
        "id_val_macro_f1": outcome.id_val_macro_f1,
        "seconds": round(outcome.seconds, 3),
        "reused": outcome.reused,
        "search": [_trial_values(trial) for trial in outcome.search] or None,
    }


def _trial_values(trial: Trial) -> dict[str, object]:
    return {
        "hyper_parameters": dict(trial.hyper_parameters),
        "id_val_macro_f1": trial.id_val_macro_f1,
        "rounds": trial.rounds,
        "seconds": trial.seconds,
        "chosen": trial.chosen,
    }
