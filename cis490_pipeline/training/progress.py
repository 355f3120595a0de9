"""What a fit tells its owner while it runs.

Not here: showing it (``cli``, ``orchestration``).
"""

from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One evaluation during a fit.

    ``step`` counts optimiser steps or boosting rounds from 1; ``train_loss`` is the mean since the
    last record; ``id_val_macro_f1`` is None where it was not computed; ``lr`` is the learning rate
    of the last step; ``most_epochs`` is where the fit ends at the latest. ``part`` says of which
    part of a job it is, where there are several: empty for the fit itself.
    """

    step: int
    epoch: int
    train_loss: float
    id_val_macro_f1: float | None
    lr: float
    most_epochs: int
    part: str = ""


class Reporter(Protocol):
    """Receives the records of a fit as they come."""

    def epoch(self, record: EpochRecord) -> None:
        """Take note of an evaluation."""
        ...


@dataclass(frozen=True, slots=True)
class PartReporter:
    """Passes records on under the name of a part of the job."""

    reporter: Reporter
    part: str

    def epoch(self, record: EpochRecord) -> None:
        """Pass it on."""
        inner = f", {record.part}" if record.part else ""
        self.reporter.epoch(replace(record, part=f"{self.part}{inner}"))


class SilentReporter:
    """Tells nobody."""

    def epoch(self, record: EpochRecord) -> None:
        """Do nothing."""
