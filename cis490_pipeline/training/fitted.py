"""What every fitting procedure returns, and the score that all of them choose by.

Not here: the procedures (``loop``, ``boosting``, ``counting``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.errors import TrainingCancelledError
from cis490_pipeline.metrics.confusion import confusion
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline.models.classifier import Classifier
from cis490_pipeline.training.progress import EpochRecord, Reporter, SilentReporter

STEPS_BETWEEN_QUESTIONS: Final = 100
"""A fit in steps asks so often whether it is still wanted: an epoch of millions takes hours."""

Cancelled = Callable[[], bool]
"""Asks the owner of a fit whether it has been cancelled."""


def never_cancelled() -> bool:
    """Let every fit run to its end."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """How a fit is watched from outside; nothing here has an influence on its result.

    ``checkpoint`` is the file that a network fit resumes from, None for no file; ``token`` says for
    which fit and code its content holds.
    """

    reporter: Reporter = field(default_factory=SilentReporter)
    cancelled: Cancelled = never_cancelled
    checkpoint: Path | None = None
    token: str = ""

    def require_wanted(self, where: str) -> None:
        """Ask the owner.

        Raises
        ------
        TrainingCancelledError
            Where it has cancelled; a checkpoint stays.
        """
        if self.cancelled():
            raise TrainingCancelledError(
                "cancelled while training",
                where=where,
                todo="start the run again: it resumes from the last whole epoch",
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A fitted model before calibration.

    ``best_round`` of ``rounds`` is the one that was kept; ``steps`` counts optimiser steps or
    trees per class.
    """

    classifier: Classifier
    id_val_macro_f1: float | None
    rounds: int
    best_round: int
    steps: int
    history: tuple[EpochRecord, ...]


def macro_f1_of(score_NK: NDArray[np.float64], y_N: NDArray[np.int64]) -> float | None:
    """Return the macro F1 of the highest score per case, over the classes that occur."""
    n_classes = score_NK.shape[1]
    return macro_f1(confusion(y_N, score_NK.argmax(axis=1).astype(np.int64), n_classes))


def macro_f1_on(classifier: Classifier, cases: Cases) -> float | None:
    """Return a classifier's macro F1 on some cases."""
    return macro_f1_of(classifier.predict_proba(cases), cases.y_N)
