"""The recorded episodes that the repository carries."""

from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parents[2] / "data" / "corpus"


def tarballs() -> list[Path]:
    return sorted((CORPUS / "episodes").glob("*/*.tar.zst"))
