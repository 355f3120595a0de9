"""The index's files, all at once: those that were rotated away, oldest first, and the current one.

A file is a rotated one by its name (``rotated``): a number or a date, compressed or not. Other
siblings (``.bak``, ``.tmp``, ``.sha256``) are whatever somebody put there, and are not read. A file
that stands there both ways is being compressed: the uncompressed one is whole until it goes. Files
in ``.lz4`` and ``.zip`` cannot be read here, and say so as damage.

Not here: rows (``received``), one file and its identity (``tail_files``).
"""

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol, cast

import zstandard

from cis490_pipeline.episodes.rotated import is_compressed, siblings, sort_rotated
from cis490_pipeline.episodes.tail_files import (
    FileFacts,
    OpenedFile,
    facts_of,
    facts_or_none,
    open_followed,
    store_fault,
)

CHUNK_BYTES: Final = 4 << 20
_PIECE_BYTES: Final = 1 << 18


class BrokenFileError(Exception):
    """A compressed file cannot be read (any further): damage, not a fault of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """One open file, with what was known of it then."""

    file: OpenedFile
    facts: FileFacts

    def chunks(self) -> Iterator[bytes]:
        """Yield the uncompressed content, a few megabytes at a time; not twice at once.

        Raises
        ------
        StoreError
            Where the file system refuses.
        BrokenFileError
            Where a compressed file ends too early or is none.
        """
        unpack = _UNPACK.get(self.facts.path.suffix, _plain)
        with store_fault(self.facts.path), os.fdopen(os.dup(self.file.handle), "rb") as raw:
            raw.seek(0)
            yield from _chunks(unpack(raw))

    def is_whole(self) -> bool:
        """Say whether nothing was cut off since the opening."""
        return self.file.facts().size_bytes >= self.facts.size_bytes


class _Stream(Protocol):
    def read1(self, size: int = ..., /) -> bytes: ...


_Unpack = Callable[[IO[bytes]], _Stream]


def _plain(raw: IO[bytes]) -> _Stream:
    return cast("_Stream", raw)


def _zstd(raw: IO[bytes]) -> _Stream:
    reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    return cast("_Stream", reader)


def _chunks(stream: _Stream) -> Iterator[bytes]:
    """Yield all that can be read, also what stands right before a fault."""
    pieces: list[bytes] = []
    fault: BrokenFileError | None = None
    while fault is None:
        try:
            piece = stream.read1(_PIECE_BYTES)
        except (*_BROKEN, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            fault, piece = BrokenFileError(str(error)), b""  # gzip and bz2 say it with OSError
        pieces.append(piece)
        if not piece or sum(map(len, pieces)) >= CHUNK_BYTES:
            yield b"".join(pieces)
            pieces = []
        if not piece:
            break
    if fault is not None:
        raise fault


_UNPACK: Final[Mapping[str, _Unpack]] = {
    ".gz": cast("_Unpack", gzip.open),
    ".bz2": cast("_Unpack", bz2.open),
    ".xz": cast("_Unpack", lzma.open),
    ".zst": _zstd,
}

_BROKEN: Final = (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def list_files(index_path: Path) -> tuple[FileFacts, ...]:
    """Return the index's files, oldest first; none where there is not even a rotated one.

    Raises
    ------
    StoreError
        Where the file system refuses.
    """
    with store_fault(index_path.parent):
        found = siblings(index_path)
        names = {one.name for one in found}
        kept = [one for one in found if not _is_being_compressed(one, names)]
        rotated = sort_rotated(index_path, kept)
        families = [rotated.numbered, rotated.dated]
        if all(families):
            families.sort(key=lambda family: _written_ns(family[-1]))
        known = [facts_or_none(one) for family in families for one in family]
        if (found_now := _stat_or_none(index_path)) is not None:
            known.append(facts_of(index_path, found_now))
    return tuple(one for one in known if one is not None)


def _stat_or_none(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _written_ns(path: Path) -> int:
    found = _stat_or_none(path)
    return 0 if found is None else found.st_mtime_ns  # gone: the listing will not hold


def _is_being_compressed(path: Path, names: set[str]) -> bool:
    return is_compressed(path) and path.with_suffix("").name in names


def open_files(listed: Sequence[FileFacts], stack: ExitStack) -> list[ReceivedFile] | None:
    """Open all; None where one is no longer what was listed.

    Raises
    ------
    StoreError
        Where one cannot be opened.
    """
    opened: list[ReceivedFile] = []
    for facts in listed:
        file = open_followed(facts.path, stack)
        if file is None or not file.facts().is_same_file(facts):
            return None
        opened.append(ReceivedFile(file=file, facts=file.facts()))
    return opened


def without_copies(files: Sequence[ReceivedFile]) -> list[ReceivedFile]:
    """Drop each file that is the beginning of the next one.

    ``copytruncate`` leaves such a copy from before the cut: its rows are the same ones, received
    once.
    """
    kept: list[ReceivedFile] = []
    for file in reversed(files):
        if not kept or not _is_beginning(file, kept[-1]):
            kept.append(file)
    return kept[::-1]


def _is_beginning(shorter: ReceivedFile, longer: ReceivedFile) -> bool:
    there, read = longer.chunks(), b""
    try:
        for chunk in shorter.chunks():
            while len(read) < len(chunk) and (more := next(there, b"")):
                read += more
            if not read.startswith(chunk):
                return False
            read = read[len(chunk) :]
    except BrokenFileError:
        return False
    return True
