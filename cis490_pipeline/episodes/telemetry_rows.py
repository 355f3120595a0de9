"""Rows of a telemetry file as arrays: a fast decoder, and a strict one that has the last word.

The fast one (msgspec structs made from the channel table) is used only where it provably agrees:
it takes two objects on one line, an object over two lines and invalid UTF-8 in keys that it does
not know, so lines, ends of lines and UTF-8 are tested apart; whatever it refuses, and any value of
an unexpected type, goes to the strict one. Not here: rates and the grid (``telemetry``).
Source: episode format, section *Telemetry rows*; table of library strictness in the project's
performance notes.
"""

import math
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.episodes.episode import Telemetry
from cis490_pipeline.episodes.jsonl import BLANKS, parse_objects, wall_time
from cis490_pipeline.episodes.row_arrays import TIME_FIELD, arrays_of, packed_layout
from cis490_pipeline.schema.channels import SOURCE_FACTS, Source, channels_of

_NAMES: Final = {source: tuple(c.name for c in channels_of(source)) for source in Source}


def _row_type(source: Source) -> type[msgspec.Struct]:
    """Make the struct of one source; ``int | float`` keeps 1.0 apart from 1."""
    fields = [(name, float | None, np.nan) for name in _NAMES[source]]
    name = f"{source.value.title()}Row"
    return msgspec.defstruct(name, [(TIME_FIELD, int | float), *fields], gc=False)


_DECODERS: Final = {source: msgspec.json.Decoder(_row_type(source)) for source in Source}
_LAYOUTS: Final = {source: packed_layout(names) for source, names in _NAMES.items()}

_NEWLINE, _RETURN, _OPEN, _CLOSE = (ord(character) for character in "\n\r{}")
_Bytes: TypeAlias = NDArray[np.uint8]


def decode_rows(source: Source, raw: bytes) -> Telemetry:
    """Decode a telemetry file.

    Returns
    -------
    Telemetry
        One row per line, in file order; NaN where a channel is absent, null, a string, a boolean,
        nested, or not finite as float64.

    Raises
    ------
    Refused
        Where a line is not one JSON object or its ``t_wall_ns`` not a 64-bit integer.
    """
    rows = decode_fast(source, raw)
    return decode_strict(source, raw) if rows is None else rows


def empty_rows(source: Source) -> Telemetry:
    """Return the rows of a file that is absent or empty."""
    shape = (0, len(_NAMES[source]))
    return Telemetry(t_wall_ns=np.empty(0, np.int64), values=np.empty(shape, np.float64))


def decode_fast(source: Source, raw: bytes) -> Telemetry | None:
    """Decode where it is certain that the strict decoder would say the same, else None."""
    body = raw.rstrip(BLANKS)
    if not body:
        return empty_rows(source)
    newlines = _ends_of_objects(np.frombuffer(body, np.uint8))
    if newlines is None or not _is_utf8(body):
        return None
    try:
        rows = _DECODERS[source].decode_lines(body)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if len(rows) != len(newlines) + 1:
        return None
    arrays = arrays_of(rows, _LAYOUTS[source], body, newlines)
    return None if arrays is None else Telemetry(t_wall_ns=arrays[0], values=arrays[1])


def _ends_of_objects(body: _Bytes) -> NDArray[np.intp] | None:
    r"""Return where the newlines are, if each stands between ``}`` or ``}\r`` and ``{``, else None.

    These cannot follow each other inside a JSON value, so then no object spans two lines.
    """
    newlines = np.flatnonzero(body == _NEWLINE)
    if body[0] != _OPEN or body[-1] != _CLOSE:
        return None
    ends = body[newlines - 1]
    if (ends == _RETURN).any():
        ends = np.where(ends == _RETURN, body[newlines - 2], ends)
    if not ((ends == _CLOSE).all() and (body[newlines + 1] == _OPEN).all()):
        return None
    return newlines


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode_strict(source: Source, raw: bytes) -> Telemetry:
    """Decode line by line with the format's own idea of JSON.

    Raises
    ------
    Refused
        As ``decode_rows``.
    """
    file_name = SOURCE_FACTS[source].file_name
    rows = parse_objects(raw, file_name=file_name)
    if not rows:
        return empty_rows(source)
    times = [wall_time(row, file_name=file_name, number=n) for n, row in enumerate(rows, start=1)]
    values = [[_number(row.get(name)) for name in _NAMES[source]] for row in rows]
    return Telemetry(t_wall_ns=np.array(times, np.int64), values=np.array(values, np.float64))


def _number(value: object) -> float:
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return np.nan
    if type(value) is float and math.isfinite(value):
        return value
    return np.nan
