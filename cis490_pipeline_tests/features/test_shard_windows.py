"""Windows of many shards at once: those of the arrays, and never anything beside them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cis490_pipeline.features.shard_windows import ShardWindows
from cis490_pipeline.features.shards import open_shard

LEAST, MOST = -(2**63), 2**63 - 1
LENGTHS = (150, 0, 333)
"""Ticks of the shards; one has none."""


def shards() -> list[NDArray[np.float32]]:
    """Every number says where it stands."""
    places = np.arange(sum(LENGTHS) * 46, dtype=np.float32).reshape(-1, 46)
    return np.split(places, np.cumsum(LENGTHS)[:-1])


def copied(
    windows: ShardWindows, asked: list[tuple[int, int, int]], shape: tuple[int, int, int], step: int
) -> NDArray[np.float32]:
    out_NTC = np.full(shape, -1.0, dtype=np.float32)
    shard_B, first_B, length_B = np.array(asked, dtype=np.int64).reshape(-1, 3).T.copy()
    row_B = np.arange(len(asked))[::-1].copy()
    windows.copy(out_NTC, row_B, shard_B=shard_B, first_B=first_B, length_B=length_B, step=step)
    return out_NTC[::-1]


@st.composite
def inside(draw: st.DrawFn) -> tuple[int, int, int]:
    shard = draw(st.sampled_from([0, 2]))
    length = draw(st.integers(1, 120))
    return shard, draw(st.integers(0, LENGTHS[shard] - length)), length


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    asked=st.lists(inside(), max_size=8),
    columns=st.one_of(st.just(list(range(46))), st.lists(st.integers(0, 45), max_size=46)),
    step=st.sampled_from([1, 4, 7]),
)
def test_a_batch_is_slices_of_the_shards_at_the_end_of_its_rows(asked, columns, step):
    held = shards()
    n_points = -(-120 // step)
    shape = (len(asked), n_points, len(columns))
    found = copied(ShardWindows.of(held, columns), asked, shape, step)
    for row, (shard, first, length) in zip(found, asked, strict=True):
        naive = held[shard][first : first + length][::-1][::step][::-1][:, columns]
        np.testing.assert_array_equal(row[n_points - len(naive) :], naive)
        assert (row[: n_points - len(naive)] == -1.0).all(), "what is before a window is left alone"


@pytest.mark.parametrize(
    "hostile",
    [
        (-1, 0, 100),
        (3, 0, 100),
        (LEAST, 0, 100),
        (MOST, 0, 100),
        (0, -1, 100),
        (0, 51, 100),
        (0, LEAST, 100),
        (0, MOST, 100),
        (0, MOST - 99, 100),
        (0, 0, 151),
        (0, 0, -1),
        (0, 100, -50),
        (0, LEAST, LEAST),
        (0, MOST, LEAST),
        (0, 1, MOST),
        (0, MOST, MOST),
        (1, 0, 1),
        (1, -100, 100),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_window_outside_is_refused_before_anything_is_read(hostile, place):
    asked = [(0, 0, 100), (2, 233, 100)]
    asked.insert(place, hostile)
    out_NTC = np.full((3, 160, 46), -1.0, dtype=np.float32)
    shard_B, first_B, length_B = np.array(asked, dtype=np.int64).T.copy()
    with pytest.raises(IndexError, match="not within"):
        ShardWindows.of(shards(), range(46)).copy(
            out_NTC, np.arange(3), shard_B=shard_B, first_B=first_B, length_B=length_B
        )
    assert (out_NTC == -1.0).all()


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        ((1, 99, 46), 0),  # a row is shorter than the window
        ((1, 100, 45), 0),  # or has other channels
        ((1, 100, 46), 1),
        ((1, 100, 46), -1),
        ((0, 100, 46), 0),
    ],
)
def test_a_batch_without_room_is_refused(shape, row):
    one = np.ones(1, dtype=np.int64)
    with pytest.raises(ValueError, match="no room"):
        ShardWindows.of(shards(), range(46)).copy(
            np.empty(shape, dtype=np.float32),
            one * row,
            shard_B=one * 0,
            first_B=one,
            length_B=one * 100,
        )


def test_a_batch_in_another_order_of_memory_is_refused():
    one = np.ones(1, dtype=np.int64)
    turned_NTC = np.empty((1, 46, 100), dtype=np.float32).transpose(0, 2, 1)
    with pytest.raises(ValueError, match="no room"):
        ShardWindows.of(shards(), range(46)).copy(
            turned_NTC, one * 0, shard_B=one * 0, first_B=one, length_B=one * 100
        )


@pytest.mark.parametrize("short", ["row_B", "shard_B", "first_B", "length_B"])
def test_numbers_of_fewer_windows_are_refused(short):
    asked = {
        "row_B": np.arange(3),
        "shard_B": np.zeros(3, dtype=np.int64),
        "first_B": np.arange(3),
        "length_B": np.full(3, 100),
    }
    asked[short] = asked[short][:2]
    with pytest.raises(ValueError, match="windows"):
        ShardWindows.of(shards(), [0]).copy(np.empty((3, 100, 1), dtype=np.float32), **asked)


def test_arrays_of_another_order_or_number_type_are_copied_first():
    held = shards()
    turned = [np.asfortranarray(x_TC.astype(np.float64)) for x_TC in held]
    asked = [(2, 5, 100), (0, 50, 100)]
    found, wanted = (
        copied(ShardWindows.of(some, [3, 40]), asked, (2, 100, 2), 1) for some in (turned, held)
    )
    np.testing.assert_array_equal(found, wanted)


def test_arrays_stay_alive_as_long_as_their_addresses(tmp_path):
    path = tmp_path / "a.f32"
    path.write_bytes(shards()[2].tobytes())
    windows = ShardWindows.of([open_shard(path)], range(46))  # nobody else holds the mapping
    path.unlink()
    found = copied(windows, [(0, 7, 100)], (1, 100, 46), 1)
    np.testing.assert_array_equal(found[0], shards()[2][7:107])


def test_a_shard_of_other_channels_is_refused():
    with pytest.raises(ValueError, match=r"46\], found \(200, 25\)"):
        ShardWindows.of([np.zeros((200, 25), dtype=np.float32)], range(25))


@pytest.mark.parametrize("column", [-1, 46, LEAST, MOST])
def test_a_column_outside_is_refused_without_any_shard(column):
    with pytest.raises(IndexError, match="columns"):
        ShardWindows.of([], [0, column])
