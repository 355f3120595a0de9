"""Statistics of windows and episodes: exact cases, and numpy's nan-functions on random grids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cis490_pipeline.features import kernels
from cis490_pipeline.features.statistics import (
    episode_statistics,
    sorting_network,
    window_statistics,
)
from cis490_pipeline.schema import channels, windows
from cis490_pipeline.schema.windows import STATS, Stat
from cis490_pipeline_tests.reference.windows import missing_share, statistics_of, summary_per_window

NAN = np.float32(np.nan)


def grid(n_ticks: int, fill: float = np.nan) -> NDArray[np.float32]:
    return np.full((n_ticks, 46), fill, dtype=np.float32)


def one_window(x_T: object) -> dict[Stat, float]:
    """Statistics of channel 7 of a window that holds the given ticks, and nothing elsewhere."""
    x_TC = grid(100)
    x_TC[:, 7] = np.asarray(x_T, dtype=np.float32)
    statistics = window_statistics(x_TC)
    assert statistics.shape == (1, 46, 6)
    assert np.isnan(np.delete(statistics[0], 7, axis=0)[:, :5]).all()
    return dict(zip(STATS, statistics[0, 7].tolist(), strict=True))


def test_straight_line_has_its_slope_per_second() -> None:
    found = one_window(3.0 + 2.0 * np.arange(100) * 0.1)
    assert found[Stat.SLOPE] == pytest.approx(2.0, rel=1e-6)
    assert found[Stat.MEAN] == pytest.approx(12.9, rel=1e-6)
    assert found[Stat.P50] == pytest.approx(12.9, rel=1e-6)
    assert found[Stat.P95] == pytest.approx(3.0 + 0.2 * 94.05, rel=1e-6)
    assert found[Stat.MISSING] == 0.0


def test_standard_deviation_is_that_of_the_population() -> None:
    assert one_window([0.0, 2.0] * 50)[Stat.STD] == 1.0


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 4e8 + 32, 3.4e38, 1e-40])
def test_constant_channel_has_no_spread_and_no_slope(value: float) -> None:
    found = one_window(np.full(100, value))
    assert found[Stat.STD] == 0.0
    assert found[Stat.SLOPE] == 0.0
    assert found[Stat.MEAN] == found[Stat.P50] == found[Stat.P95] == np.float32(value)
    whole = episode_statistics(grid(1234, value))
    assert (whole[:, 1] == 0).all()
    assert (whole[:, 4] == 0).all()
    for stat in (0, 2, 3):
        assert (whole[:, stat] == np.float32(value)).all()


def test_large_gauge_with_small_changes_keeps_its_spread() -> None:
    """A running sum of squares of 4e8 loses everything below 20 bytes."""
    x = np.float32(4e8) + 32 * (np.arange(100) % 2).astype(np.float32)
    assert one_window(x)[Stat.STD] == 16.0
    assert episode_statistics(np.repeat(x[:, None], 46, axis=1))[0, 1] == 16.0


def test_nothing_present_is_missing_but_the_missing_share() -> None:
    statistics = window_statistics(grid(100))
    assert np.isnan(statistics[:, :, :5]).all()
    assert (statistics[:, :, 5] == 1.0).all()


@pytest.mark.parametrize("tick", [0, 49, 50, 99])
def test_single_tick_has_everything_but_a_slope(tick: int) -> None:
    x_T = np.full(100, np.nan)
    x_T[tick] = -4.5
    found = one_window(x_T)
    assert found[Stat.MEAN] == found[Stat.P50] == found[Stat.P95] == -4.5
    assert found[Stat.STD] == 0.0
    assert np.isnan(found[Stat.SLOPE])
    assert found[Stat.MISSING] == pytest.approx(0.99)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (10, 90), (49, 50), (98, 99)])
def test_two_ticks_have_the_slope_between_them(first: int, second: int) -> None:
    x_T = np.full(100, np.nan)
    x_T[first], x_T[second] = 1.0, 5.0
    found = one_window(x_T)
    assert found[Stat.SLOPE] == pytest.approx(4.0 / (0.1 * (second - first)), rel=1e-6)
    assert found[Stat.P95] == pytest.approx(4.8, rel=1e-6)


def test_slope_beyond_float32_is_missing() -> None:
    x_T = np.full(100, np.nan)
    x_T[0], x_T[1] = -3e38, 3e38
    found = one_window(x_T)
    assert np.isnan(found[Stat.SLOPE])
    assert found[Stat.STD] == np.float32(3e38)
    assert found[Stat.MEAN] == 0.0


def test_shorter_than_a_window_gives_no_window_but_an_episode() -> None:
    x_TC = grid(99, 2.0)
    assert window_statistics(x_TC).shape == (0, 46, 6)
    assert episode_statistics(x_TC)[0].tolist() == [2.0, 0.0, 2.0, 2.0, 0.0, 0.0]


def test_no_ticks_are_wholly_missing() -> None:
    statistics = episode_statistics(grid(0))
    assert np.isnan(statistics[:, :5]).all()
    assert (statistics[:, 5] == 1.0).all()


def test_single_tick_is_an_episode() -> None:
    statistics = episode_statistics(grid(1, 3.0))
    assert statistics[0, :4].tolist() == [3.0, 0.0, 3.0, 3.0]
    assert np.isnan(statistics[0, 4])


def test_windows_advance_by_half() -> None:
    x_TC = np.repeat(np.arange(199, dtype=np.float32)[:, None], 46, axis=1)
    assert window_statistics(x_TC)[:, 45, 0].tolist() == [49.5, 99.5]


def test_grid_is_left_alone_and_may_be_read_only() -> None:
    x_TC = np.random.default_rng(0).normal(size=(150, 46)).astype(np.float32)
    x_TC[3, 4] = NAN
    before = x_TC.copy()
    x_TC.flags.writeable = False
    window_statistics(x_TC)
    episode_statistics(x_TC)
    assert np.array_equal(x_TC, before, equal_nan=True)


def test_other_than_46_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"46\], found \(100, 25\)"):
        window_statistics(np.zeros((100, 25), dtype=np.float32))


def test_constants_written_out_in_the_kernels_are_those_of_the_schema() -> None:
    assert kernels.TICK_S == windows.TICK_S
    assert kernels.WINDOW_TICKS == windows.WINDOW_TICKS == 2 * windows.STRIDE_TICKS
    assert kernels.STRIDE_TICKS == windows.STRIDE_TICKS
    assert kernels.LANES >= channels.N_CHANNELS
    assert [stat.value for stat in STATS] == ["mean", "std", "p50", "p95", "slope", "missing"]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 17, 50, 64])
def test_network_sorts_all_patterns_of_zeros_and_ones(n: int) -> None:
    """Zero-one principle: what sorts these sorts everything (random patterns, and all steps)."""
    rng = np.random.default_rng(n)
    steps = np.tri(n + 1, n, -1, dtype=np.int8)[:, ::-1]
    rows = np.concatenate([steps, rng.integers(0, 2, size=(3000, n), dtype=np.int8)])
    expected = np.sort(rows, axis=1)
    for low, high in sorting_network(n):
        pair = rows[:, [low, high]]
        rows[:, low], rows[:, high] = pair.min(axis=1), pair.max(axis=1)
    assert np.array_equal(rows, expected)


def random_grid(seed: int, n_ticks: int) -> NDArray[np.float32]:
    """Channels that differ in scale, offset, share of missing ticks and length of runs."""
    rng = np.random.default_rng(seed)
    x_TC = np.empty((n_ticks, 46))
    for c in range(46):
        run = rng.choice([1, 5, 10])
        steps = rng.normal(size=-(-n_ticks // run))
        scale, offset = 10.0 ** rng.uniform(-3, 9), rng.choice([0.0, 1.0, 1e3])
        x_TC[:, c] = scale * (offset + np.repeat(steps, run)[:n_ticks])
        if rng.random() < 0.3:
            x_TC[:, c] = np.round(x_TC[:, c] / scale)  # few values, many ties
        x_TC[rng.random(n_ticks) < rng.choice([0.0, 0.01, 0.3, 0.97, 1.0]), c] = np.nan
    return x_TC.astype(np.float32)


def assert_close(
    ours: NDArray[np.float32], theirs: NDArray[np.floating], x: NDArray[np.float32]
) -> None:
    """To float32 rounding of the largest value; a slope may be 20 times that (two ticks)."""
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    bound = 2e-6 * np.nan_to_num(np.abs(x.astype(np.float64))).max(axis=0)[:, None] + 1e-30
    assert bool((np.nan_to_num(np.abs(ours - theirs)) <= bound).all())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 330))
def test_statistics_are_those_of_the_nan_functions(seed: int, n_ticks: int) -> None:
    x_TC = random_grid(seed, n_ticks)
    ours = window_statistics(x_TC)
    theirs = summary_per_window(x_TC)
    assert len(ours) == len(theirs)
    for w in range(len(ours)):
        assert_close(ours[w, :, :5], theirs[w], x_TC[w * 50 : w * 50 + 100])
    assert np.array_equal(ours[:, :, 5], missing_share(x_TC).astype(np.float32))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 700))
def test_statistics_of_an_episode_are_those_of_the_nan_functions(seed: int, n_ticks: int) -> None:
    x_TC = random_grid(seed, n_ticks)
    ours = episode_statistics(x_TC)
    assert_close(ours[:, :5], statistics_of(x_TC), x_TC)
    assert np.allclose(ours[:, 5], np.isnan(x_TC).mean(axis=0), rtol=0, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_window_is_its_own_episode(seed: int) -> None:
    x_TC = random_grid(seed, 100)
    assert np.array_equal(window_statistics(x_TC)[0], episode_statistics(x_TC), equal_nan=True)


@pytest.mark.parametrize("values", [[-0.0, 0.0], [-1.5, -1e-45, 1e-45], [-3.4e38, 0.0, 3.4e38]])
def test_order_of_signs_and_extremes(values: list[float]) -> None:
    x_TC = grid(100)
    x_TC[: len(values)] = np.array(values, dtype=np.float32)[:, None]
    expected = np.float32(np.percentile(np.array(values, dtype=np.float32).astype(np.float64), 50))
    assert episode_statistics(x_TC)[0, 2] == expected
    assert window_statistics(x_TC)[0, 0, 2] == expected


def test_compiled_and_interpreted_loops_agree() -> None:
    x_TL = np.full((150, kernels.LANES), np.nan, dtype=np.float32)
    x_TL[:, :46] = random_grid(5, 150)
    network = sorting_network(50)
    outs = [np.empty((2, 46, 6), dtype=np.float32) for _ in range(2)]
    kernels.write_window_statistics(x_TL, network, outs[0])
    with np.errstate(all="ignore"):
        kernels.write_window_statistics.py_func(x_TL, network, outs[1])
    assert np.array_equal(outs[0], outs[1], equal_nan=True)
