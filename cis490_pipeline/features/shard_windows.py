"""Windows out of many shards by one compiled call: a batch has windows of all of them.

A call for each shard costs as much as copying its share of a batch. So the call reads at addresses.
They are those of arrays that are held here, and every window is compared with the length of its
array before anything is copied: whatever the tables say, nothing else can be read.

Shape suffixes: S shards, T ticks, C channels, B windows, N rows of a batch, R runs of neighbouring
channels.

Not here: the files (``shards``), which windows belong to a set (``datasets``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.features.window_kernels import first_outside, write_windows
from cis490_pipeline.schema.channels import N_CHANNELS

_TICK_BYTES: Final = N_CHANNELS * np.dtype(np.float32).itemsize


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShardWindows:
    """Some channels of some shards; made by ``of`` alone, which takes the addresses.

    Attributes
    ----------
    shards
        float32 ``[n_ticks, 46]`` each; held, so that their addresses stay theirs.
    address_S, ticks_S
        Where each begins, and its length.
    runs_R2
        The channels as runs (first, count).
    """

    shards: tuple[NDArray[np.float32], ...]
    address_S: NDArray[np.uint64]
    ticks_S: NDArray[np.int64]
    runs_R2: NDArray[np.int64]

    @classmethod
    def of(cls, shards: Sequence[NDArray[np.float32]], columns: Sequence[int]) -> "ShardWindows":
        """Take the shards and the channels that come along; the others are never copied out.

        Raises
        ------
        ValueError
            Where a shard has not 46 columns.
        IndexError
            Where a column lies outside; a negative one does not count from the end.
        """
        held = tuple(np.ascontiguousarray(x_TC, dtype=np.float32) for x_TC in shards)
        for x_TC in held:
            if x_TC.ndim != 2 or x_TC.shape[1] != N_CHANNELS:
                raise ValueError(f"expected shards [n_ticks, {N_CHANNELS}], found {x_TC.shape}")
        wanted = np.asarray(columns, dtype=np.int64).reshape(-1)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= N_CHANNELS):
            raise IndexError(f"columns {wanted.tolist()} are not all within {N_CHANNELS}")
        return cls(
            shards=held,
            address_S=np.array([x_TC.ctypes.data for x_TC in held], dtype=np.uint64),
            ticks_S=np.array([len(x_TC) for x_TC in held], dtype=np.int64),
            runs_R2=np.array(_runs(wanted), dtype=np.int64).reshape(-1, 2),
        )

    def addresses(self, shard_B: NDArray[np.int64], tick_B: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where ticks lie in memory: an order to read them in, and how far they are apart.

        Raises
        ------
        IndexError
            Where there is no such shard.
        """
        return self.address_S.astype(np.int64)[shard_B] + tick_B * _TICK_BYTES

    def copy(
        self,
        out_NTC: NDArray[np.float32],
        row_B: NDArray[np.int64],
        *,
        shard_B: NDArray[np.int64],
        first_B: NDArray[np.int64],
        length_B: NDArray[np.int64],
        step: int = 1,
    ) -> None:
        """Copy windows, each ``length`` ticks from ``first`` on, into the rows of a batch.

        Parameters
        ----------
        out_NTC
            Contiguous; a row that is longer than its window is filled at its end.
        step
            Only every so-many-th tick comes along, the last one included.

        Raises
        ------
        IndexError
            Where a window does not lie in its shard; nothing was copied.
        ValueError
            Where the batch is not made for these windows.
        """
        if not len(row_B) == len(shard_B) == len(first_B) == len(length_B) or step < 1:
            raise ValueError(f"expected rows, shards, ticks and lengths of {len(row_B)} windows")
        outside = first_outside(self.ticks_S, shard_B, first_B, length_B)
        if outside >= 0:
            raise self._outside(int(shard_B[outside]), int(first_B[outside]))
        self._require_room(out_NTC, row_B, -(-int(length_B.max(initial=0)) // step))
        write_windows(
            self.address_S,
            (N_CHANNELS, step),
            shard_B,
            first_B,
            length_B,
            self.runs_R2,
            out_NTC,
            row_B,
        )

    def _require_room(
        self, out_NTC: NDArray[np.float32], row_B: NDArray[np.int64], n_points: int
    ) -> None:
        n_rows, held, width = out_NTC.shape
        inside = row_B.min(initial=0) >= 0 and row_B.max(initial=-1) < n_rows and n_points <= held
        if not inside or width != self.runs_R2[:, 1].sum() or not out_NTC.flags.c_contiguous:
            raise ValueError(f"a batch {out_NTC.shape} has no room for the windows")

    def _outside(self, shard: int, first: int) -> IndexError:
        if not 0 <= shard < len(self.shards):
            return IndexError(f"a window of shard {shard} is not within {len(self.shards)} shards")
        held = int(self.ticks_S[shard])
        return IndexError(f"a window that begins at tick {first} is not within {held} ticks")


def _runs(columns: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the columns as runs of neighbours (first, count): a run is copied as a whole."""
    begins = np.flatnonzero(np.diff(columns, prepend=-2) != 1)
    counts = np.diff(begins, append=columns.size)
    return list(zip(columns[begins].tolist(), counts.tolist(), strict=True))
