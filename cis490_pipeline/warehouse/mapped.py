"""Mapped files: matrices that are larger than memory should be, and giving their pages back.

A page of a mapped file that was read counts as memory of the process, although the operating system
keeps it for everybody and could take it away at any time. A fit reads all of its training set, over
and over: unless it gives pages back, its memory is the size of the store.

Not here: what the files hold (``features.shards``, ``datasets``).
"""

import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.warehouse.atomic import writing

LARGEST_IN_MEMORY: Final = 32 * 2**20
"""Bytes of a matrix that needs no file: some thousand episodes in the realistic mode."""
KEPT_WHOLE: Final = 512 * 2**20
"""Bytes of mappings that are never given back: to ask for the pages of a window again costs four
times what copying it does."""
MOST_MAPPED: Final = 128 * 2**20
"""Bytes of mapped pages after which those of larger mappings are given back."""
_AROUND_A_FAULT: Final = 2 * 2**20
"""Bytes that Linux may map along with a page that was asked for: 64 KB, or a large folio whole."""


def scratch_matrix(directory: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a matrix of undefined content, in a file without a name where it is large.

    The file is gone with the last reference to the matrix, and with the process in any case.

    Raises
    ------
    WarehouseError
        Where the disk does not have the room.
    """
    n_bytes = shape[0] * shape[1] * np.dtype(np.float32).itemsize
    if n_bytes <= LARGEST_IN_MEMORY:
        return np.empty(shape, dtype=np.float32)
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            # Reserved now: where a hole of a mapped file cannot be filled, the process is killed.
            os.posix_fallocate(file.fileno(), 0, n_bytes)
            return np.memmap(file, dtype=np.float32, mode="r+", shape=shape)


def _mapping_of(array: NDArray[np.generic]) -> mmap.mmap | None:
    base = cast("object", array.base)
    while isinstance(base, np.ndarray):
        base = cast("object", base.base)
    return base if isinstance(base, mmap.mmap) else None


@dataclass(slots=True, eq=False)
class PageBudget:
    """Gives the pages of mapped arrays back after so many bytes were read or written."""

    _bytes: int = 0
    _mappings: dict[int, mmap.mmap] = field(default_factory=dict[int, mmap.mmap])

    def spend(self, array: NDArray[np.generic], first: NDArray[np.int64], length: int) -> None:
        """Count rows of a mapped array, ``length`` from each of ``first`` on, as used.

        An array that is not mapped costs nothing.
        """
        if first.size == 0 or not self.watch(array):
            return
        row_bytes = array.strides[0]
        apart = first.size * (length * row_bytes + _AROUND_A_FAULT)
        together = (int(first.max() - first.min()) + length) * row_bytes + _AROUND_A_FAULT
        self.count(min(apart, together))

    def watch(self, array: NDArray[np.generic]) -> bool:
        """Make an array one whose pages are given back; say whether it is mapped at all."""
        mapping = _mapping_of(array)
        if mapping is not None:
            self._mappings[id(mapping)] = mapping
        return mapping is not None

    @property
    def keeps_everything(self) -> bool:
        """Whether what is watched is so small that its pages may stay."""
        return sum(map(len, self._mappings.values())) <= KEPT_WHOLE

    def count(self, n_bytes: int) -> None:
        """Count so many bytes of what is watched as used."""
        self._bytes += n_bytes
        if self._bytes > MOST_MAPPED and not self.keeps_everything:
            self.give_back()

    def in_parts(
        self, end_B: NDArray[np.int64], n_bytes_B: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        """Yield which stretches of what is watched to read next: all at once where they may stay.

        Parameters
        ----------
        end_B, n_bytes_B
            Address behind each stretch, and its length.

        Yields
        ------
        NDArray[np.int64]
            Positions in ``end_B``, by address where there are several parts; each part is counted
            as used when the next one is asked for.
        """
        if self.keeps_everything:
            yield np.arange(len(end_B))
            return
        order_B = np.argsort(end_B, kind="stable")
        apart_B = n_bytes_B[order_B] + _AROUND_A_FAULT
        used_B = np.cumsum(np.minimum(np.diff(end_B[order_B], prepend=0), apart_B))
        first, before = 0, 0
        while first < len(order_B):
            room = before + MOST_MAPPED - self._bytes
            last = max(first + 1, int(np.searchsorted(used_B, room, side="right")))
            yield order_B[first:last]
            self.count(int(used_B[last - 1]) - before)
            first, before = last, int(used_B[last - 1])

    def give_back(self) -> None:
        """Give all pages back; what was written to them stays in the file."""
        for mapping in self._mappings.values():
            mapping.madvise(mmap.MADV_DONTNEED)
        self._bytes = 0
