"""Following ``index.jsonl`` while it grows, is rotated, cut and replaced.

One step is bounded work: it reads at most ``max_bytes`` of one file (or one line, where that is
longer), from where the last step stopped, and returns the rows with the position to keep. The
caller commits that position together with what it made of the rows; a step from an old position
repeats rows and loses none, so rows arrive at least once. Duplicates are dropped downstream by
(episode_id, sha256), and of several rows of one episode the last counts. A follower begins at byte
0, never at the end.

Any doubt whether a file is the one that was read is decided for reading it from its beginning.

Guaranteed: every complete row that was in the followed file at a step that reached its end
(``at_end``) has been delivered, and none is invented. A file that was renamed, or copied and cut
(logrotate's ``create`` and ``copytruncate``), is read to its end before the next one, and so are
the files that came and were rotated away in between, as long as they are found uncompressed beside
the index. It is left only once a whole line stands in the next one, so that a writer may keep it
open. With renaming and appending alone, rows arrive exactly once.

What cannot be guaranteed, because nobody could:

- Rows written between the last read and a truncation, where no copy was kept (one is recognised
  once 128 bytes were read); rows of a file that was deleted, compressed, or cut and then renamed,
  before it was read to its end, and of files rotated away since. The step that goes on without
  them has ``gap`` set; but the cut of a file of which nothing had been read goes unnoticed.
- A file that was cut and written anew between two steps, at least as long as before, on the same
  inode, with the same first KiB and the same KiB before the position: it is taken for the old one.
- Rows that one writer adds to a rotated file after another one began the next.
- Rows of files that were rotated away before the first step ever.
- A step that comes while ``copytruncate`` has copied and not yet cut can repeat rows.

Not here: what a line says (``index``), the line and file layers (``tail_lines``, ``tail_files``),
logging and alerts (the caller's: absence and ``gap`` are values), keeping the position.
References: failures that others had, each a test here: fluent-bit #8025 (offset from a dead inode),
#11455 (offset behind the end: silent for a day), #5382 (reads that begin inside a line); Vector
#25079 (equal headers); Filebeat #44780 (small files never read).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cis490_pipeline.episodes.index import Damage, IndexEntry
from cis490_pipeline.episodes.tail_files import (
    FileFacts,
    OpenedFile,
    edges_of,
    find_older,
    open_followed,
)
from cis490_pipeline.episodes.tail_lines import take_lines
from cis490_pipeline.episodes.tail_position import FILE_START, Edges, TailPosition
from cis490_pipeline.errors import ConfigurationError

MAX_BYTES: Final = 8 << 20
MAX_LINE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TailStep:
    """What one step found.

    Attributes
    ----------
    entries
        Every row in file order, repeated episodes included; ``offset`` and ``line`` are those of
        the whole file of ``generation``.
    damage
        In file order. A line over the limit is one ``not_json`` damage, reported when it is found.
    position
        Where to go on; None as long as there never was a file.
    generation
        Of the one file that all this is from; the position's.
    rotated
        That file is another than the last step's, or the same one after it was cut.
    gap
        What the last step's file held behind the position could not be found: rows may be
        missing. Rare; worth an alert and a reconciliation.
    bytes_behind
        Bytes that are there and unread, an unfinished last line included.
    at_end
        No whole line was left unread anywhere.
    """

    entries: tuple[IndexEntry, ...]
    damage: tuple[Damage, ...]
    position: TailPosition | None
    generation: int
    rotated: bool
    gap: bool
    bytes_behind: int
    at_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    max_bytes: int
    max_line_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The file of a position; ``newer`` have content and came after it, oldest first."""

    file: OpenedFile
    edges: Edges
    newer: tuple[FileFacts, ...] = ()


def read_new(
    path: Path,
    position: TailPosition | None,
    *,
    max_bytes: int = MAX_BYTES,
    max_line_bytes: int = MAX_LINE_BYTES,
    previous: Sequence[Path] | None = None,
) -> TailStep:
    """Read on from ``position``; None begins at the file's first byte.

    An absent file is no error: nothing is found and the position stays.

    Parameters
    ----------
    max_bytes
        Most bytes of one step; more only where not even one line fits, and then at most
        ``max_line_bytes`` + 1.
    max_line_bytes
        A longer line is quarantined.
    previous
        Where rotated files are, oldest first; None: the siblings ``<name>*`` that are not
        compressed.

    Raises
    ------
    StoreError
        Where the file system refuses (permission, stale NFS handle, no regular file). The
        position stays good.
    ConfigurationError
        For limits below 1.
    """
    limits = _checked_limits(max_bytes, max_line_bytes)
    with ExitStack() as stack:
        current = open_followed(path, stack)
        if position is None:
            return _nothing(None) if current is None else _begin(current, 0, limits)
        source = _find(path, current, position, previous, stack)
        if source is not None:
            return _read_on(source, position, limits, stack)
        if current is None:
            return _nothing(position)
        anew = _begin(current, position.generation + 1, limits)
        return replace(anew, rotated=True, gap=True)


