"""The names that rotation gives: which files beside the index are older, and in what order.

logrotate's two ways, which others share: ``.2`` is older than ``.1``, and ``-20261101`` older than
``-20261102``. No order is known between a numbered and a dated file.

Not here: opening any of them (``tail_files``, ``received_files``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip")
_NUMBERED: Final = re.compile(r"\.(\d{1,6})")
_DATED: Final = re.compile(r"[-.]((?:\d{8}|\d{4}-\d\d)[\dTZ:._+-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """Files whose names begin like the index's; ``numbered`` and ``dated`` are oldest first."""

    numbered: tuple[Path, ...]
    dated: tuple[Path, ...]
    others: tuple[Path, ...]


def siblings(path: Path) -> list[Path]:
    """Return what stands beside ``path`` under a longer name; nothing where there is no directory.

    Raises
    ------
    OSError
        Where the directory cannot be read.
    """
    try:
        found = sorted(path.parent.iterdir())
    except FileNotFoundError:
        return []
    return [one for one in found if one.name.startswith(path.name) and one.name != path.name]


def is_compressed(path: Path) -> bool:
    """Say whether the name ends as a compressed file's does."""
    return path.name.endswith(COMPRESSED)


def sort_rotated(path: Path, found: Iterable[Path]) -> Rotated:
    """Sort siblings of ``path`` by what their names say; compression does not change the order.

    >>> found = sort_rotated(Path("i"), map(Path, ("i.1", "i.10", "i.2.gz", "i.bak")))
    >>> [one.name for one in found.numbered]
    ['i.10', 'i.2.gz', 'i.1']
    """
    numbered: list[tuple[int, Path]] = []
    dated: list[tuple[str, Path]] = []
    others: list[Path] = []
    for sibling in found:
        name = sibling.with_suffix("").name if is_compressed(sibling) else sibling.name
        suffix = name[len(path.name) :]
        if number := _NUMBERED.fullmatch(suffix):
            numbered.append((-int(number[1]), sibling))
        elif date := _DATED.fullmatch(suffix):
            dated.append((date[1], sibling))
        else:
            others.append(sibling)
    return Rotated(
        numbered=tuple(one for _, one in sorted(numbered)),
        dated=tuple(one for _, one in sorted(dated)),
        others=tuple(others),
    )
