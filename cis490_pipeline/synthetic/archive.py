"""Members become a ``.tar.zst``, in the style of their host.

Not here: what the members hold, nor what may be wrong with them.
"""

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import zstandard

from cis490_pipeline.synthetic.hosts import FileStyle

_END: Final = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a tar; ``link_to`` makes it a symbolic link, without content."""

    path: str
    content: bytes = b""
    link_to: str | None = None


def tar_bytes(members: Sequence[Member], style: FileStyle, mtime_ns: int) -> bytes:
    """Return an uncompressed tar."""
    parts: list[bytes] = []
    for member in members:
        parts += (_header(member, style, mtime_ns), member.content)
        parts.append(bytes(-len(member.content) % tarfile.BLOCKSIZE))
    raw = b"".join((*parts, _END))
    return raw + bytes(-len(raw) % tarfile.RECORDSIZE)


def _header(member: Member, style: FileStyle, mtime_ns: int) -> bytes:
    info = tarfile.TarInfo(member.path)
    info.mode, info.uname, info.gname = 0o644, "cis490", "cis490"
    info.size = len(member.content)
    if member.link_to is not None:
        info.type, info.linkname = tarfile.SYMTYPE, member.link_to
    if not style.pax:
        info.mtime = mtime_ns // 1_000_000_000
        return info.tobuf(tarfile.USTAR_FORMAT)
    info.mtime = mtime_ns / 1e9
    return info.tobuf(tarfile.PAX_FORMAT)


def compress(raw: bytes, style: FileStyle) -> bytes:
    """Return one zstd frame."""
    compressor = zstandard.ZstdCompressor(
        level=style.zstd_level,
        write_content_size=style.content_size,
        write_checksum=style.checksum,
    )
    return compressor.compress(raw)
