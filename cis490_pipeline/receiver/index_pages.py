"""The index in pages for whoever follows it from afar: the follower of ``episodes.tail``, remote.

A page is what one of its steps finds, whole rows only, and the position behind it as an opaque
cursor. A plain offset would not do: after a rotation it names another place of another file. The
position knows its file, finds it again under the name that rotation gave it, and counts a
``generation`` up whenever another file takes its place.

A follower begins at the oldest file that is not compressed; where a compressed one is older, the
first page has ``gap`` set.

Not here: who may see which rows (``app``).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.received_files import list_files
from cis490_pipeline.episodes.rotated import is_compressed
from cis490_pipeline.episodes.tail import TailStep, read_new
from cis490_pipeline.episodes.tail_position import TailPosition
from cis490_pipeline.errors import StoreError

PAGE_BYTES: Final = 1 << 18
_ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Rows in the order in which they were appended, repeated episodes included.

    Attributes
    ----------
    cursor
        Where the next page begins; None as long as there never was an index.
    generation, offset
        What the cursor says for people: which file, counted from the first one, and how far.
    rotated, gap, at_end
        As in ``TailStep``: another file now; rows may be missing; nothing is left to read.
    """

    entries: tuple[IndexEntry, ...]
    cursor: str | None
    generation: int
    offset: int
    rotated: bool
    gap: bool
    at_end: bool


def read_page(
    index_path: Path, cursor: str | None, host: str | None = None, *, max_bytes: int = PAGE_BYTES
) -> IndexPage:
    """Read on behind ``cursor``; None begins.

    Parameters
    ----------
    host
        Only that host's rows; a page can then be empty though there are more.

    Raises
    ------
    ConfigurationError
        Where the cursor is none.
    StoreError
        Where the index cannot be read.
    """
    position = None if cursor is None else TailPosition.from_json(cursor)
    if position is None:
        step = _begin(index_path, max_bytes)
    else:
        step = read_new(index_path, position, max_bytes=max_bytes)
    after = step.position
    return IndexPage(
        entries=tuple(one for one in step.entries if host is None or one.host_id == host),
        cursor=None if after is None else after.to_json(),
        generation=step.generation,
        offset=0 if after is None else after.offset,
        rotated=step.rotated,
        gap=step.gap,
        at_end=step.at_end,
    )


def _begin(index_path: Path, max_bytes: int) -> TailStep:
    for _ in range(_ATTEMPTS):
        listed = list_files(index_path)
        plain = [one for one in listed if not is_compressed(one.path)]
        oldest = plain[0] if plain else None
        path = index_path if oldest is None else oldest.path
        step = read_new(path, None, max_bytes=max_bytes)
        found = None if step.position is None else step.position.identity
        if oldest is None and found is None:
            return replace(step, gap=bool(listed))
        if oldest and found and found.is_inode(oldest.device, oldest.inode):
            at_end = step.at_end and path == index_path
            return replace(step, gap=len(plain) < len(listed), at_end=at_end)
    raise StoreError(
        "the index is rotated faster than it can be opened",
        where=str(index_path),
        todo="ask again",
    )
