"""How much of the past a model sees beside its window, and what exactly.

All but one are causal: of a window, only what lies before its end counts. ``transductive`` is not:
it knows the level of its host from all of the host's windows, later ones included, though never a
label. The numbers are part of what a stored model means; whoever changes one raises the format
version of the bundles.

Not here: the arithmetic (``features.past``), which families have which (``models.classifier``).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cis490_pipeline.schema.windows import STRIDE_TICKS, WINDOW_TICKS


class Context(StrEnum):
    """A model's view of the past; part of its identity."""

    NONE = "none"  # the window alone
    RECENT = "recent"  # the last minutes of the same episode
    COMMISSIONED = "commissioned"  # and the device's first window, which must have been clean
    TRANSDUCTIVE = "transductive"  # and the level of its host, from all windows that are loaded


TRANSDUCTIVE_NOTE: Final = (
    "transductive: uses all of the test host's unlabelled windows, not available to a device on "
    "its first day"
)
"""What every table says of figures in that context."""
STEPS_WINDOWS: Final = (1, 2)
"""Windows before that a window is compared with: half of the first one's ticks are this window's
too, so that the difference is its late half's against the time before it; the second shares none.
"""
MEANS_WINDOWS: Final = (3, 8)
"""Windows in the means that a window is compared with."""
RANGE_WINDOWS: Final = 24
"""Windows in the range (highest and lowest) that a window is compared with: two minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What a sequence family sees of the grid: every ``step``-th of the last ``ticks`` ticks.

    The window's last tick is always among them. Where it looks back, values are on the signed
    logarithm and relative to the window's own mean.
    """

    ticks: int
    step: int

    @property
    def n_timepoints(self) -> int:
        """Ticks that are seen."""
        return self.points_of(self.ticks)

    @property
    def looks_back(self) -> bool:
        """Whether there is more than the window."""
        return self.ticks > WINDOW_TICKS

    def points_of(self, ticks: int) -> int:
        """Return how many of so many last ticks are seen.

        >>> Stretch(ticks=100, step=4).points_of(50)
        13
        """
        return -(-ticks // self.step)


_ALONE: Final = Stretch(ticks=WINDOW_TICKS, step=1)
_BACK: Final = Stretch(ticks=RANGE_WINDOWS * STRIDE_TICKS, step=4)
"""Two minutes at 2.5 Hz: what a device can record is sampled at 1 or 2 Hz and held on the grid."""
STRETCHES: Final[dict[Context, Stretch]] = {
    Context.NONE: _ALONE,
    Context.RECENT: _BACK,
    Context.COMMISSIONED: _BACK,
    Context.TRANSDUCTIVE: _BACK,
}


def blocks_of(context: Context) -> int:
    """Return how many columns stand for each statistic of the window.

    >>> [blocks_of(context) for context in Context]
    [1, 7, 8, 7]
    """
    blocks = {Context.NONE: 1, Context.RECENT: 7, Context.COMMISSIONED: 8, Context.TRANSDUCTIVE: 7}
    return blocks[context]


def sequence_blocks_of(context: Context) -> int:
    """Return how many channels of a sequence stand for each of the grid.

    Two where there is a level to be relative to, beside the window's own mean.

    >>> [sequence_blocks_of(context) for context in Context]
    [1, 1, 2, 2]
    """
    return 2 if context in (Context.COMMISSIONED, Context.TRANSDUCTIVE) else 1
