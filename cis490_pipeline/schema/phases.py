"""The phases of an infection, in class order.

Not here: how a window gets its phase (``telemetry.labelling``).
Source: episode format, section *labels.jsonl*.
"""

from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """A canonical phase; the order of the members is the class order of every model."""

    CLEAN = "clean"
    ARMED = "armed"
    INFECTING = "infecting"
    INFECTED_RUNNING = "infected_running"
    DORMANT = "dormant"


PHASES: Final[tuple[Phase, ...]] = tuple(Phase)
N_PHASES: Final = len(PHASES)
FAILED: Final = "failed"
"""Occurs in labels, but is not a class: windows labelled so are not training rows."""

NOT_A_CLASS: Final = -1
"""Phase code of a label that is not canonical."""

_CODES: Final[dict[str, int]] = {phase.value: code for code, phase in enumerate(PHASES)}


def phase_code(name: str) -> int:
    """Return the class index of a phase name, ``NOT_A_CLASS`` for any other label.

    >>> phase_code("infecting"), phase_code("failed")
    (2, -1)
    """
    return _CODES.get(name, NOT_A_CLASS)
