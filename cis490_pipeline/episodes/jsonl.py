"""The lines of a JSONL member, one object each.

Not here: what the objects hold (``telemetry_rows``, ``documents``).
Source: episode format, section *The acceptance gate*, JSON edge cases.
"""

from typing import Final

from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.strict_json import JsonFault, JsonObject, parse_object

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
BLANKS: Final = b" \t\r\n"
MAX_ROWS: Final = 1_000_000
"""Rows of one member: 27.8 hours at 10 Hz. A decoded row takes 40 times the bytes of ``{}``: the
limit on decompressed bytes alone would not bound the memory."""
MAX_OBJECT_BYTES: Final = 1 << 24
"""Bytes of one object, for the same reason."""


def content_lines(raw: bytes) -> list[bytes]:
    r"""Split at newlines; blank lines at the end are no lines, others are (and no objects).

    >>> content_lines(b"{}\r\n\n{}\n\n")
    [b'{}\r', b'', b'{}']
    """
    body = raw.rstrip(BLANKS)
    return body.split(b"\n") if body else []


def require_bounded(raw: bytes, *, file_name: str) -> None:
    """Refuse a member whose decoded values could take many times the memory of its bytes.

    Raises
    ------
    Refused
        Where it has more than ``MAX_ROWS`` lines, or one of more than ``MAX_OBJECT_BYTES``.
    """
    if len(raw) <= 2 * MAX_ROWS:  # no object is shorter than two bytes
        return
    lines_after_first = raw.rstrip(BLANKS).count(b"\n")
    if lines_after_first >= MAX_ROWS:
        raise Refused("LimitExceeded", f"{file_name}: more than {MAX_ROWS} rows")
    if len(raw) > MAX_OBJECT_BYTES and max(map(len, raw.split(b"\n"))) > MAX_OBJECT_BYTES:
        raise Refused("LimitExceeded", f"{file_name}: a row of more than {MAX_OBJECT_BYTES} bytes")


def parse_objects(raw: bytes, *, file_name: str) -> list[JsonObject]:
    """Decode every line.

    Raises
    ------
    Refused
        For the first line that is not one JSON object.
    """
    objects: list[JsonObject] = []
    for number, line in enumerate(content_lines(raw), start=1):
        parsed = parse_object(line)
        if isinstance(parsed, JsonFault):
            raise Refused(parsed.kind, f"{file_name} line {number}: {parsed.message}")
        objects.append(parsed)
    return objects


def wall_time(row: JsonObject, *, file_name: str, number: int) -> int:
    """Return ``t_wall_ns`` of a row.

    Raises
    ------
    Refused
        Where it is absent, not written as an integer, or no time that int64 holds.
    """
    value = row.get("t_wall_ns")
    if type(value) is int and INT64_MIN <= value <= INT64_MAX:
        return value
    kind = "KeyError" if "t_wall_ns" not in row else "TypeError"
    if type(value) is int:
        kind = "OverflowError"
    raise Refused(kind, f"{file_name} line {number}: t_wall_ns is not a 64-bit integer")
