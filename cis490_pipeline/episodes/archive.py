"""A tarball's bytes become its expected members, without ever holding more than those.

Decompression and the tar walk are one stream: what is not wanted (``network.pcap``, unknown files)
passes through a scratch buffer, and every decompressed byte counts against the limit. Not here:
what stands in the members (``decode``).
Source: episode format, sections *Inside the tarball* and *The acceptance gate* (unsafe, limits).
"""

from dataclasses import dataclass, field
from typing import Final

from cis490_pipeline.episodes.episode import OpenFailure
from cis490_pipeline.episodes.limited_stream import LimitedStream
from cis490_pipeline.episodes.printable import excerpt
from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.tar_headers import (
    BLOCK,
    DIRECTORY,
    EXTENSIONS,
    GNU_LONG_NAME,
    PAX_GLOBAL,
    PAX_NEXT,
    REGULAR,
    ZERO_BLOCK,
    TarHeader,
    parse_header,
    parse_pax,
    pax_size,
)
from cis490_pipeline.episodes.zstd_frames import require_whole_frames
from cis490_pipeline.schema.channels import SOURCE_FACTS, Source

META_FILE: Final = "meta.json"
LABELS_FILE: Final = "labels.jsonl"
EVENTS_FILE: Final = "events.jsonl"
DONE_FILE: Final = "done.marker"
PCAP_FILE: Final = "network.pcap"
NETFLOW_FILE: Final = SOURCE_FACTS[Source.NETFLOW].file_name
EXPECTED_FILES: Final = frozenset(
    {META_FILE, LABELS_FILE, EVENTS_FILE, DONE_FILE}
    | {facts.file_name for facts in SOURCE_FACTS.values()}
)

_MAX_EXTENSIONS: Final = 16  # headers before one member; an honest one has up to three
_MAX_EXTENSION_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What one episode may take: decompressed bytes (all of them) and tar members."""

    max_bytes: int = 512 << 20
    max_members: int = 64

    @property
    def max_compressed_bytes(self) -> int:
        """A file that is longer cannot be an archive within ``max_bytes``.

        zstd adds three bytes per 128 KiB that it cannot compress; the slack is for small frames.
        """
        return self.max_bytes + self.max_bytes // 256 + (1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The members that are read, by base name; ``network.pcap`` is only noticed."""

    members: dict[str, bytes]
    has_pcap: bool


def oversize(size_bytes: int, limits: ArchiveLimits) -> OpenFailure | None:
    """Refuse a tarball by its size alone, so that it need not be read into memory."""
    if size_bytes <= limits.max_compressed_bytes:
        return None
    message = f"{size_bytes} bytes compressed, limit {limits.max_bytes} decompressed"
    return OpenFailure(kind="LimitExceeded", message=message)


def read_archive(compressed: bytes, limits: ArchiveLimits) -> Archive | OpenFailure:
    """Open a ``.tar.zst``.

    Returns
    -------
    Archive or OpenFailure
        The failure's kind is ``ZstdError`` (not a zstd stream, cut off), ``ReadError`` (not a tar,
        cut off, empty), ``UnsafeMember`` or ``LimitExceeded``. Nothing is raised for any bytes.

    Notes
    -----
    One zero block ends the archive, as for every tar reader; what follows is ignored, but must
    decompress and counts against the limit.
    """
    failure = oversize(len(compressed), limits)
    if failure is not None:
        return failure
    try:
        require_whole_frames(compressed)
        return _walk(LimitedStream(compressed, limits.max_bytes), limits)
    except Refused as refused:
        return refused.failure


@dataclass(slots=True)
class _Pending:
    """What extension headers say about members: the next one, or all that follow."""

    path: bytes | None = None
    records: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    defaults: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])

    def add(self, kind: bytes, payload: bytes) -> None:
        if kind == PAX_GLOBAL:
            self.defaults.update(parse_pax(payload))
        elif kind == PAX_NEXT:
            self.records.update(parse_pax(payload))
        elif kind == GNU_LONG_NAME:
            self.path = payload.split(b"\0", 1)[0]

    def applied_to(self, header: TarHeader) -> TarHeader:
        """Return the header as extended, and forget what was for this member only."""
        records = {**self.defaults, **self.records}
        long_name = header.path if self.path is None else self.path
        self.path, self.records = None, {}
        if any(key.startswith(b"GNU.sparse.") for key in records):
            raise Refused("UnsafeMember", f"sparse member: {excerpt(long_name)}")
        # An empty value takes a global record back.
        size, path = records.get(b"size"), records.get(b"path")
        return TarHeader(
            path=path or long_name,
            size=pax_size(size) if size else header.size,
            kind=header.kind,
        )


def _next_member(stream: LimitedStream, pending: _Pending) -> TarHeader | None:
    """Read headers up to the next member; None at the end-of-archive marker."""
    for extensions in range(_MAX_EXTENSIONS + 1):
        block = stream.take(BLOCK)
        if block == ZERO_BLOCK:
            if extensions:
                raise Refused("ReadError", "cut off: an extension header without its member")
            return None
        header = parse_header(block)
        if header.kind not in EXTENSIONS:
            return pending.applied_to(header)
        if header.size > _MAX_EXTENSION_BYTES:
            raise Refused("LimitExceeded", f"extension header of {header.size} bytes")
        pending.add(header.kind, stream.take(header.size))
        stream.skip(-header.size % BLOCK)
    raise Refused("LimitExceeded", f"more than {_MAX_EXTENSIONS} extension headers in a row")


def _require_safe(header: TarHeader) -> None:
    if header.kind not in REGULAR and header.kind != DIRECTORY:
        kind = excerpt(header.kind)
        raise Refused("UnsafeMember", f"not a file (type {kind}): {excerpt(header.path)}")
    if header.path.startswith(b"/"):
        raise Refused("UnsafeMember", f"absolute path: {excerpt(header.path)}")
    if b".." in header.path.split(b"/"):
        raise Refused("UnsafeMember", f"path with ..: {excerpt(header.path)}")


def _base_name(header: TarHeader) -> str | None:
    """Return a file's base name; None for a directory.

    Raises
    ------
    Refused
        For a file with content that is named like a directory: readers disagree about it.
    """
    if header.kind == DIRECTORY:
        return None
    if header.path.endswith(b"/"):
        if header.size:
            raise Refused("ReadError", f"a directory with content: {excerpt(header.path)}")
        return None
    return header.path.rpartition(b"/")[2].decode("utf-8", "surrogateescape")


def _walk(stream: LimitedStream, limits: ArchiveLimits) -> Archive:
    members: dict[str, bytes] = {}
    pending, n_members, has_pcap = _Pending(), 0, False
    while (header := _next_member(stream, pending)) is not None:
        n_members += 1
        if n_members > limits.max_members:
            raise Refused("LimitExceeded", f"more than {limits.max_members} members")
        _require_safe(header)
        name = _base_name(header)
        if name is None:
            continue
        if name in members:
            raise Refused("UnsafeMember", f"two members are called {name}")
        has_pcap = has_pcap or name == PCAP_FILE
        if name in EXPECTED_FILES:
            members[name] = stream.take(header.size)
        else:
            stream.skip(header.size)
        stream.skip(-header.size % BLOCK)
    if n_members == 0:
        raise Refused("ReadError", "empty archive")
    stream.drain()
    return Archive(members=members, has_pcap=has_pcap)
