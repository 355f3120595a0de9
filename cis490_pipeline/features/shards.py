"""Tensor shards: the grids of many episodes end to end, memory-mapped, and windows out of them.

A shard is raw little-endian float32 ``[ticks, 46]`` without a header; its name is the hash of its
bytes, and the ``episodes`` table says which ticks are whose. Windows overlap by half, so a window
is never stored: it is 100 rows of a shard.

Shape suffixes: T ticks, C channels, B a batch of windows.

Not here: windows of many shards at once (``shard_windows``), where shards lie and how they are
written safely (``warehouse``), which windows belong to a set (``datasets``).
Source: README, section *Storage*.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.features.shard_windows import ShardWindows
from cis490_pipeline.schema.channels import N_CHANNELS
from cis490_pipeline.schema.windows import STRIDE_TICKS, WINDOW_TICKS

_REBUILD: Final = "ingest the host's episodes again"
_ON_DISK: Final = np.dtype("<f4")
_TICK_BYTES: Final = N_CHANNELS * _ON_DISK.itemsize
_TICKS_PER_READ: Final = 43_690


def encode_shard(
    grids: Sequence[NDArray[np.float32]],
) -> tuple[Iterator[memoryview], tuple[int, ...]]:
    """Return the bytes of a shard, grid by grid, and the first tick of each grid in it.

    Raises
    ------
    ValueError
        Where a grid has not 46 columns.
    """
    first_ticks: list[int] = []
    n_ticks = 0
    for x_TC in grids:
        if x_TC.ndim != 2 or x_TC.shape[1] != N_CHANNELS:
            raise ValueError(f"expected grids [n_ticks, {N_CHANNELS}], found {x_TC.shape}")
        first_ticks.append(n_ticks)
        n_ticks += x_TC.shape[0]
    chunks = (np.ascontiguousarray(x_TC, dtype=_ON_DISK) for x_TC in grids if len(x_TC))
    return (x_TC.data.cast("B") for x_TC in chunks), tuple(first_ticks)


def open_shard(path: Path, *, min_ticks: int = 0) -> NDArray[np.float32]:
    """Map a shard read-only, ``[ticks, 46]``.

    Parameters
    ----------
    path
        File of the shard.
    min_ticks
        Ticks that the tables say it has: the end of the last range named in it.

    Raises
    ------
    WarehouseError
        Where the file is absent, is no whole number of ticks, or is shorter than ``min_ticks``.
    """
    n_ticks = _ticks_of_file(path)
    if n_ticks < min_ticks:
        raise _too_short(path, min_ticks, n_ticks)
    if n_ticks == 0:  # a file of no bytes cannot be mapped
        empty = np.empty((0, N_CHANNELS), dtype=_ON_DISK)
        empty.flags.writeable = False
        return empty
    return np.memmap(path, dtype=_ON_DISK, mode="r", shape=(n_ticks, N_CHANNELS))


def bytes_of_ticks(n_ticks: int) -> int:
    """Return what so many ticks take in a shard.

    >>> bytes_of_ticks(10)
    1840
    """
    return n_ticks * _TICK_BYTES


def read_ticks(path: Path, first_tick: int, n_ticks: int) -> Iterator[bytes]:
    """Yield the bytes of a range of a shard, at most 8 MB at once.

    Read, not mapped: the pages of a mapping count as memory of the process that copies them.

    Raises
    ------
    WarehouseError
        Where the file cannot be read or ends before the range does.
    """
    end = first_tick + n_ticks
    try:
        with path.open("rb") as file:
            file.seek(bytes_of_ticks(first_tick))
            for start in range(first_tick, end, _TICKS_PER_READ):
                wanted = bytes_of_ticks(min(_TICKS_PER_READ, end - start))
                chunk = file.read(wanted)
                if len(chunk) < wanted:
                    raise _too_short(path, end, _ticks_of_file(path))
                yield chunk
    except OSError as error:
        raise WarehouseError(
            "a tensor shard cannot be read", where=str(path), found=str(error), todo=_REBUILD
        ) from error


def _too_short(path: Path, min_ticks: int, n_ticks: int) -> WarehouseError:
    return WarehouseError(
        "a tensor shard is too short",
        where=str(path),
        expected=f"at least {min_ticks} ticks",
        found=f"{n_ticks} ticks",
        todo=_REBUILD,
    )


def _ticks_of_file(path: Path) -> int:
    try:
        n_bytes = path.stat().st_size
    except OSError as error:
        raise WarehouseError(
            "a tensor shard cannot be read", where=str(path), found=str(error), todo=_REBUILD
        ) from error
    if n_bytes % _TICK_BYTES:
        raise WarehouseError(
            "a tensor shard is no whole number of ticks",
            where=str(path),
            expected=f"a multiple of {_TICK_BYTES} bytes",
            found=f"{n_bytes} bytes",
            todo=_REBUILD,
        )
    return n_bytes // _TICK_BYTES


def gather_windows(
    x_TC: NDArray[np.float32],
    start_B: ArrayLike,
    columns: Sequence[int],
    n_ticks: int = WINDOW_TICKS,
    step: int = 1,
) -> NDArray[np.float32]:
    """Copy windows, or longer stretches, out of a shard or a grid by their first tick.

    Parameters
    ----------
    x_TC
        ``[n_ticks, 46]``.
    start_B
        First tick of each window, in any order, repeats allowed.
    columns
        Grid columns that come along; the others are never copied out.
    n_ticks
        Length of each.
    step
        Only every so-many-th tick comes along, the last one included.

    Returns
    -------
    NDArray[np.float32]
        ``x_BCT``, float32 ``[B, len(columns), ⌈n_ticks / step⌉]``. The memory is ``[B, T, C]``, as
        in the shard: the channel axis comes first by strides only, because turning each window over
        would cost more than copying it.

    Raises
    ------
    IndexError
        Where a window or a column lies outside; a negative index does not count from the end.
    """
    first_B = np.asarray(start_B, dtype=np.int64).reshape(-1)
    x_BTC = np.empty((first_B.size, -(-n_ticks // step), len(columns)), dtype=np.float32)
    ShardWindows.of((x_TC,), columns).copy(
        x_BTC,
        np.arange(first_B.size),
        shard_B=np.zeros_like(first_B),
        first_B=first_B,
        length_B=np.full_like(first_B, n_ticks),
        step=step,
    )
    return x_BTC.transpose(0, 2, 1)


def windows_view(
    x_TC: NDArray[np.float32], windows: ArrayLike, columns: Sequence[int]
) -> NDArray[np.float32]:
    """Return windows of one episode's grid by their index on it, ``x_BCT``.

    The same as ``gather_windows`` for windows that begin every 50 ticks from tick 0.
    """
    starts = np.asarray(windows, dtype=np.int64) * STRIDE_TICKS
    return gather_windows(x_TC, starts, columns)
