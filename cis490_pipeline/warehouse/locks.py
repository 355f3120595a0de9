"""One writer at a time: a lock that the kernel frees when its owner dies, however it dies.

A run that was killed may leave a step behind that goes on; who takes up its work waits here until
that one has ended, and then finds what it did. Not here: what is done under a lock.
"""

import contextlib
import fcntl
import logging
import os
from collections.abc import Generator
from pathlib import Path
from typing import TextIO

from cis490_pipeline.warehouse.atomic import writing

_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def held_alone(path: Path) -> Generator[None]:
    """Hold the lock file for this process; waits for another one that has it, and says so.

    The file is removed at the end. Waiting ends at once where a signal interrupts it.

    Raises
    ------
    WarehouseError
        Where the directory cannot be written.
    """
    descriptor = open_alone(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock of a file that stays; waits for another process that has it, and says so.

    Raises
    ------
    WarehouseError
        Where the file cannot be made.
    """
    with _opened(path) as file:
        lock(file.fileno(), path)
        yield


def _opened(path: Path) -> TextIO:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w")


def open_alone(path: Path) -> int:
    """Open and lock a file; the caller removes it before it closes the descriptor.

    Tried again where the one that was waited for has removed the file meanwhile.
    """
    while True:
        with writing(path), contextlib.ExitStack() as unless_kept:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            unless_kept.callback(os.close, descriptor)
            lock(descriptor, path)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                unless_kept.pop_all()
                return descriptor


def lock(descriptor: int, path: Path) -> None:
    """Lock an open file; ``path`` is what the log calls it where somebody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _LOG.info("%s is held by %s: waiting until it ends", path, _owner(descriptor))
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _owner(descriptor: int) -> str:
    """Name the process that has the lock; the kernel knows it where it is on this machine."""
    inode = str(os.fstat(descriptor).st_ino)
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()  # 1: FLOCK ADVISORY WRITE 4711 08:01:1234 0 EOF
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
                return f"process {words[4]}"
    return "another process"