def _checked_limits(max_bytes: int, max_line_bytes: int) -> _Limits:
    if min(max_bytes, max_line_bytes) >= 1:
        return _Limits(max_bytes=max_bytes, max_line_bytes=max_line_bytes)
    raise ConfigurationError(
        "the follower of the index would never read anything",
        expected="max_bytes and max_line_bytes of at least 1",
        found=f"{max_bytes} and {max_line_bytes}",
        todo="leave them at their defaults",
    )


def _find(
    path: Path,
    current: OpenedFile | None,
    position: TailPosition,
    previous: Sequence[Path] | None,
    stack: ExitStack,
) -> _Source | None:
    here: tuple[FileFacts, ...] = ()
    if current is not None:
        now = current.facts()
        same = position.identity.is_inode(now.device, now.inode)
        edges = edges_of(current, position) if same else None
        if edges is not None:
            return _Source(file=current, edges=edges)
        here = (now,)
    older = find_older(path, position, previous, stack)
    if older is None:
        return None
    # Sizes are from before the old file is read: what a writer that moved on had written to it is
    # complete by then.
    newer = tuple(facts for facts in (*older.newer, *here) if facts.size_bytes)
    return _Source(file=older.file, edges=older.edges, newer=newer)


def _begin(file: OpenedFile, generation: int, limits: _Limits) -> TailStep:
    source = _Source(file=file, edges=Edges())
    return _read(source, _start_of(file.facts(), generation), limits)[0]


def _start_of(facts: FileFacts, generation: int) -> TailPosition:
    identity = Edges().identity(device=facts.device, inode=facts.inode)
    return TailPosition(identity=identity, generation=generation, place=FILE_START)


def _read_on(
    source: _Source, position: TailPosition, limits: _Limits, stack: ExitStack
) -> TailStep:
    """Read the file of the position or, where that is at its end, the one that came after it.

    It goes over only when it finds something there: a position in a file of which nothing was read
    could not tell that the file is cut before the next step.
    """
    step, ended = _read(source, position, limits)
    if not ended or not source.newer or step.entries or step.damage:
        return step
    after = source.newer[0]
    file = open_followed(after.path, stack)
    if file is None or not file.facts().is_same_file(after):  # rotated on in this very moment
        return step
    rest = _Source(file=file, edges=Edges(), newer=source.newer[1:])
    further, _ = _read(rest, _start_of(after, position.generation + 1), limits)
    if further.position is None or further.position.place == FILE_START:
        return replace(step, at_end=further.at_end)
    return replace(further, rotated=True)


def _read(source: _Source, position: TailPosition, limits: _Limits) -> tuple[TailStep, bool]:
    """Read one chunk; also return whether the file ends behind it.

    Where a newer file has content, a last line without newline is read too.
    """
    start = position.place.next_byte
    data, ended = _chunk(source.file, start, limits)
    finished = ended and bool(source.newer)
    lines = take_lines(
        data, position.place, max_line_bytes=limits.max_line_bytes, finished=finished
    )
    facts = source.file.facts()
    edges = source.edges.extended(memoryview(data)[: lines.place.next_byte - start])
    unread = max(0, facts.size_bytes - lines.place.next_byte)
    step = TailStep(
        entries=lines.entries,
        damage=lines.damage,
        position=TailPosition(
            identity=edges.identity(device=facts.device, inode=facts.inode),
            generation=position.generation,
            place=lines.place,
        ),
        generation=position.generation,
        rotated=False,
        gap=False,
        bytes_behind=unread + sum(facts.size_bytes for facts in source.newer),
        at_end=ended and not source.newer,
    )
    return step, ended


def _chunk(file: OpenedFile, start: int, limits: _Limits) -> tuple[bytes, bool]:
    """Return bytes from ``start`` on, and whether the file ends behind them."""
    wanted = limits.max_bytes
    data = file.read(start, wanted)
    if len(data) == wanted <= limits.max_line_bytes and b"\n" not in data:
        wanted = limits.max_line_bytes + 1
        data += file.read(start + len(data), wanted - len(data))
    return data, len(data) < wanted


def _nothing(position: TailPosition | None) -> TailStep:
    return TailStep(
        entries=(),
        damage=(),
        position=position,
        generation=0 if position is None else position.generation,
        rotated=False,
        gap=False,
        bytes_behind=0,
        at_end=True,
    )
