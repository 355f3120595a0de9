"""Appending to ``index.jsonl``: one row, one write, synced; never glued to what a crash left.

A last line without its newline is closed before anything is written behind it: a row that lacks
only the newline becomes a whole one, the rest of a torn one becomes a line that readers count as
damage. Nothing that others wrote is ever taken away.

Not here: what has been received (``keeper``), reading (``episodes``). Source: episode format,
section *index.jsonl*; field notes H, item 15: only a lock and a single ``write`` keep rows apart.
"""

import errno
import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.errors import StoreError
from cis490_pipeline.receiver.durable import sync_directory
from cis490_pipeline.schema.ids import EpisodeId, HostId


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the index says of an episode; ``received_at_wall`` is ISO 8601 or Unix seconds."""

    episode_id: EpisodeId
    host_id: HostId
    sha256: str
    size_bytes: int
    received_at_wall: str | float | None

    def line(self) -> bytes:
        """Return the row with its newline."""
        columns = ("episode_id", "host_id", "sha256", "size_bytes", "received_at_wall")
        row = {name: getattr(self, name) for name in columns}
        return json.dumps(row, allow_nan=False).encode() + b"\n"


class IndexFile:
    """The index, to its only writer; opened by name for each row, so that rotation is followed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._doubtful = False

    def repair(self) -> None:
        """Make the file if it is absent, close its last line, make all of it durable.

        A process that was killed between a write and its sync leaves a row that only memory has.

        Raises
        ------
        OSError
            Of the file system.
        """
        with self._opened() as handle:
            if _is_unfinished(handle):
                _append(handle, b"\n")
            os.fsync(handle)

    def append(self, row: Row) -> None:
        """Append a row; when this returns it is durable, when it raises it is not in the file.

        Raises
        ------
        OSError
            Of the file system; what was written of the row has been taken back.
        StoreError
            Where it could not be taken back, now or by an earlier call: whether that row will be
            there after a power cut is then unknown, and only reading everything anew helps.
        """
        if self._doubtful:
            raise self._in_doubt()
        with self._opened() as handle:
            size_bytes = os.fstat(handle).st_size
            line = b"\n" + row.line() if _is_unfinished(handle) else row.line()
            try:
                _append(handle, line)
                os.fsync(handle)
            except OSError:
                self._take_back(handle, size_bytes)
                raise

    def _take_back(self, handle: int, size_bytes: int) -> None:
        """Cut what was just written; a follower has read nothing of it unless it was whole."""
        try:
            if os.fstat(handle).st_size > size_bytes:
                os.ftruncate(handle, size_bytes)
            os.fsync(handle)
        except OSError as error:
            self._doubtful = True
            raise self._in_doubt() from error

    @contextmanager
    def _opened(self) -> Generator[int]:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            handle = os.open(self._path, flags)
        except FileNotFoundError:  # the first row ever, or the first one after a rotation
            with suppress(FileExistsError):
                os.close(os.open(self._path, flags | os.O_CREAT | os.O_EXCL, 0o644))
            sync_directory(self._path.parent)
            handle = os.open(self._path, flags)
        try:
            yield handle
        finally:
            os.close(handle)

    def _in_doubt(self) -> StoreError:
        return StoreError(
            "the index could not be written, and not be put back either",
            where=str(self._path),
            todo="check the disk, then start the receiver again: it reads the index anew",
        )


def _is_unfinished(handle: int) -> bool:
    size_bytes = os.fstat(handle).st_size
    return size_bytes > 0 and os.pread(handle, 1, size_bytes - 1) != b"\n"


def _append(handle: int, line: bytes) -> None:
    """Write in one call: two would let another program's line in between."""
    written = os.write(handle, line)
    if written < len(line):
        raise OSError(errno.ENOSPC, f"only {written} of {len(line)} bytes were written")
