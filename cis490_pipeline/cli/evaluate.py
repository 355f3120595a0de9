"""``cis490 evaluate``: score a split's fitted models on its test set, without Dagster."""

from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, split_option, warehouse_for
from cis490_pipeline.cli.output import emit_json, json_option, print_table, say
from cis490_pipeline.cli.results import model_columns, model_row, model_values
from cis490_pipeline.datasets.host_lists import load_host_lists
from cis490_pipeline.datasets.planning import write_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.on_split import ScoringContext, evaluate_on_split
from cis490_pipeline.evaluation.records import EvaluationRecord
from cis490_pipeline.evaluation.shift import measure_shift
from cis490_pipeline.models.current import fitted_models
from cis490_pipeline.models.provenance import code_commit
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import TRANSDUCTIVE_NOTE, Context
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.warehouse.warehouse import Warehouse


@click.command("evaluate", help="Score the fitted models of a split on its test set.")
@data_option
@split_option
@click.option("--family", default=None, help="One family only; default: every fitted one.")
@click.option("--mode", default=None, type=click.Choice([mode.value for mode in Mode]))
@json_option
def command(
    data: Path | None, split: str, family: str | None, mode: str | None, *, as_json: bool
) -> None:
    """Plan the test set, score, enter it in the ledger."""
    warehouse = warehouse_for(data)
    training_set = load_training_set(warehouse.layout, split)
    lists = load_host_lists(warehouse.layout.host_lists)
    config = SplitConfig(statuses=training_set.statuses)
    test_set = write_test_set(warehouse, split, config, lists)
    say(f"{split}: {len(test_set.test)} episodes test; {test_set.claim}")
    pairs = _wanted(warehouse, split, training_set.content_hash, family, mode)
    records: list[EvaluationRecord] = []
    scoring = ScoringContext(why="cis490 evaluate", code_commit=code_commit())
    for name, its_mode in pairs:
        say(f"scoring {name}/{its_mode.value}")
        records.extend(evaluate_on_split(warehouse, split, name, its_mode, scoring))
    measure_shift(warehouse, split, scoring)
    print_table(f"{split}: macro F1", model_columns(), [model_row(record) for record in records])
    if any(record.fitted.context == Context.TRANSDUCTIVE.value for record in records):
        say(TRANSDUCTIVE_NOTE)
    emit_json({"models": [model_values(record) for record in records]}, wanted=as_json)


def _wanted(
    warehouse: Warehouse, split: str, training_hash: str, family: str | None, mode: str | None
) -> list[tuple[str, Mode]]:
    pairs = {
        (fitted.family, Mode(fitted.mode))
        for fitted in fitted_models(warehouse.layout, split, training_hash)
        if family in (None, fitted.family) and mode in (None, fitted.mode)
    }
    if not pairs:
        raise WarehouseError(
            "no such model was fitted on the current training set",
            where=f"split {split}",
            found=f"family {family or 'any'}, mode {mode or 'any'}",
            todo="run `cis490 train` first",
        )
    return sorted(pairs)
