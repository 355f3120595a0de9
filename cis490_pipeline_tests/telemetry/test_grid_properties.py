"""Properties of the grid on random small episodes."""

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cis490_pipeline.schema import channels, windows
from cis490_pipeline.telemetry import kernels
from cis490_pipeline.telemetry.grid import Grid, build_grid
from cis490_pipeline.telemetry.labelling import label_windows
from cis490_pipeline_tests.reference.adapter import T0_NS, to_episode
from cis490_pipeline_tests.reference.archive import RawEpisode, Row
from cis490_pipeline_tests.reference.channel_table import SOURCES
from cis490_pipeline_tests.reference.grid import to_grid
from cis490_pipeline_tests.reference.windows import everything

_STEP = st.sampled_from([0, 1, 99_999_999, 100_000_000, 500_000_000, 1_000_000_001, 2_600_000_000])
_VALUE = st.one_of(
    st.none(),
    st.integers(-3, 6),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e300, -1e300, 3.5e38, 1e-320, -0.0, 10**400, True, "5"]),
)
_CHANNELS = {
    "proc": ["minflt", "rss_bytes"],
    "guest": ["ctxt", "load1"],
    "qmp": ["blk_rd_bytes", "balloon_actual_bytes"],
    "netflow": ["bytes_in", "flows_active"],
}


@st.composite
def rows_of(draw: st.DrawFn, source: str) -> list[Row]:
    t_ns = T0_NS + draw(st.integers(-3_000_000_000, 1_000_000_000))
    rows: list[Row] = []
    for step in draw(st.lists(_STEP, max_size=10)):
        t_ns += step
        values = {name: draw(_VALUE) for name in _CHANNELS[source]}
        rows.append({"t_wall_ns": t_ns, **values})
    return draw(st.permutations(rows)) if draw(st.booleans()) else rows


@st.composite
def raw_episodes(draw: st.DrawFn) -> RawEpisode:
    offsets = draw(st.lists(st.integers(-2, 30), min_size=1, max_size=5))
    phases = st.sampled_from(["clean", "armed", "infecting", "failed", "dormant", "odd"])
    return RawEpisode(
        labels=[{"t_wall_ns": T0_NS + s * 10**9, "phase": draw(phases)} for s in offsets],
        rows={source: draw(rows_of(source)) for source in SOURCES},
        meta={},
        names=frozenset(),
    )


def built(raw: RawEpisode) -> Grid:
    grid = build_grid(to_episode(raw))
    assert isinstance(grid, Grid)
    return grid


def bits(x: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The bits, with one and the same pattern for every missing value."""
    return np.where(np.isnan(x), np.float32(np.nan), x).view(np.uint32)


def shifted(raw: RawEpisode, by_ns: int) -> RawEpisode:
    def move(row: Row) -> Row:
        return {**row, "t_wall_ns": row["t_wall_ns"] + by_ns}

    return RawEpisode(
        labels=[move(row) for row in raw.labels],
        rows={source: [move(row) for row in rows] for source, rows in raw.rows.items()},
        meta={},
        names=frozenset(),
    )


@settings(max_examples=150, deadline=None)
@given(raw_episodes())
def test_grid_is_bit_equal_to_the_reference(raw: RawEpisode) -> None:
    assert np.array_equal(bits(built(raw).x_TC), bits(to_grid(raw)))


@settings(max_examples=80, deadline=None)
@given(raw_episodes())
def test_labels_and_purity_are_those_of_the_reference(raw: RawEpisode) -> None:
    n_ticks = 260
    grid = np.full((n_ticks, 46), np.nan, dtype=np.float32)
    _, _, phase, purity = everything(raw, grid)
    episode = to_episode(raw)
    ours = label_windows(episode.labels, episode.labels[0].t_wall_ns, windows.window_count(n_ticks))
    assert np.array_equal(ours.phase_N, phase)
    assert np.array_equal(ours.purity_N, purity.astype(np.float32))


@settings(max_examples=60, deadline=None)
@given(raw_episodes(), st.integers(-T0_NS, T0_NS))
@example(RawEpisode(labels=[], rows={s: [] for s in SOURCES}, meta={}, names=frozenset()), 1)
def test_moving_the_whole_clock_changes_nothing(raw: RawEpisode, by_ns: int) -> None:
    before, after = built(raw), built(shifted(raw, by_ns))
    assert np.array_equal(bits(before.x_TC), bits(after.x_TC))


@settings(max_examples=40, deadline=None)
@given(raw_episodes())
def test_compiled_and_interpreted_loops_agree(raw: RawEpisode) -> None:
    for source, telemetry in to_episode(raw).telemetry.items():
        order = np.argsort(telemetry.t_wall_ns, kind="stable")
        t_R, x_RC = telemetry.t_wall_ns[order], telemetry.values[order]
        kinds = [channel.kind for channel in channels.channels_of(source)]
        codes = {channels.Kind.GAUGE: 0, channels.Kind.COUNTER: 1, channels.Kind.DELTA: 2}
        kind_C = np.array([codes[kind] for kind in kinds], dtype=np.int8)
        compiled = kernels.native_rates(t_R, x_RC, kind_C, 10**9)
        with np.errstate(all="ignore"):
            interpreted = kernels.native_rates.py_func(t_R, x_RC, kind_C, 10**9)
        assert np.array_equal(bits(compiled), bits(interpreted))
        one, two = (np.empty((30, len(kinds)), dtype=np.float32) for _ in range(2))
        kernels.carry_forward(t_R, compiled, T0_NS, 10**9, 0, one)
        kernels.carry_forward.py_func(t_R, compiled, T0_NS, 10**9, 0, two)
        assert np.array_equal(bits(one), bits(two))


def test_constants_written_out_in_the_kernels_are_those_of_the_schema() -> None:
    assert kernels.TICK_NS == windows.TICK_NS
    assert kernels.WINDOW_TICKS == windows.WINDOW_TICKS
    assert kernels.STRIDE_TICKS == windows.STRIDE_TICKS
