"""All that was ever received: the index and the files that were rotated away, as one reading.

Nothing is remembered between two readings, so nothing can be forgotten: what a follower (``tail``)
saw is found again, wherever rotation put it, as long as it is beside the index. Memory is that of
the entries and a few megabytes.

Decisions
---------
- The last row of an episode counts, through all files, oldest first.
- Each superseded row is one ``duplicate``, except where the row that supersedes it stands in
  another file and says the same: then a file was copied, and nothing shipped twice. A whole file
  that is the beginning of the next one is such a copy and is left out.
- The last line of every file is read, with or without its newline.
- A compressed file that breaks off is ``not_json`` where it does; what was before is read.
- A line of more than 16 MiB is quarantined, as the follower does with shorter ones.
- Files are opened first and looked for again at the end: if one was rotated, cut or compressed
  meanwhile, all is read again.
- Read *up to* a place, episodes whose last row is beyond it are left out altogether: a run that is
  late must not judge them by a row that was superseded; the run that was asked for with the later
  row does it.

Not here: what a line says (``index``), files (``received_files``), following (``tail``).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cis490_pipeline.episodes.index import (
    Damage,
    DamageKind,
    IndexEntry,
    IndexReading,
)
from cis490_pipeline.episodes.printable import excerpt
from cis490_pipeline.episodes.received_files import (
    BrokenFileError,
    ReceivedFile,
    list_files,
    open_files,
    without_copies,
)
from cis490_pipeline.episodes.tail_files import FileFacts, edges_of, find_older
from cis490_pipeline.episodes.tail_lines import Lines, take_lines
from cis490_pipeline.episodes.tail_position import FILE_START, Place, TailPosition
from cis490_pipeline.errors import StoreError
from cis490_pipeline.schema.ids import EpisodeId

MAX_LINE_BYTES: Final = 16 << 20
_ATTEMPTS: Final = 20
_QUOTED_BYTES: Final = 200

_Place = tuple[int, int]


def read_received(index_path: Path, upto: TailPosition | None = None) -> IndexReading:
    """Read the index's files from the first to the last row, or to ``upto``.

    Parameters
    ----------
    upto
        A follower's position; rows behind it are not in the reading. Where its file is not found
        any more (compressed, deleted, cut), everything is read: never less than was asked.

    Raises
    ------
    StoreError
        Where there is no index and no rotated file, where one cannot be read, or where they are
        rotated faster than they can be read.
    """
    for _ in range(_ATTEMPTS):
        listed = list_files(index_path)
        with ExitStack() as stack:
            files = open_files(listed, stack)
            if files is None:
                continue
            files, limit = _limited(index_path, files, upto, stack)
            reading = _read(without_copies(files), limit)
            whole = all(file.is_whole() for file in files)
        if whole and _names(listed) == _names(list_files(index_path)):
            if not listed:
                raise _absent(index_path)
            return reading
    raise _restless(index_path)


@dataclass(frozen=True, slots=True)
class _Limit:
    file: ReceivedFile
    offset: int

    def place_in(self, files: Sequence[ReceivedFile]) -> _Place | None:
        """Return the place; None where the file was left out as a copy."""
        places = ((part, self.offset) for part, one in enumerate(files) if one is self.file)
        return next(places, None)


def _limited(
    index_path: Path, files: list[ReceivedFile], upto: TailPosition | None, stack: ExitStack
) -> tuple[list[ReceivedFile], _Limit | None]:
    """Find the file of ``upto``; where it got a name that is no rotation's, add it."""
    if upto is None:
        return files, None
    offset = upto.place.next_byte
    for file in files:
        same = upto.identity.is_inode(file.facts.device, file.facts.inode)
        if same and edges_of(file.file, upto) is not None:
            return files, _Limit(file, offset)
    older = find_older(index_path, upto, None, stack)
    if older is None:
        return files, None
    facts = older.file.facts()
    for file in files:
        if file.facts.is_same_file(facts):
            return files, _Limit(file, offset)
    found = ReceivedFile(file=older.file, facts=facts)
    n_older = sum(file.facts.path != index_path for file in files)
    return [*files[:n_older], found, *files[n_older:]], _Limit(found, offset)


