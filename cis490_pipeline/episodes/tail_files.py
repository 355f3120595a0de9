"""Opening the followed file, and finding it again where a rotation put it.

Files are told by ``FileIdentity``, never by name; names only say which rotated file is newer
(``rotated``). Compressed files are not read.

Not here: when to leave one file for the next (``tail``), what lines say (``tail_lines``).
"""

import os
import stat
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cis490_pipeline.episodes.rotated import is_compressed, siblings, sort_rotated
from cis490_pipeline.episodes.tail_position import Edges, TailPosition
from cis490_pipeline.errors import StoreError

_COPY_BYTES: Final = 128
"""A shorter beginning tells no file from another; every row is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What the file system says of a regular file."""

    path: Path
    device: int
    inode: int
    size_bytes: int

    def is_same_file(self, other: "FileFacts") -> bool:
        """Say whether both are of one file, whatever its name and length."""
        return (self.device, self.inode) == (other.device, other.inode)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A regular file that stays the same one whatever happens to its name."""

    path: Path
    handle: int

    def facts(self) -> FileFacts:
        """Return what the file system says now."""
        with store_fault(self.path):
            return facts_of(self.path, os.fstat(self.handle))

    def read(self, start: int, n_bytes: int) -> bytes:
        """Return ``n_bytes`` from ``start`` on; less only at the file's end.

        Raises
        ------
        StoreError
            Where the file system fails (``ESTALE`` on NFS, for one).
        """
        parts: list[bytes] = []
        with store_fault(self.path):
            while n_bytes > 0 and (part := os.pread(self.handle, n_bytes, start)):
                parts.append(part)
                start += len(part)
                n_bytes -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderFile:
    """The file of a position where its name is another's; ``newer`` came after it, oldest first."""

    file: OpenedFile
    edges: Edges
    newer: tuple[FileFacts, ...]


def open_followed(path: Path, stack: ExitStack) -> OpenedFile | None:
    """Open a regular file until ``stack`` closes; None where it is absent.

    Raises
    ------
    StoreError
        Where it is no regular file or cannot be opened.
    """
    with store_fault(path):
        try:
            # Without O_NONBLOCK, opening a named pipe would wait for its writer.
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        stack.callback(os.close, handle)
        mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        raise _unreadable(path, "no regular file")
    return OpenedFile(path=path, handle=handle)


def edges_of(file: OpenedFile, position: TailPosition) -> Edges | None:
    """Return both ends of what was read, where the file still has them; else None."""
    identity, next_byte = position.identity, position.place.next_byte
    if file.facts().size_bytes < next_byte:
        return None
    n_bytes = identity.prefix_bytes
    edges = Edges(head=file.read(0, n_bytes), last=file.read(next_byte - n_bytes, n_bytes))
    here = edges.identity(device=identity.device, inode=identity.inode)
    return edges if here == identity else None


def find_older(
    path: Path, position: TailPosition, previous: Sequence[Path] | None, stack: ExitStack
) -> OlderFile | None:
    """Find the file of ``position`` among the rotated ones: itself, else a full copy of it.

    A copy is what ``copytruncate`` leaves: another inode with both ends at the same places.

    Parameters
    ----------
    previous
        Rotated files, oldest first; None takes the siblings whose names begin like ``path``'s.
    """
    families = _sibling_families(path) if previous is None else (tuple(previous),)
    known = [tuple(filter(None, map(facts_or_none, family))) for family in families]
    return _find_inode(known, position, stack) or _find_copy(known, position, stack)


_Families = list[tuple[FileFacts, ...]]


def _find_inode(families: _Families, position: TailPosition, stack: ExitStack) -> OlderFile | None:
    for family in families:
        for rank, facts in enumerate(family):
            if position.identity.is_inode(facts.device, facts.inode):
                file = open_followed(facts.path, stack)
                edges = None if file is None else _edges_if_same(file, facts, position)
                if file is not None and edges is not None:
                    return OlderFile(file=file, edges=edges, newer=family[rank + 1 :])
    return None


def _find_copy(families: _Families, position: TailPosition, stack: ExitStack) -> OlderFile | None:
    """Find the longest file that holds all that was read."""
    found: list[OlderFile] = []
    for family in families:
        for rank, facts in enumerate(family):
            file = _open_copy(facts, position, stack)
            edges = None if file is None else _edges_if_same(file, facts, position)
            if file is not None and edges is not None:
                found.append(OlderFile(file=file, edges=edges, newer=family[rank + 1 :]))
    return max(found, key=lambda older: older.file.facts().size_bytes, default=None)


def _edges_if_same(file: OpenedFile, facts: FileFacts, position: TailPosition) -> Edges | None:
    """As ``edges_of``; None too where the name went to another file since it was looked at."""
    return edges_of(file, position) if file.facts().is_same_file(facts) else None


def _open_copy(facts: FileFacts, position: TailPosition, stack: ExitStack) -> OpenedFile | None:
    if position.identity.prefix_bytes < _COPY_BYTES or facts.size_bytes < position.place.next_byte:
        return None
    try:
        return open_followed(facts.path, stack)
    except StoreError:  # a stranger's file beside the index; none of its rows was promised
        return None


def _sibling_families(path: Path) -> tuple[tuple[Path, ...], ...]:
    """Return the rotated siblings in groups whose order is known, each oldest first."""
    with store_fault(path.parent):
        found = [one for one in siblings(path) if not is_compressed(one)]
    rotated = sort_rotated(path, found)
    return (rotated.numbered, rotated.dated, *((one,) for one in rotated.others))


def facts_or_none(path: Path) -> FileFacts | None:
    """Return what the file system says of a regular file; None of any other, and of none."""
    with store_fault(path):
        try:
            found = path.stat(follow_symlinks=False)
        except FileNotFoundError:  # rotated on since its directory was read
            return None
    return facts_of(path, found) if stat.S_ISREG(found.st_mode) else None


def facts_of(path: Path, found: os.stat_result) -> FileFacts:
    """Return what was found at a path."""
    return FileFacts(path=path, device=found.st_dev, inode=found.st_ino, size_bytes=found.st_size)


@contextmanager
def store_fault(path: Path) -> Generator[None]:
    """Make a ``StoreError`` of what the file system refuses."""
    try:
        yield
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from error


def _unreadable(path: Path, found: str) -> StoreError:
    return StoreError(
        "the index cannot be followed",
        where=str(path),
        expected="the receiver's index.jsonl",
        found=found,
        todo="check the store's path, mount and permissions; following goes on from its position",
    )
