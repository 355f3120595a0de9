"""One fixed colour per model family, the same in every figure and table.

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
    "knn": "#3590a3",
    "knn_semi": "#5f933a",
    "logistic": "#6f78d8",
    "minirocket": "#b07a1e",
    "majority": "#858c95",
    "elapsed_time": "#767d87",
    "grammar_only": "#7f8791",
}
_UNKNOWN: Final = "#8a7f8f"


def family_colour(family: str) -> str:
    """Return a family's colour, a neutral one for a family that this code does not know."""
    return FAMILY_COLOURS.get(family, _UNKNOWN)
