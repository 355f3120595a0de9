"""Tar headers as values: ustar, GNU and V7 blocks, and PAX records.

``tarfile`` is not used because it is tolerant where the format is strict (a cut-off archive, a
missing end marker) and because it costs seven times as much. Not here: walking the stream
(``archive``).
Source: POSIX.1-2017 *pax*, sections *ustar Interchange Format* and *pax Extended Header*; GNU tar
manual, *Basic Tar Format*.
"""

import re
from dataclasses import dataclass
from typing import Final

from cis490_pipeline.episodes.refusal import Refused

BLOCK: Final = 512
ZERO_BLOCK: Final = bytes(BLOCK)

REGULAR: Final = frozenset({b"0", b"\0", b"7"})  # 7: contiguous, to be read as regular
DIRECTORY: Final = b"5"
PAX_NEXT: Final = b"x"
PAX_GLOBAL: Final = b"g"
GNU_LONG_NAME: Final = b"L"
GNU_LONG_LINK: Final = b"K"
EXTENSIONS: Final = frozenset({PAX_NEXT, PAX_GLOBAL, GNU_LONG_NAME, GNU_LONG_LINK})

_OCTAL: Final = re.compile(rb" *([0-7]*)[ \0]*")
_DECIMAL: Final = re.compile(rb"[0-9]{1,19}")
_RECORD_LENGTH: Final = re.compile(rb"([1-9][0-9]{0,8}) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TarHeader:
    """One header block: the path and size as it states them, before any extension."""

    path: bytes
    size: int
    kind: bytes


def parse_header(block: bytes) -> TarHeader:
    """Read a header block.

    Raises
    ------
    Refused
        Where the checksum or a number is wrong: this is not a tar.
    """
    stated = _octal(block[148:156], what="checksum")
    if stated not in _checksums(block):
        raise Refused("ReadError", "not a tar: bad header checksum")
    path = block[:100].split(b"\0", 1)[0]
    # Only POSIX has a path prefix here; GNU keeps times and sparse maps in these bytes.
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].split(b"\0", 1)[0]
        path = prefix + b"/" + path if prefix else path
    return TarHeader(path=path, size=_size(block[124:136]), kind=block[156:157])


def _checksums(block: bytes) -> tuple[int, int]:
    """Return the sum over unsigned and over signed bytes: old tars wrote the second."""
    counted = block[:148] + block[156:]
    unsigned = sum(counted) + 8 * ord(" ")
    if counted.isascii():
        return unsigned, unsigned
    return unsigned, unsigned - 256 * sum(byte > 127 for byte in counted)


def _octal(field: bytes, *, what: str) -> int:
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise Refused("ReadError", f"not a tar: bad {what} field")
    return int(match.group(1) or b"0", 8)


def _size(field: bytes) -> int:
    if field[0] == 0x80:  # GNU base-256, for 8 GiB and more
        return int.from_bytes(field[1:], "big")
    return _octal(field, what="size")


def parse_pax(payload: bytes) -> dict[bytes, bytes]:
    r"""Read the records ``<length> <key>=<value>\n`` of a PAX header.

    >>> parse_pax(b"12 path=a/b\n")
    {b'path': b'a/b'}

    Raises
    ------
    Refused
        Where a record does not have the length that it states.
    """
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(payload):
        match = _RECORD_LENGTH.match(payload, position)
        end = position + int(match.group(1)) if match else 0
        if match is None or not match.end() < end <= len(payload) or payload[end - 1] != ord("\n"):
            raise Refused("ReadError", "not a tar: damaged PAX record")
        key, equals, value = payload[match.end() : end - 1].partition(b"=")
        if not equals:
            raise Refused("ReadError", "not a tar: damaged PAX record")
        records[key] = value
        position = end
    return records


def pax_size(text: bytes) -> int:
    """Read the ``size`` record of a PAX header.

    Raises
    ------
    Refused
        Where it is not a decimal number.
    """
    if _DECIMAL.fullmatch(text) is None:
        raise Refused("ReadError", "not a tar: bad size record")
    return int(text)
