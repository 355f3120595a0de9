"""New bytes of the index as entries and damage, and the place behind them; a pure function.

Whole lines only: what stands behind the last newline is left for the next time, so a row or a
character that is half written is never split. A line longer than the limit is quarantined: passed
over, never held, and reported once, when it is found. A long run of NUL bytes at a line's beginning
(a tail that a power loss left) is quarantined without the row that was appended behind it.

Not here: files (``tail_files``), what a line says (``index``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cis490_pipeline.episodes.clean_rows import read_lines
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


def take_lines(
    data: bytes, place: Place, *, max_line_bytes: int, finished: bool, part: int = 0
) -> Lines:
    """Read the whole lines of ``data``, which stands at ``place.next_byte``.

    Parameters
    ----------
    finished
        Nothing will follow: a last line without a newline is read as well.
    part
        Which file, for what is found.
    """
    here = _Here(max_line_bytes=max_line_bytes, part=part)
    findings: list[Finding] = []
    start = 0
    if place.passed_bytes and (end := data.find(b"\n") + 1):
        findings += _end_of_long_line(data[: end - 1], place, here)
        place, start = _behind(place, end), end
    if (end := data.rfind(b"\n") + 1) > start:
        lines = data[start : end - 1].split(b"\n")
        findings += _whole_lines(lines, place, here)
        place = _behind(place, end - start, n_lines=len(lines))
        start = end
    findings_of_rest, place = _rest(data[start:], place, here, finished=finished)
    findings += findings_of_rest
    return Lines(
        entries=tuple([one for one in findings if isinstance(one, IndexEntry)]),
        damage=tuple([one for one in findings if isinstance(one, Damage)]),
        place=place,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Here:
    max_line_bytes: int
    part: int


def _behind(place: Place, n_bytes: int, *, n_lines: int = 1) -> Place:
    offset = place.next_byte + n_bytes
    return Place(offset=offset, line=place.line + n_lines, passed_bytes=0, passed_zeros=False)


def _whole_lines(lines: Sequence[bytes], place: Place, here: _Here) -> list[Finding]:
    if max(map(len, lines)) <= here.max_line_bytes:
        return read_lines(lines, line=place.line, offset=place.offset, part=here.part)
    findings: list[Finding] = []
    for raw in lines:
        findings += _whole_line(raw, place, here)
        place = _behind(place, len(raw) + 1)
    return findings


def _whole_line(raw: bytes, place: Place, here: _Here) -> Iterator[Finding]:
    if len(raw) <= here.max_line_bytes:
        yield from read_line(raw, line=place.line, offset=place.offset, part=here.part)
        return
    yield _quarantine(raw, place, here)
    yield from _line_behind_zeros(raw, place, here)


def _end_of_long_line(raw: bytes, place: Place, here: _Here) -> Iterator[Finding]:
    if place.passed_zeros:
        yield from _line_behind_zeros(raw, place, here)


def _line_behind_zeros(raw: bytes, place: Place, here: _Here) -> Iterator[Finding]:
    content = raw.lstrip(b"\0")
    offset = place.next_byte + len(raw) - len(content)
    if content and len(content) <= here.max_line_bytes:
        yield from read_line(content, line=place.line, offset=offset, part=here.part)


def _rest(raw: bytes, place: Place, here: _Here, *, finished: bool) -> tuple[list[Finding], Place]:
    passed = _passed(raw, place, here.max_line_bytes)
    if passed == place:
        unread = raw
        findings: list[Finding] = []
    else:
        unread = raw[passed.next_byte - place.next_byte :]
        findings = [_quarantine(raw, place, here)] if place.passed_bytes == 0 else []
    if not finished or not unread:
        return findings, passed
    findings += read_unfinished_line(
        unread, line=passed.line, offset=passed.next_byte, part=here.part
    )
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


def _quarantine(raw: bytes, place: Place, here: _Here) -> Damage:
    # The kinds of damage are those of the whole file's reader, which has no limit: to it a line of
    # this length is not JSON either, unless a megabyte of unknown keys stands in it.
    text = excerpt(raw)
    return Damage(
        line=place.line,
        offset=place.offset,
        kind=DamageKind.NOT_JSON,
        excerpt=text,
        part=here.part,
    )
