"""Compiled copy of windows out of shards.

Shape suffixes: S shards, C channels, B windows, N rows of a batch, T ticks of a row, R runs of
neighbouring channels.

Not here: whose addresses these are (``shard_windows``).
"""

import numpy as np
from llvmlite import ir
from numba import (
    carray,  # pyright: ignore[reportPrivateImportUsage] - where its documentation says it is
    njit,
    types,
)
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray


@intrinsic
def _pointer(typing_context: object, address: object) -> object:  # noqa: ARG001 - numba's protocol
    """Turn an address into a pointer, which only compiled code can hold."""

    def generate(
        context: object,  # noqa: ARG001
        builder: ir.IRBuilder,
        signature: object,  # noqa: ARG001
        arguments: tuple[ir.Value],
    ) -> object:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.uint64), generate


@njit(nogil=True, cache=True)
def first_outside(
    ticks_S: NDArray[np.int64],
    shard_B: NDArray[np.int64],
    first_B: NDArray[np.int64],
    length_B: NDArray[np.int64],
) -> int:
    """Return the first window that does not lie in its shard, -1 where all do.

    Numbers from tables may be anything: nothing is added that could overflow.
    """
    for b in range(shard_B.shape[0]):
        shard, length = shard_B[b], length_B[b]
        if shard < 0 or shard >= ticks_S.shape[0] or length < 0 or length > ticks_S[shard]:
            return b
        if first_B[b] < 0 or first_B[b] > ticks_S[shard] - length:
            return b
    return -1


@njit(nogil=True, cache=True)
def write_windows(
    address_S: NDArray[np.uint64],
    shape: tuple[int, int],
    shard_B: NDArray[np.int64],
    first_B: NDArray[np.int64],
    length_B: NDArray[np.int64],
    runs_R2: NDArray[np.int64],
    out_NTC: NDArray[np.float32],
    row_B: NDArray[np.int64],
) -> None:
    """Copy every ``step``-th tick of windows, the last one included, to the end of their rows.

    ``shape`` is (channels of a shard, step). Runs (first channel, count) are copied tick by tick:
    the batch has the order of the shard, because turning each window over would cost more than
    copying it. All of this lies inside, or memory of others is read: see ``first_outside``.
    """
    n_channels, step = shape
    n_rows, width = out_NTC.shape[1], out_NTC.shape[2]
    whole = step == 1 and runs_R2.shape[0] == 1 and runs_R2[0, 1] == n_channels
    out = out_NTC.reshape(-1)
    for b in range(row_B.shape[0]):
        n_points = (length_B[b] + step - 1) // step
        first = first_B[b] + (length_B[b] - 1) % step
        n_read = ((n_points - 1) * step + 1) * n_channels
        start = address_S[shard_B[b]] + np.uint64(4 * first * n_channels)
        pointer = _pointer(start)  # pyright: ignore[reportCallIssue] - numba adds the context
        x = carray(pointer, (n_read,), np.float32)
        target = (row_B[b] * n_rows + n_rows - n_points) * width
        if whole:
            for c in range(n_read):  # unsigned places, or each one is asked whether it is < 0
                out[np.uintp(target + c)] = x[np.uintp(c)]
            continue
        for k in range(n_points):
            for r in range(runs_R2.shape[0]):
                count, begin = runs_R2[r, 1], k * step * n_channels + runs_R2[r, 0]
                for c in range(count):
                    out[np.uintp(target + c)] = x[np.uintp(begin + c)]
                target += count
