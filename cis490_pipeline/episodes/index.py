"""What a line of ``index.jsonl`` says: nothing that can be read is lost, nothing is silent.

Not here: the files (``received``: all there is; ``tail``: what is new), clean lines at speed
(``clean_rows``, held to this module), the tarballs (``store``).
Source: episode format, sections *index.jsonl* and *The acceptance gate*.

Decisions
---------
- A torn line is salvaged: every complete row in it is an entry, and it is one ``torn`` damage, its
  excerpt being what could not be read (or the line's beginning where all could).
- A last line without newline is an entry if it is exactly one valid row: nothing that is still
  written behind it can change that row. Anything else there is one ``partial``, and complete rows
  in it are entries all the same.
- A row that is not an entry is one damage; a row whose key is there with a value of no use
  (``size_bytes: true``) counts as ``missing_key``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, cast

import msgspec

from cis490_pipeline.episodes.jsonl import INT64_MAX
from cis490_pipeline.episodes.printable import excerpt
from cis490_pipeline.episodes.strict_json import (
    JsonFault,
    JsonObject,
    decode_value_at,
    parse_object,
)
from cis490_pipeline.schema.ids import EpisodeId, HostId, episode_id_or_none, host_id_or_none


class DamageKind(StrEnum):
    """What is wrong with a line of the index."""

    TORN = "torn"  # two rows on one line, or a row beside the rest of another
    BLANK = "blank"
    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    NOT_OBJECT = "not_object"  # JSON, but not an object
    BAD_ID = "bad_id"  # an id without the form that is safe in a path
    MISSING_KEY = "missing_key"  # a required key is absent or its value unusable
    DUPLICATE = "duplicate"  # a row that a later one of the same episode supersedes
    PARTIAL = "partial"  # the last line, still being written


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One damage of the index.

    Attributes
    ----------
    line, offset
        Line number from 1, and byte offset of the line or of the row in it; of the uncompressed
        file.
    excerpt
        At most 120 bytes of printable ASCII.
    part
        Which file, in the order of ``IndexReading.files``.
    """

    line: int
    offset: int
    kind: DamageKind
    excerpt: str
    part: int = 0


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One received episode; ``received_at_s`` is Unix seconds, None where unusable.

    ``line`` and ``offset`` are those of one file; ``part`` says which, as in ``Damage``. A struct,
    not a dataclass: it is made for every row at every reading, in a fifth of the time.
    """

    episode_id: EpisodeId
    host_id: HostId
    sha256: str
    size_bytes: int
    received_at_s: float | None
    offset: int
    line: int
    part: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Sorts entries in the order in which they were received."""
        return self.part, self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReading:
    """All that an index says: one entry per episode (sorted by id), damage in file order.

    Attributes
    ----------
    files
        Names of the files that were read, oldest first.
    everything
        It was read to its end, either because that was asked or because the place up to which it
        was to be read is in no file any more.
    """

    entries: tuple[IndexEntry, ...]
    damage: tuple[Damage, ...]
    files: tuple[str, ...]
    everything: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Bytes that hold, or should hold, one row."""

    raw: bytes
    line: int
    offset: int
    part: int

    def damage(self, kind: DamageKind, quoted: bytes | None = None) -> Damage:
        text = excerpt(self.raw if quoted is None else quoted)
        return Damage(line=self.line, offset=self.offset, kind=kind, excerpt=text, part=self.part)


Finding = IndexEntry | Damage

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_OBJECT_START: Final = re.compile(r'\{[ \t\r]*["}]')
_ROW_KEYS: Final = frozenset({"episode_id", "host_id", "sha256", "size_bytes"})
_ROW_WINDOWS: Final = (1 << 10, 1 << 16)
"""Characters in which a row inside damage must end: bounds the time that damage can cost."""
_MAX_RESYNCS: Final = 200
_YEAR_10000_S: Final = 253_402_300_800.0


def read_line(raw: bytes, *, line: int, offset: int, part: int = 0) -> Iterator[Finding]:
    """Read one whole line (without its newline) that stands at that place of the file."""
    return _read_line(_Row(raw=raw, line=line, offset=offset, part=part))


def read_unfinished_line(raw: bytes, *, line: int, offset: int, part: int = 0) -> Iterator[Finding]:
    """Read a last line that has no newline."""
    last = _Row(raw=raw, line=line, offset=offset, part=part)
    return _as_partial(_read_line(last), last)


def _as_partial(findings: Iterable[Finding], last: _Row) -> Iterator[Finding]:
    found = list(findings)
    yield from (one for one in found if isinstance(one, IndexEntry))
    if any(isinstance(one, Damage) for one in found):
        yield last.damage(DamageKind.PARTIAL)


def _read_line(row: _Row) -> Iterator[Finding]:
    parsed = parse_object(row.raw)
    if not isinstance(parsed, JsonFault):
        yield _entry_or_damage(parsed, row)
    elif not row.raw.strip():
        yield row.damage(DamageKind.BLANK)
    elif parsed.kind == "TypeError":
        yield row.damage(DamageKind.NOT_OBJECT)
    else:
        yield from _salvage(row)


def _salvage(row: _Row) -> Iterator[Finding]:
    """Find the rows of a line that is not one JSON object."""
    rows, junk = _split_torn(row)
    findings = [_entry_or_damage(parsed, part) for part, parsed in rows]
    if not _is_utf8(row.raw):
        yield row.damage(DamageKind.NOT_UTF8)
    elif len(rows) > 1 or any(isinstance(one, IndexEntry) for one in findings):
        yield row.damage(DamageKind.TORN, junk or None)
    else:
        yield row.damage(DamageKind.NOT_JSON)
        return
    yield from findings


def _split_torn(row: _Row) -> tuple[list[tuple[_Row, JsonObject]], bytes]:
    """Return the rows of a line, and the bytes that belong to none.

    A row is an object that stands at the line's beginning or right behind another, or that has a
    row's keys: behind junk, a nested object of a damaged row is found too, and is none.
    """
    text = row.raw.decode("utf-8", "surrogateescape")
    rows: list[tuple[_Row, JsonObject]] = []
    junk: list[bytes] = []
    position, offset, failures, clean = 0, row.offset, 0, True
    while failures < _MAX_RESYNCS and (match := _OBJECT_START.search(text, position)):
        start = match.start()
        before = text[position:start].encode("utf-8", "surrogateescape")
        end = _object_end(text, start)
        raw = text[start : end or match.end()].encode("utf-8", "surrogateescape")
        part = _Row(raw=raw, line=row.line, offset=offset + len(before), part=row.part)
        parsed = None if end is None else parse_object(raw)
        junk.append(before)
        clean = clean and not before.strip()
        if isinstance(parsed, dict) and (clean or _ROW_KEYS & parsed.keys()):
            rows.append((part, parsed))
        else:
            failures, clean = failures + 1, False
            junk.append(raw)
        position, offset = end or match.end(), part.offset + len(raw)
    junk.append(text[position:].encode("utf-8", "surrogateescape"))
    return rows, b"".join(junk).strip()


def _object_end(text: str, start: int) -> int | None:
    for size in _ROW_WINDOWS:
        outcome = decode_value_at(text[start : start + size], 0)
        if not isinstance(outcome, JsonFault):
            return start + outcome[1]
    return None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _entry_or_damage(parsed: JsonObject, row: _Row) -> Finding:
    host_id, episode_id = parsed.get("host_id"), parsed.get("episode_id")
    sha256, size_bytes = parsed.get("sha256"), parsed.get("size_bytes")
    if host_id is None or episode_id is None or not _is_sha256(sha256) or not _is_size(size_bytes):
        return row.damage(DamageKind.MISSING_KEY)
    host = host_id_or_none(host_id) if isinstance(host_id, str) else None
    episode = episode_id_or_none(episode_id) if isinstance(episode_id, str) else None
    if host is None or episode is None:
        return row.damage(DamageKind.BAD_ID)
    return IndexEntry(
        episode_id=episode,
        host_id=host,
        sha256=cast("str", sha256),
        size_bytes=cast("int", size_bytes),
        received_at_s=received_at_s(parsed.get("received_at_wall")),
        offset=row.offset,
        line=row.line,
        part=row.part,
    )


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value <= INT64_MAX


def received_at_s(value: object) -> float | None:
    """Return Unix seconds; a time without a zone is UTC; None outside the years 1970 to 9999."""
    seconds: float | None = None
    if isinstance(value, str):
        seconds = _iso_seconds(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value) if 0 <= value < _YEAR_10000_S else None
    return seconds if seconds is not None and 0 <= seconds < _YEAR_10000_S else None


def _iso_seconds(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
