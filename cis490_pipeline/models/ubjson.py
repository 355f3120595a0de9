"""A strict reader of the part of UBJSON that XGBoost writes.

It exists because XGBoost's own reader cannot be given foreign bytes: verified with 3.2, a torn file
aborts the whole process. What this reader accepts, XGBoost reads as well.

Not here: what the objects mean (``boosted_trees``).
Source: https://ubjson.org (draft 12: containers with type and count).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_NUMBERS: Final[dict[bytes, np.dtype[np.generic]]] = {
    b"i": np.dtype(">i1"),
    b"U": np.dtype(">u1"),
    b"I": np.dtype(">i2"),
    b"l": np.dtype(">i4"),
    b"L": np.dtype(">i8"),
    b"d": np.dtype(">f4"),
    b"D": np.dtype(">f8"),
}
_CONSTANTS: Final[dict[bytes, bool | None]] = {b"Z": None, b"T": True, b"F": False}
_DEEPEST: Final = 32


class UbjError(ValueError):
    """Bytes that are not what XGBoost writes."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes."""
        if n_bytes < 0 or n_bytes > len(self.data) - self.at:
            raise UbjError(f"torn at byte {self.at}")
        self.at += n_bytes
        return self.data[self.at - n_bytes : self.at]

    def number(self, marker: bytes) -> int | float:
        """Return a number of the marker's type."""
        kind = _NUMBERS[marker]
        return np.frombuffer(self.take(kind.itemsize), dtype=kind)[0].item()

    def length(self) -> int:
        """Return a count: an integer with its marker."""
        marker = self.take(1)
        if marker not in (b"i", b"U", b"I", b"l", b"L"):
            raise UbjError(f"no count at byte {self.at - 1}")
        return int(self.number(marker))

    def text(self) -> str:
        """Return a string without its marker."""
        return self.take(self.length()).decode("utf-8")

    def value(self, depth: int) -> object:
        """Return whatever comes next."""
        marker = self.take(1)
        if marker in _NUMBERS:
            return self.number(marker)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker == b"S":
            return self.text()
        if depth >= _DEEPEST or marker not in (b"[", b"{"):
            raise UbjError(f"unexpected marker {marker!r} at byte {self.at - 1}")
        return self.array(depth + 1) if marker == b"[" else self.members(depth + 1)

    def array(self, depth: int) -> object:
        """Return an array: numpy where it is typed, else a list."""
        following = self.data[self.at : self.at + 1]
        if following == b"$":
            self.take(1)
            return self.typed_array()
        if following == b"#":
            self.take(1)
            return [self.value(depth) for _ in range(self.length())]
        items: list[object] = []
        while self.data[self.at : self.at + 1] != b"]":
            items.append(self.value(depth))
        self.take(1)
        return items

    def typed_array(self) -> NDArray[np.generic]:
        """Return numbers of one type, after the ``$``."""
        kind = _NUMBERS.get(self.take(1))
        if kind is None or self.take(1) != b"#":
            raise UbjError(f"no typed array at byte {self.at}")
        return np.frombuffer(self.take(self.length() * kind.itemsize), dtype=kind)

    def members(self, depth: int) -> dict[str, object]:
        """Return an object; a name that comes twice is refused."""
        found: dict[str, object] = {}
        while self.data[self.at : self.at + 1] != b"}":
            name = self.text()
            if name in found:
                raise UbjError(f"member {ascii(name)[:40]} comes twice")
            found[name] = self.value(depth)
        self.take(1)
        return found


def decode_ubjson(data: bytes) -> dict[str, object]:
    """Return the one object that the bytes consist of.

    Raises
    ------
    UbjError
        For anything else: torn, nested too deep, followed by more, of a type XGBoost does not use.
    """
    reader = _Reader(data)
    if reader.take(1) != b"{":
        raise UbjError("not an object")
    try:
        found = reader.members(0)
    except UnicodeDecodeError as error:
        raise UbjError(str(error)) from error
    if reader.at != len(data):
        raise UbjError(f"bytes after the end at {reader.at}")
    return found
