"""New bytes of the index as entries and damage, and the place behind them; a pure function.

Whole lines only: what stands behind the last newline is left for the next time, so a row or a
character that is half written is never split. A line longer than the limit is quarantined: passed
over, never held, and reported once, when it is found. A long run of NUL bytes at a line's beginning
(a tail that a power loss left) is quarantined without the row that was appended behind it.

Not here: files (``tail_files``), what a line says (``index``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from cis490_pipeline.episodes.index import (
    Damage,
    DamageKind,
    Finding,
    IndexEntry,
    read_line,
    read_unfinished_line,
)
from cis490_pipeline.episodes.printable import excerpt
from cis490_pipeline.episodes.tail_position import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What the lines said, in file order; ``place`` is where to go on."""

    entries: tuple[IndexEntry, ...]
    damage: tuple[Damage, ...]
    place: Place


def take_lines(data: bytes, place: Place, *, max_line_bytes: int, finished: bool) -> Lines:
    """Read the whole lines of ``data``, which stands at ``place.next_byte``.

    Parameters
    ----------
    finished
        Nothing will follow: a last line without a newline is read as well.
    """
    findings: list[Finding] = []
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        findings += _whole_line(data[start:end], place, max_line_bytes)
        place = _behind(place, end + 1 - start)
        start = end + 1
    findings_of_rest, place = _rest(data[start:], place, max_line_bytes, finished=finished)
    found = list(chain(findings, findings_of_rest))
    return Lines(
        entries=tuple(one for one in found if isinstance(one, IndexEntry)),
        damage=tuple(one for one in found if isinstance(one, Damage)),
        place=place,
    )


def _behind(place: Place, n_bytes: int) -> Place:
    offset = place.next_byte + n_bytes
    return Place(offset=offset, line=place.line + 1, passed_bytes=0, passed_zeros=False)


def _whole_line(raw: bytes, place: Place, max_line_bytes: int) -> Iterator[Finding]:
    if place.passed_bytes == 0:
        if len(raw) <= max_line_bytes:
            yield from read_line(raw, line=place.line, offset=place.offset)
            return
        yield _quarantine(raw, place)
    elif not place.passed_zeros:
        return
    content, offset = _behind_zeros(raw, place)
    if content and len(content) <= max_line_bytes:
        yield from read_line(content, line=place.line, offset=offset)


def _rest(
    raw: bytes, place: Place, max_line_bytes: int, *, finished: bool
) -> tuple[list[Finding], Place]:
    passed = _passed(raw, place, max_line_bytes)
    if passed == place:
        unread = raw
        findings: list[Finding] = []
    else:
        unread = raw[passed.next_byte - place.next_byte :]
        findings = [_quarantine(raw, place)] if place.passed_bytes == 0 else []
    if not finished or not unread:
        return findings, passed
    findings += read_unfinished_line(unread, line=passed.line, offset=passed.next_byte)
    return findings, _behind(passed, len(unread))


def _passed(raw: bytes, place: Place, max_line_bytes: int) -> Place:
    """Return how far a line without its end is passed over; where it may be held: not at all."""
    if place.passed_bytes and not place.passed_zeros:
        return replace(place, passed_bytes=place.passed_bytes + len(raw))
    if place.passed_bytes == 0 and len(raw) <= max_line_bytes:
        return place
    content = raw.lstrip(b"\0")
    zeros = len(content) <= max_line_bytes
    n_bytes = len(raw) - len(content) if zeros else len(raw)
    return replace(place, passed_bytes=place.passed_bytes + n_bytes, passed_zeros=zeros)


def _behind_zeros(raw: bytes, place: Place) -> tuple[bytes, int]:
    content = raw.lstrip(b"\0")
    return content, place.next_byte + len(raw) - len(content)


def _quarantine(raw: bytes, place: Place) -> Damage:
    # The kinds of damage are those of the whole file's reader, which has no limit: to it a line of
    # this length is not JSON either, unless a megabyte of unknown keys stands in it.
    text = excerpt(raw)
    return Damage(line=place.line, offset=place.offset, kind=DamageKind.NOT_JSON, excerpt=text)
