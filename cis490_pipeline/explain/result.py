"""What an explanation says: figures only, in a form that can be written down.

Shape suffixes: none; tables are tuples of rows, one row a channel, one entry a phase.

Not here: computing it (``on_split``), files (``records``), drawing (``reporting``).
"""

from dataclasses import dataclass
from typing import Final

from cis490_pipeline.explain.agreement import Agreements, RankAgreement
from cis490_pipeline.explain.columns import Cells, PartShare

TOO_SIMILAR: Final = 0.7
"""Mean rank correlation with a model that has learned nothing, from which on half of the ranking
(the square of it) is not what was learned."""


VERSION: Final = 1
"""Raised when the same model would get other figures: explanations of before are made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """What is explained; part of what a stored explanation answers.

    Attributes
    ----------
    windows_per_phase
        About so many windows of id_val, and as many of the test set, are explained of each phase.
    seed
        Of the draw of the windows and of the model that has learned nothing.
    """

    windows_per_phase: int = 40
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """By how many logits the attributions of a window miss their sum.

    ``n_beyond`` of ``n_windows`` miss it by more than ``tolerance``, relative where the logit moves
    by more than 1.
    """

    largest: float
    median: float
    tolerance: float
    n_beyond: int
    n_windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCells:
    """Mean absolute attributions over the windows of one host alone; ``role`` id_val or test."""

    host: str
    role: str
    cells: Cells
    n_windows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopCell:
    """One of the strongest cells."""

    channel: str
    phase: str
    attribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Attributions of one model, channel × phase, and what they are worth.

    Attributes
    ----------
    test_set_hash
        Of the test set that the agreement with test hosts was computed on; None where there was
        none.
    cells
        Mean absolute attribution in logits to the logit of a phase, over the explained id_val
        windows of that phase; None (untested) where there is none.
    n_windows
        Explained id_val windows of each phase.
    control
        How the model was made that has learned nothing.
    warnings
        What a reader has to know before believing the cells.
    """

    version: int
    split: str
    family: str
    mode: str
    context: str
    seed: int
    bundle: str
    training_set_hash: str
    test_set_hash: str | None
    options: ExplainOptions
    method: str
    phases: tuple[str, ...]
    channels: tuple[str, ...]
    cells: Cells
    n_windows: tuple[int, ...]
    parts: tuple[PartShare, ...]
    hosts: tuple[HostCells, ...]
    completeness: Completeness
    between_training_hosts: Agreements
    with_test_hosts: Agreements
    with_control: RankAgreement
    control: str
    warnings: tuple[str, ...]

    def top(self, n: int) -> tuple[TopCell, ...]:
        """Return the strongest cells, strongest first."""
        found = [
            TopCell(channel=channel, phase=phase, attribution=value)
            for channel, row in zip(self.channels, self.cells, strict=True)
            for phase, value in zip(self.phases, row, strict=True)
            if value is not None
        ]
        return tuple(sorted(found, key=lambda one: (-one.attribution, one.channel, one.phase))[:n])

    def strongest_channels(self) -> tuple[int, ...]:
        """Return the rows of ``cells``, those with the largest mean over the phases first."""
        totals = [sum(value or 0.0 for value in row) for row in self.cells]
        return tuple(sorted(range(len(totals)), key=lambda row: (-totals[row], row)))
