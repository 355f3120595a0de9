"""The log of a search over hyper-parameters as table rows.

Not here: the search (``training.search``), cards (``cards``).
"""

from collections.abc import Sequence
from typing import Final

from cis490_pipeline.edge.header import Trial

SEARCH_HEADER: Final = (
    "combination",
    "macro F1 on id_val",
    "rounds",
    "best round",
    "seconds",
    "chosen",
)


def search_rows(trials: Sequence[Trial]) -> list[list[str]]:
    """Return one row for each combination, in the declared order."""
    return [
        [
            combination(trial),
            "–" if trial.id_val_macro_f1 is None else f"{trial.id_val_macro_f1:.4f}",
            str(trial.rounds),
            str(trial.best_round),
            "–" if trial.seconds is None else f"{trial.seconds:.1f}",
            "chosen" if trial.chosen else "",
        ]
        for trial in trials
    ]


def combination(trial: Trial) -> str:
    """Name a combination by what it varies."""
    varied = ", ".join(f"{name} {value}" for name, value in trial.hyper_parameters.items())
    return varied or "defaults"
