"""Tar headers made by hand, and short ways to open a tar: for the tests of the archive reader."""

import tarfile

from cis490_pipeline.episodes.archive import (
    Archive,
    ArchiveLimits,
    read_archive,
)
from cis490_pipeline.episodes.episode import OpenFailure
from cis490_pipeline_tests.episodes.building import build_members, build_tar, compress

LIMITS = ArchiveLimits()
MEMBERS = build_members(seconds=3)
TAR = build_tar(MEMBERS)


def opened(tar: bytes, limits: ArchiveLimits = LIMITS) -> Archive:
    archive = read_archive(compress(tar), limits)
    assert isinstance(archive, Archive), archive
    return archive


def failure(blob: bytes, limits: ArchiveLimits = LIMITS) -> OpenFailure:
    found = read_archive(blob, limits)
    assert isinstance(found, OpenFailure)
    return found


def kind(tar: bytes, limits: ArchiveLimits = LIMITS) -> str:
    return failure(compress(tar), limits).kind


def info(name: str, **fields) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(made, key, value)
    return made


def with_extra(*extra: tarfile.TarInfo, **kwargs) -> bytes:
    return build_tar(MEMBERS, extra=extra, **kwargs)


def header(name: bytes, size: int, *, type_: bytes = b"0", magic: bytes = b"ustar\x0000") -> bytes:
    """A header block by hand, for what ``tarfile`` would not write."""
    block = bytearray(512)
    block[: len(name)] = name
    block[124:136] = b"%011o\0" % size
    block[156:157] = type_
    block[257:265] = magic
    return checksummed(block)


def checksummed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: bytes, content: bytes, **fields) -> bytes:
    return header(name, len(content), **fields) + content + bytes(-len(content) % 512)


def pax(records: dict[str, str], *, type_: bytes = b"x") -> bytes:
    body = b""
    for key, value in records.items():
        core = f" {key}={value}\n".encode()
        length = len(core) + len(str(len(core) + 2))
        while len(str(length)) + len(core) != length:
            length += 1
        body += str(length).encode() + core
    return member(b"PaxHeader", body, type_=type_)


END = bytes(1024)
