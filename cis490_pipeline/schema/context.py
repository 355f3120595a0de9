"""How much of the past a model sees beside its window, and what exactly.

Everything here is causal: of a window, only what lies before its end counts. The numbers are part
of what a stored model means; whoever changes one raises the format version of the bundles.

Not here: the arithmetic (``features.past``), which families have which (``models.classifier``).
"""

from enum import StrEnum
from typing import Final

from cis490_pipeline.schema.windows import WINDOW_TICKS


class Context(StrEnum):
    """A model's view of the past; part of its identity."""

    NONE = "none"  # the window alone
    RECENT = "recent"  # the last minutes of the same episode
    COMMISSIONED = "commissioned"  # and the device's first window, which must have been clean


STEP_WINDOWS: Final = 2
"""A window two before is the last one that shares no tick with this one."""
MEAN_WINDOWS: Final = 8
"""Windows in the mean that a window is compared with."""
RANGE_WINDOWS: Final = 24
"""Windows in the range (highest and lowest) that a window is compared with: two minutes."""
SEQUENCE_TICKS: Final[dict[Context, int]] = {
    Context.NONE: WINDOW_TICKS,
    Context.RECENT: 300,
    Context.COMMISSIONED: 300,
}
"""Grid ticks that a sequence family sees, up to and including the window's last."""


def blocks_of(context: Context) -> int:
    """Return how many columns stand for each statistic of the window.

    >>> [blocks_of(context) for context in Context]
    [1, 5, 6]
    """
    return {Context.NONE: 1, Context.RECENT: 5, Context.COMMISSIONED: 6}[context]
