"""One fixed colour per model family, verdict and phase, the same in every figure and table.

The hues keep a contrast of at least 3 to 1 against both the light and the dark page. Baselines are
grey: they are there to be beaten.

Not here: the page's own colours (``report.css``).
"""

from typing import Final

FAMILY_COLOURS: Final[dict[str, str]] = {
    "gbt": "#3a7fd5",
    "cnn": "#d0672a",
    "mlp": "#2e9468",
    "gru": "#9a63d6",
    "lstm": "#c4519a",
    "transformer": "#d14b4b",
    "bert": "#94772f",
    "blend": "#7a6cc9",
    "knn": "#3590a3",
    "knn_semi": "#5f933a",
    "logistic": "#6f78d8",
    "minirocket": "#b07a1e",
    "majority": "#858c95",
    "elapsed_time": "#767d87",
    "grammar_only": "#7f8791",
    "permuted_labels": "#898089",
}
STATUS_COLOURS: Final[dict[str, str]] = {
    "accepted": "#2e9468",
    "degraded": "#b07a1e",
    "rejected": "#d14b4b",
    "error": "#9a63d6",
    "missing": "#858c95",
}
"""One per verdict of the gate, in the order in which bars stack them."""

PHASE_COLOURS: Final[dict[str, str]] = {
    "clean": "#2e9468",
    "armed": "#b07a1e",
    "infecting": "#d0672a",
    "infected_running": "#d14b4b",
    "dormant": "#9a63d6",
    "failed": "#858c95",
    "other": "#767d87",
}
_UNKNOWN: Final = "#8a7f8f"


def family_colour(family: str) -> str:
    """Return a family's colour, a neutral one for a family that this code does not know."""
    return FAMILY_COLOURS.get(family, _UNKNOWN)


def status_colour(status: str) -> str:
    """Return the colour of a verdict."""
    return STATUS_COLOURS.get(status, _UNKNOWN)


def phase_colour(phase: str) -> str:
    """Return the colour of a phase."""
    return PHASE_COLOURS.get(phase, _UNKNOWN)
