"""Evaluations of a fit on the terminal, for every command that fits.

Not here: the progress line itself (``output``).
"""

from cis490_pipeline.cli.output import ProgressLine
from cis490_pipeline.training.progress import EpochRecord


class TerminalReporter:
    """Shows the fit's evaluations as they come."""

    def __init__(self, progress: ProgressLine) -> None:
        self._progress = progress

    def epoch(self, record: EpochRecord) -> None:
        """Show one evaluation."""
        part = f"{record.part}, " if record.part else ""
        score = "–" if record.id_val_macro_f1 is None else f"{record.id_val_macro_f1:.3f}"
        self._progress.note(
            f"{part}epoch {record.epoch}: loss {record.train_loss:.4f}, id_val macro F1 {score}",
            record.epoch,
            record.most_epochs,
        )
