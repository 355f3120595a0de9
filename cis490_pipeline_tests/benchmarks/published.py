"""The families against published numbers: ``python -m cis490_pipeline_tests.benchmarks.published``.

JapaneseVowels (12 channels, 7 to 29 steps, 9 speakers, 270 training and 370 test cases), which the
aeon wheel carries. Official split; id_val is carved from the training cases by ``fit-arrays``; the
assets' defaults; the test cases are scored once per seed and choose nothing. It says whether the
families are what their names promise, not how well they detect an infection.

A floor is what the project must reach: below it a family is broken. Not here: timings (the other
benchmarks), sets that need a download.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from cis490_pipeline.datasets.array_files import LabelledArrays
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.training.on_arrays import fit_on_arrays

FLOORS: Final = {
    "gbt": 0.93,
    "mlp": 0.95,
    "cnn": 0.975,
    "gru": 0.93,
    "lstm": 0.93,
    "transformer": 0.965,
    "bert": 0.965,
    "knn": 0.93,
    "minirocket": 0.97,
}
"""Least mean accuracy over seeds; other families are shown without one."""
NETWORKS: Final = ("mlp", "cnn", "gru", "lstm", "transformer", "bert")
BEST_NETWORK_FLOOR: Final = 0.985
FAMILIES: Final = (*FLOORS, "blend", "knn_semi", "logistic")
PUBLISHED: Final = {
    "gbt": "95.1 (XGBoost on the five statistics)",
    "mlp": "97.6 ± 0.2 (dl-4-tsc, raw)",
    "cnn": "99.3 ± 0.2 FCN, 99.2 ± 0.3 ResNet (dl-4-tsc)",
    "lstm": "79.7",
    "transformer": "98.7 (lineage that selects on test)",
    "knn": "94.9 (1NN-DTW)",
    "minirocket": "98.4 ± 0.4",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A family's accuracies, one per seed."""

    family: str
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.accuracies))

    @property
    def passes(self) -> bool:
        """Whether the mean reaches the family's floor."""
        return self.mean >= FLOORS.get(self.family, 0.0)


def japanese_vowels() -> tuple[LabelledArrays, LabelledArrays]:
    """Return train and test as the wheel carries them, padded with NaN to 29 steps."""
    spec = importlib.util.find_spec("aeon")
    if spec is None or spec.origin is None:
        raise click.ClickException("aeon is not installed: make install, or the extra rocket")
    from aeon.datasets import load_from_ts_file

    folder = Path(spec.origin).parent / "datasets" / "data" / "JapaneseVowels"
    loaded = [load_from_ts_file(str(folder / f"JapaneseVowels_{p}.ts")) for p in ("TRAIN", "TEST")]
    longest = max(case.shape[1] for part in loaded for case in part[0])
    train, test = (_padded(part[0], part[1], longest) for part in loaded)
    return train, test


def _padded(cases: Any, labels: Any, length: int) -> LabelledArrays:
    x_NCT = np.full((len(cases), cases[0].shape[0], length), np.nan, dtype=np.float32)
    for row, case in enumerate(cases):
        x_NCT[row, :, : case.shape[1]] = case
    return LabelledArrays(x_NCT=x_NCT, label_N=np.array([int(label) for label in labels]))


def accuracy_of(name: str, seed: int, threads: int = 1) -> float:
    """Fit a family with its defaults and return its accuracy on the test cases."""
    train, test = japanese_vowels()
    model = fit_on_arrays(family(name), train, seed=seed, compute=Compute(threads=threads))
    predicted_N = model.predict_proba(test, where="JapaneseVowels").argmax(axis=1)
    truth_N = model.labels.index_of(test.label_N, where="JapaneseVowels")
    return float((predicted_N == truth_N).mean())


def table(lines: Sequence[Line]) -> str:
    """Return the table in Markdown."""
    rows = [
        "| family | accuracy, mean ± sd over seeds | floor | published |",
        "| --- | --- | --- | --- |",
    ]
    for line in lines:
        floor = f"{100 * FLOORS[line.family]:.1f}" if line.family in FLOORS else ""
        measured = f"{100 * line.mean:.1f} ± {100 * np.std(line.accuracies):.1f}"
        known = PUBLISHED.get(line.family, "")
        rows.append(f"| `{line.family}` | {measured} | {floor} | {known} |")
    return "\n".join(rows)


def shortfalls(lines: Sequence[Line]) -> list[str]:
    """Return a sentence for every floor that is not reached."""
    found = [
        f"{line.family}: {100 * line.mean:.2f} is below {100 * FLOORS[line.family]:.1f}"
        for line in lines
        if not line.passes
    ]
    networks = [line.mean for line in lines if line.family in NETWORKS]
    if len(networks) == len(NETWORKS) and max(networks) < BEST_NETWORK_FLOOR:
        best = f"{100 * max(networks):.2f} is below {100 * BEST_NETWORK_FLOOR:.1f}"
        found.append(f"best network: {best}")
    return found


@click.command()
@click.option("--families", default=",".join(FAMILIES), help="Separated by commas.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=1))
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1))
def main(families: str, seeds: int, threads: int) -> None:
    """Print the table; exit 1 where a floor is not reached."""
    lines: list[Line] = []
    for name in families.split(","):
        accuracies = tuple(accuracy_of(name, seed, threads) for seed in range(seeds))
        lines.append(Line(family=name, accuracies=accuracies))
        shown = ", ".join(f"{100 * value:.2f}" for value in accuracies)
        click.echo(f"{name}: {shown}", err=True)
    click.echo(table(lines))
    missed = shortfalls(lines)
    if missed:
        raise click.ClickException("; ".join(missed))


if __name__ == "__main__":
    main()