def _read(files: Sequence[ReceivedFile], limit: _Limit | None) -> IndexReading:
    end = None if limit is None else limit.place_in(files)
    rows = _Rows(end=end)
    damage: list[Damage] = []
    for part, file in enumerate(files):
        for lines in _lines_of(file, part):
            damage += lines.damage
            rows.add(lines.entries)
    damage += _duplicates(files, rows.superseded)
    latest = rows.latest
    entries = [latest[name] for name in sorted(latest)]
    return IndexReading(
        entries=tuple(entries if end is None else [e for e in entries if rows.counts(e.place)]),
        damage=tuple(
            sorted(
                (one for one in damage if rows.counts((one.part, one.offset))),
                key=lambda one: (one.part, one.line, one.offset),
            )
        ),
        files=tuple(file.facts.path.name for file in files),
        everything=end is None,
    )


@dataclass(slots=True)
class _Rows:
    """What a reading has come to: the last row of every episode, and those before it."""

    end: _Place | None
    latest: dict[EpisodeId, IndexEntry] = field(default_factory=dict)
    superseded: list[IndexEntry] = field(default_factory=list)

    def counts(self, place: _Place) -> bool:
        return self.end is None or place < self.end

    def add(self, entries: Iterable[IndexEntry]) -> None:
        for entry in entries:
            before = self.latest.get(entry.episode_id)
            if before is not None and self.counts(entry.place) and not _is_copy(entry, before):
                self.superseded.append(before)
            self.latest[entry.episode_id] = entry


def _is_copy(one: IndexEntry, other: IndexEntry) -> bool:
    """Say whether two rows of one episode say the same in two files."""
    return one.part != other.part and _content(one) == _content(other)


def _content(entry: IndexEntry) -> tuple[str, str, int, float | None]:
    return entry.host_id, entry.sha256, entry.size_bytes, entry.received_at_s


def _lines_of(file: ReceivedFile, part: int) -> Iterator[Lines]:
    place, rest, broken = FILE_START, b"", None
    try:
        for chunk in file.chunks():
            data = rest + chunk
            lines = take_lines(
                data, place, max_line_bytes=MAX_LINE_BYTES, finished=False, part=part
            )
            rest, place = data[lines.place.next_byte - place.next_byte :], lines.place
            yield lines
    except BrokenFileError as error:
        broken = f"(breaks off: {error})"
    last = take_lines(rest, place, max_line_bytes=MAX_LINE_BYTES, finished=True, part=part)
    yield last
    if broken is not None:
        yield Lines(entries=(), damage=(_break(broken, last.place, part),), place=last.place)


def _break(text: str, place: Place, part: int) -> Damage:
    return Damage(
        line=place.line,
        offset=place.next_byte,
        kind=DamageKind.NOT_JSON,
        excerpt=excerpt(text.encode()),
        part=part,
    )


def _duplicates(
    files: Sequence[ReceivedFile], superseded: Iterable[IndexEntry]
) -> Iterator[Damage]:
    by_part: dict[int, list[IndexEntry]] = {}
    for entry in superseded:
        by_part.setdefault(entry.part, []).append(entry)
    for part, entries in by_part.items():
        entries.sort(key=lambda entry: entry.offset)
        texts = _texts(files[part], [entry.offset for entry in entries])
        for entry, text in zip(entries, texts, strict=True):
            yield Damage(
                line=entry.line,
                offset=entry.offset,
                kind=DamageKind.DUPLICATE,
                excerpt=excerpt(text),
                part=part,
            )


def _texts(file: ReceivedFile, offsets: Iterable[int]) -> Iterator[bytes]:
    """Yield the beginning of the line at each offset; offsets rise.

    The file is read once more for that: it is rare, and to keep every row would not be bounded.
    """
    chunks, held, start = file.chunks(), b"", 0
    for offset in offsets:
        while start + len(held) < offset + _QUOTED_BYTES and (more := _next(chunks)):
            kept = held[max(0, offset - start) :]
            start += len(held) - len(kept)
            held = kept + more
        text = held[offset - start : offset - start + _QUOTED_BYTES]
        yield text.partition(b"\n")[0]


def _next(chunks: Iterator[bytes]) -> bytes:
    try:
        return next(chunks, b"")
    except BrokenFileError:
        return b""


def _names(listed: Sequence[FileFacts]) -> list[tuple[Path, int, int]]:
    return [(one.path, one.device, one.inode) for one in listed]


def _absent(path: Path) -> StoreError:
    return StoreError(
        "the index cannot be read",
        where=str(path),
        expected="the receiver's index.jsonl",
        found="neither this file nor one that was rotated away",
        todo="check the store's path and permissions; a new store has an empty index.jsonl",
    )


def _restless(path: Path) -> StoreError:
    return StoreError(
        "the index cannot be read in one piece",
        where=str(path),
        expected="files that stay where they are while they are read",
        found=f"a rotation in each of {_ATTEMPTS} readings",
        todo="look at what rotates the index; then run again",
    )
