"""What the decoding threads were at when their process died: a small file, mapped into memory.

A thread writes the id of its episode into a slot before it opens the tarball and clears the slot
afterwards. The page cache outlives any death of the process, and the stamp beside the id tells
from outside, whatever the interpreter lock is doing, for how long a visit has been going on.

Not here: what is concluded from it (``supervisor``).
"""

import contextlib
import mmap
import os
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from cis490_pipeline.warehouse.atomic import writing
from cis490_pipeline.warehouse.locks import open_alone

_WORD: Final = 8
_ID_BYTES: Final = 32  # an episode id has 26
_SLOT: Final = _ID_BYTES + _WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A slot in use; ``since_ns`` is on the system's monotonic clock, which processes share."""

    episode_id: str
    since_ns: int


class BlackBox:
    """The slots of one run; as many as threads decode at once."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, 0)
        self._words = memoryview(self._memory).cast("Q")  # a stamp is stored whole or not at all
        self._n_slots = len(self._memory) // _SLOT
        self._free: SimpleQueue[int] = SimpleQueue()
        for slot in range(self._n_slots):
            self._free.put(slot)

    @classmethod
    def open(cls, path: Path) -> "BlackBox":
        """Map the box that a supervisor holds."""
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return cls(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def visiting(self, episode_id: str) -> Generator[None]:
        """Name the episode while the block runs; where the block raises, it stays named."""
        slot = self._free.get()
        first, stamp = slot * _SLOT, (slot * _SLOT + _ID_BYTES) // _WORD
        self._memory[first : first + _ID_BYTES] = episode_id.encode().ljust(_ID_BYTES, b"\0")
        self._words[stamp] = time.monotonic_ns()
        yield
        self._words[stamp] = 0
        self._free.put(slot)

    def visits(self) -> tuple[Visit, ...]:
        """Return what is being visited, the longest first; or was, where the process has died."""
        found: list[Visit] = []
        for first in range(0, self._n_slots * _SLOT, _SLOT):
            since_ns = self._words[(first + _ID_BYTES) // _WORD]
            name = self._memory[first : first + _ID_BYTES].rstrip(b"\0")
            if since_ns:
                found.append(Visit(episode_id=name.decode("ascii", "replace"), since_ns=since_ns))
        return tuple(sorted(found, key=lambda visit: visit.since_ns))

    def clear(self) -> None:
        """Forget what stands in the slots."""
        self._memory[:] = bytes(len(self._memory))


@contextlib.contextmanager
def held_box(path: Path, n_slots: int) -> Generator[tuple[BlackBox, tuple[Visit, ...]]]:
    """Hold a box for this process; waits for another one that has it, and removes it at the end.

    Yields
    ------
    BlackBox, tuple of Visit
        The empty box, and what stood in it: a run died as a whole, its supervisor included.

    Raises
    ------
    WarehouseError
        Where the directory cannot be written.
    """
    descriptor = open_alone(path)
    try:
        with writing(path):
            left = _left_behind(descriptor)
            os.ftruncate(descriptor, 0)
            # written, not only sized: a hole that the full disk cannot fill would kill its writer
            os.pwrite(descriptor, bytes(n_slots * _SLOT), 0)
        yield BlackBox(descriptor), left
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _left_behind(descriptor: int) -> tuple[Visit, ...]:
    size = os.fstat(descriptor).st_size
    return BlackBox(descriptor).visits() if size and size % _SLOT == 0 else ()
