"""Bytes that are on disk when a function has returned.

Not here: what is written, and what a failure means.
"""

import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_directory(path: Path, mode: int = 0o755) -> None:
    """Make a directory whose parent is there; nothing where it is there itself."""
    try:
        path.mkdir(mode)
    except FileExistsError:
        return
    sync_directory(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename a synced file, replacing what stood there, in one step."""
    source.replace(target)
    sync_directory(target.parent)


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Write everything; one call of the system may take less.

    Raises
    ------
    OSError
        Of the file system; a part may have been written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def write_private(path: Path, data: bytes) -> None:
    """Replace a file whole; only its owner may read it (mode 0600).

    One writer at a time: the temporary name is fixed, and what a dead writer left is replaced.
    """
    temporary = path.with_name(f"{path.name}.part")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    move(temporary, path)
