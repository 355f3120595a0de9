"""Tensor shards and the windows out of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.features.shards import (
    encode_shard,
    gather_windows,
    open_shard,
    windows_view,
)


def grid(n_ticks: int, seed: int = 0) -> NDArray[np.float32]:
    x = np.random.default_rng(seed).normal(size=(n_ticks, 46)).astype(np.float32)
    x[::7, 3] = np.nan
    return x


def encoded(*grids: NDArray[np.float32]) -> bytes:
    return b"".join(encode_shard(grids)[0])


def written(path: Path, *grids: NDArray[np.float32]) -> Path:
    path.write_bytes(encoded(*grids))
    return path


def test_grids_come_back_bit_by_bit(tmp_path: Path) -> None:
    grids = [grid(120, 1), grid(0), grid(35, 2)]
    _, first = encode_shard(grids)
    assert first == (0, 120, 120)
    assert len(encoded(*grids)) == 155 * 46 * 4
    shard = open_shard(written(tmp_path / "a.f32", *grids), min_ticks=155)
    for x, start in zip(grids, first, strict=True):
        assert shard[start : start + len(x)].tobytes() == x.tobytes()


def test_bytes_are_little_endian_float32() -> None:
    assert encoded(np.full((1, 46), 1.0, dtype=np.float32)) == b"\x00\x00\x80\x3f" * 46


def test_order_of_memory_does_not_matter() -> None:
    assert encoded(np.asfortranarray(grid(20))) == encoded(grid(20))
    assert encoded(grid(40)[::2]) == encoded(grid(40)[::2].copy())


def test_grid_of_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"46\], found \(10, 25\)"):
        encode_shard([np.zeros((10, 25), dtype=np.float32)])


def test_shard_is_mapped_read_only(tmp_path: Path) -> None:
    shard = open_shard(written(tmp_path / "a.f32", grid(10)))
    assert isinstance(shard, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        shard[0, 0] = 1.0


def test_shard_without_ticks_is_empty_and_read_only(tmp_path: Path) -> None:
    shard = open_shard(written(tmp_path / "a.f32"))
    assert shard.shape == (0, 46)
    assert not shard.flags.writeable


def test_absent_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError) as caught:
        open_shard(tmp_path / "gone.f32")
    assert caught.value.where == str(tmp_path / "gone.f32")


def test_torn_shard_is_named(tmp_path: Path) -> None:
    path = tmp_path / "torn.f32"
    path.write_bytes(encoded(grid(10))[:-2])
    with pytest.raises(WarehouseError, match="whole number of ticks") as caught:
        open_shard(path)
    assert caught.value.where == str(path)


def test_shard_shorter_than_a_named_range_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "short.f32", grid(10))
    assert open_shard(path, min_ticks=10).shape == (10, 46)
    with pytest.raises(WarehouseError, match="too short") as caught:
        open_shard(path, min_ticks=11)
    assert caught.value.where == str(path)
    assert caught.value.found == "10 ticks"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_windows_are_slices(data: st.DataObject) -> None:
    x_TC = grid(data.draw(st.integers(100, 400)), 3)
    n_windows = (len(x_TC) - 100) // 50 + 1
    chosen = data.draw(st.lists(st.integers(0, n_windows - 1), max_size=6))
    columns = data.draw(st.lists(st.integers(0, 45), max_size=46))
    x_BCT = windows_view(x_TC, np.array(chosen, dtype=np.int64), columns)
    assert x_BCT.shape == (len(chosen), len(columns), 100)
    assert x_BCT.dtype == np.float32
    for b, window in enumerate(chosen):
        naive = x_TC[window * 50 : window * 50 + 100].T[columns]
        assert np.array_equal(x_BCT[b], naive, equal_nan=True)


def test_windows_of_a_shard_begin_anywhere(tmp_path: Path) -> None:
    shard = open_shard(written(tmp_path / "a.f32", grid(321)))
    x_BCT = gather_windows(shard, [221, 0, 7], range(46))
    assert np.array_equal(x_BCT[0], shard[221:321].T, equal_nan=True)
    assert np.array_equal(x_BCT[2], shard[7:107].T, equal_nan=True)
    assert x_BCT.flags.writeable


@pytest.mark.parametrize("start", [-1, 1, 2**63 - 1])
def test_window_outside_is_refused(start: int) -> None:
    with pytest.raises(IndexError, match="within 100 ticks"):
        gather_windows(grid(100), [0, start], [0])


@pytest.mark.parametrize("column", [-1, 46])
def test_column_outside_is_refused(column: int) -> None:
    with pytest.raises(IndexError, match="columns"):
        gather_windows(grid(100), [0], [0, column])
