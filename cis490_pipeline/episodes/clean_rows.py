"""Lines of the index at speed: the clean ones by one typed decode, the others by ``index``.

A clean line holds the format's five keys and no other, each with a value of its form. About that
msgspec and the strict reader agree; it takes invalid UTF-8 for granted only in values that it skips
(unknown keys, which are none here), and it refuses more than the strict reader does (a lone
surrogate, ``1e999``). Whatever it refuses is read again, strictly.

Not here: what a line says (``index``: what this module must equal), where lines end
(``tail_lines``).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec

from cis490_pipeline.episodes.index import Finding, IndexEntry, read_line, received_at_s
from cis490_pipeline.episodes.jsonl import INT64_MAX
from cis490_pipeline.schema.ids import EpisodeId, HostId, host_id_or_none

_EPISODES: Final = re.compile(r"(?:[0-9A-HJKMNP-TV-Z]{26}\n)*")
_SHA256S: Final = re.compile(r"(?:[0-9a-f]{64}\n)*")


class _CleanRow(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    episode_id: str
    host_id: str
    sha256: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
    received_at_wall: str | int | float | None = None


_DECODE: Final = msgspec.json.Decoder(_CleanRow).decode


def read_lines(lines: Sequence[bytes], *, line: int, offset: int, part: int) -> list[Finding]:
    """Read whole lines (without their newlines), the first of which stands at that place."""
    rows = _clean_rows(lines)
    findings: list[Finding] = []
    for raw, row in zip(lines, rows, strict=True):
        if row is None:
            findings += read_line(raw, line=line, offset=offset, part=part)
        else:
            entry = IndexEntry(
                episode_id=EpisodeId(row.episode_id),
                host_id=HostId(row.host_id),
                sha256=row.sha256,
                size_bytes=row.size_bytes,
                received_at_s=received_at_s(row.received_at_wall),
                offset=offset,
                line=line,
                part=part,
            )
            findings.append(entry)
        line += 1
        offset += len(raw) + 1
    return findings


def _clean_rows(lines: Iterable[bytes]) -> list[_CleanRow | None]:
    """Return a row for each clean line, None for any other."""
    rows = [_decoded(raw) for raw in lines]
    if _have_forms([row for row in rows if row is not None]):
        return rows
    return [row if row is not None and _have_forms([row]) else None for row in rows]


def _decoded(raw: bytes) -> _CleanRow | None:
    try:
        return _DECODE(raw)
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _have_forms(rows: Sequence[_CleanRow]) -> bool:
    """Say whether all ids and hashes have their forms: one match for all costs less than one each.

    The lengths hold as well, because a newline in a value would make two of it.
    """
    episodes = "".join([row.episode_id + "\n" for row in rows])
    hashes = "".join([row.sha256 + "\n" for row in rows])
    return (
        len(episodes) == 27 * len(rows)
        and len(hashes) == 65 * len(rows)
        and _EPISODES.fullmatch(episodes) is not None
        and _SHA256S.fullmatch(hashes) is not None
        and None not in map(host_id_or_none, {row.host_id for row in rows})
    )
