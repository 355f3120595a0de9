"""``cis490 fit-arrays``: any family on plain arrays, with the loop and defaults of the assets."""

import time
from pathlib import Path

import click
import numpy as np

from cis490_pipeline.cli.output import ProgressLine, emit_json, json_option, say
from cis490_pipeline.cli.reporter import TerminalReporter
from cis490_pipeline.datasets.array_cases import ArrayInput
from cis490_pipeline.datasets.array_files import LabelledArrays, read_arrays
from cis490_pipeline.metrics.confusion import confusion
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline.models.catalog import FAMILIES, family
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.models.hyper_parameters import scalars_of
from cis490_pipeline.training.fitted import Supervision
from cis490_pipeline.training.on_arrays import ArrayModel, default_input, fit_on_arrays

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "fit-arrays",
    help="Fit a family on TRAIN.npz and score it on TEST.npz. Each file has x: n_cases × n_channels"
    " × n_timepoints numbers (NaN = missing) and y: integers; id_val is carved from TRAIN.",
)
@click.argument("name", metavar="FAMILY", type=click.Choice([f.name for f in FAMILIES]))
@click.argument("train_file", metavar="TRAIN.npz", type=_FILE)
@click.argument("test_file", metavar="TEST.npz", type=_FILE)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Of all draws."
)
@click.option(
    "--input",
    "view",
    default=None,
    type=click.Choice([view.value for view in ArrayInput]),
    help="What the family sees; default: summary for summary families, else raw.",
)
@click.option(
    "--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Of the fit."
)
@json_option
def command(
    name: str,
    train_file: Path,
    test_file: Path,
    seed: int,
    view: str | None,
    threads: int,
    *,
    as_json: bool,
) -> None:
    """Fit, predict, and print accuracy and macro F1."""
    chosen = default_input(family(name)) if view is None else ArrayInput(view)
    train, test = read_arrays(train_file), read_arrays(test_file)
    say(f"{name} on {train.label_N.size} cases, {chosen.value}")
    started = time.monotonic()
    model = _fitted(name, train, chosen, seed, threads)
    accuracy, score = _scored(model, test, str(test_file))
    seconds = time.monotonic() - started
    shown = "undefined" if score is None else f"{score:.4f}"
    click.echo(f"accuracy {accuracy:.4f}, macro F1 {shown}, {seconds:.1f} s")
    emit_json(
        {
            "family": name,
            "seed": seed,
            "input": chosen.value,
            "accuracy": accuracy,
            "macro_f1": score,
            "seconds": round(seconds, 3),
            "hyper_parameters": scalars_of(family(name).hyper_parameters),
        },
        wanted=as_json,
    )


def _fitted(
    name: str, train: LabelledArrays, view: ArrayInput, seed: int, threads: int
) -> ArrayModel:
    with ProgressLine(f"fit {name}") as progress:
        return fit_on_arrays(
            family(name),
            train,
            seed=seed,
            view=view,
            compute=Compute(threads=threads),
            watch=Supervision(reporter=TerminalReporter(progress)),
        )


def _scored(model: ArrayModel, test: LabelledArrays, where: str) -> tuple[float, float | None]:
    """Return accuracy, and macro F1 over the classes that occur in the test cases."""
    p_NK = model.predict_proba(test, where=where)
    truth_N = model.labels.index_of(test.label_N, where=where)
    predicted_N = p_NK.argmax(axis=1).astype(np.int64)
    score = macro_f1(confusion(truth_N, predicted_N, p_NK.shape[1]))
    return float((predicted_N == truth_N).mean()), score
