"""What a fit tells its owner while it runs.

Not here: showing it (``cli``, ``orchestration``).
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One evaluation during a fit.

    ``step`` counts optimiser steps or boosting rounds from 1; ``train_loss`` is the mean since the
    last record; ``id_val_macro_f1`` is None where it was not computed; ``lr`` is the learning rate
    of the last step.
    """

    step: int
    epoch: int
    train_loss: float
    id_val_macro_f1: float | None
    lr: float


class Reporter(Protocol):
    """Receives the records of a fit as they come."""

    def epoch(self, record: EpochRecord) -> None:
        """Take note of an evaluation."""
        ...


class SilentReporter:
    """Tells nobody."""

    def epoch(self, record: EpochRecord) -> None:
        """Do nothing."""
