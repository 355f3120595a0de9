"""Decoded row structs as arrays, without touching each value in Python.

A struct of one 64-bit integer and floats is always equally long in MessagePack, so the encoded
rows of a file are a table of fixed-size records that NumPy reads in place. Measured on 2,550 rows
of 13 channels: a fifth of the time of ``np.array`` over as many tuples, three quarters of it where
a few values are null. Not here: decoding JSON (``telemetry_rows``).
Source: MessagePack specification, formats *fixmap*, *map 16*, *fixstr*, *str 8*, *uint 64* and
*float 64* (big-endian).
"""

from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

TIME_FIELD: Final = "t_wall_ns"
_UINT64: Final = 0xCF
_NUMBER_BYTES: Final = 9  # a tag and eight bytes
_NAN: Final = float("nan")

RowArrays = tuple[NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedLayout:
    """Where the numbers of one row stand in its MessagePack record."""

    names: tuple[str, ...]
    records: np.dtype[np.void]


def packed_layout(names: tuple[str, ...]) -> PackedLayout:
    """Return the layout of structs with ``t_wall_ns`` and then the named floats."""
    fields = (TIME_FIELD, *names)
    position = len(msgspec.msgpack.encode(dict.fromkeys(fields, 0))) - sum(
        len(msgspec.msgpack.encode(name)) + 1 for name in fields
    )
    offsets: list[int] = []
    for name in fields:
        position += len(msgspec.msgpack.encode(name))
        offsets.append(position)
        position += _NUMBER_BYTES
    formats = [">u8", *[">f8"] * len(names)]
    records = np.dtype(
        {
            "names": ["tag", *fields],
            "formats": ["u1", *formats],
            "offsets": [offsets[0], *[offset + 1 for offset in offsets]],
            "itemsize": position,
        }
    )
    return PackedLayout(names=names, records=records)


def arrays_of(
    rows: list[msgspec.Struct], layout: PackedLayout, body: bytes, newlines: NDArray[np.intp]
) -> RowArrays | None:
    """Return times and values of the rows; None where a time is not a 64-bit integer.

    Parameters
    ----------
    rows
        Fresh from the decoder: a null in them is overwritten with NaN.
    layout
        Of their type.
    body, newlines
        The JSON lines that they came from (row ``i`` is line ``i``) and where its newlines are.
    """
    try:
        packed = msgspec.msgpack.encode(rows)
    except OverflowError:  # a time of more than 64 bits
        return None
    size = layout.records.itemsize * len(rows)
    header = 1 if len(rows) < 16 else 3 if len(rows) < 1 << 16 else 5
    if len(packed) != header + size and _overwrite_nulls(rows, layout.names, body, newlines):
        packed = msgspec.msgpack.encode(rows)
    if len(packed) != header + size:  # a short integer as time, or nulls nearly everywhere
        return _arrays_of_values(rows, layout.names)
    records = np.frombuffer(packed, layout.records, offset=header)
    times = records[TIME_FIELD].astype(np.uint64)
    if not ((records["tag"] == _UINT64).all() and times.max() <= np.iinfo(np.int64).max):
        return _arrays_of_values(rows, layout.names)
    values = np.empty((len(rows), len(layout.names)), np.float64)
    for column, name in enumerate(layout.names):
        values[:, column] = records[name]
    return times.astype(np.int64), values


def _overwrite_nulls(
    rows: list[msgspec.Struct], names: tuple[str, ...], body: bytes, newlines: NDArray[np.intp]
) -> bool:
    """Turn None into NaN where it is rare; only a line that has ``null`` can have one."""
    lines = set(np.searchsorted(newlines, _places_of_null(body)).tolist())
    if len(lines) > len(rows) // 8:
        return False
    for line in lines:
        row = rows[line]
        for name in names:
            if getattr(row, name) is None:
                setattr(row, name, _NAN)
    return True


def _places_of_null(body: bytes) -> NDArray[np.intp]:
    """Find ``null``, also in strings; half the time of a search for four bytes."""
    text = np.frombuffer(body, np.uint8)
    is_l = text == ord("l")
    places = np.flatnonzero(is_l[1:] & is_l[:-1])
    return places[(text[places - 1] == ord("u")) & (text[places - 2] == ord("n"))]


def _arrays_of_values(rows: list[msgspec.Struct], names: tuple[str, ...]) -> RowArrays | None:
    times = np.array(list(map(attrgetter(TIME_FIELD), rows)))
    if times.dtype != np.int64:  # a float, or an integer beyond int64, is among them
        return None
    return times, np.array(list(map(attrgetter(*names), rows)), np.float64)
