"""One process at a time: a lock on a file that the kernel frees when its owner dies.

Not here: what is done under it (``ingest.journal``, ``reporting.history``).
"""

import contextlib
import fcntl
from collections.abc import Generator
from pathlib import Path
from typing import TextIO

from cis490_pipeline.warehouse.atomic import writing


@contextlib.contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock of a file, which is made where it is not; waits for another who has it.

    The file itself stays: to remove it would let two hold "the" lock.

    Raises
    ------
    WarehouseError
        Where the file cannot be made.
    """
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _opened(path: Path) -> TextIO:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w")
