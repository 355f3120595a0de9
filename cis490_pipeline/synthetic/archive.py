"""Members become a ``.tar.zst``, in the style of their host.

The tar is never held whole: its parts go through the compressor one by one, which saves copying an
episode's megabyte into fresh memory.

Not here: what the members hold, nor what may be wrong with them.
Source: POSIX.1-2017 *pax*, sections *ustar Interchange Format* and *pax Extended Header*.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import zstandard

from cis490_pipeline.synthetic.hosts import FileStyle

Bytes: TypeAlias = bytes | memoryview

_BLOCK: Final = 512
_RECORD: Final = 20 * _BLOCK
_FILE, _LINK, _PAX = b"0", b"2", b"x"
_USTAR: Final = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x")
_CHECKSUM: Final = slice(148, 156)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a tar; ``link_to`` makes it a symbolic link, without content."""

    path: str
    content: Bytes = b""
    link_to: str | None = None


def tar_parts(members: Sequence[Member], style: FileStyle, mtime_ns: int) -> list[Bytes]:
    """Return an uncompressed tar in pieces."""
    parts: list[Bytes] = []
    for member in members:
        if style.pax:
            record = _pax_record(b"mtime", b"%d.%09d" % divmod(mtime_ns, 1_000_000_000))
            parts += (_header(f"PaxHeaders/{member.path}", len(record), mtime_ns, _PAX), record)
            parts.append(bytes(-len(record) % _BLOCK))
        kind = _FILE if member.link_to is None else _LINK
        size, link_to = len(member.content), member.link_to or ""
        parts += (_header(member.path, size, mtime_ns, kind, link_to), member.content)
        parts.append(bytes(-size % _BLOCK))
    parts.append(bytes(2 * _BLOCK))
    parts.append(bytes(-sum(map(len, parts)) % _RECORD))
    return parts


def _header(path: str, size: int, mtime_ns: int, kind: bytes, link_to: str = "") -> bytes:
    """Return a header block; made-up paths are short enough for its name field."""
    block = bytearray(
        _USTAR.pack(
            *(path.encode(), b"0000644", b"0000000", b"0000000"),
            *(b"%011o" % size, b"%011o" % (mtime_ns // 1_000_000_000), b" " * 8, kind),
            *(link_to.encode(), b"ustar", b"00", b"cis490", b"cis490", b"0000000", b"0000000"),
            b"",
        )
    )
    block[_CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


def _pax_record(key: bytes, value: bytes) -> bytes:
    r"""Return a record that begins with its own length.

    >>> _pax_record(b"path", b"a/b")
    b'12 path=a/b\n'
    """
    rest = b" %s=%s\n" % (key, value)
    size = len(rest)
    while size != len(rest) + len(str(size)):
        size = len(rest) + len(str(size))
    return b"%d" % size + rest


class Compressor:
    """Makes tarballs; keeps what zstd allocates for the next one."""

    def __init__(self) -> None:
        self._held: dict[FileStyle, zstandard.ZstdCompressor] = {}

    def compress(self, parts: Iterable[Bytes], raw_bytes: int, style: FileStyle) -> bytes:
        """Return one zstd frame of ``raw_bytes`` in pieces."""
        if style not in self._held:
            self._held[style] = zstandard.ZstdCompressor(
                level=style.zstd_level,
                write_content_size=style.content_size,
                write_checksum=style.checksum,
            )
        frame = self._held[style].compressobj(size=raw_bytes)
        compressed = [frame.compress(part) for part in parts]
        return b"".join((*compressed, frame.flush()))
