"""The grid on odd, hand-made episodes; each also against the slow reference, bit by bit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cis490_pipeline.schema.channels import CHANNELS, Source, channel_slice
from cis490_pipeline.telemetry.grid import Grid, GridLimits, GridTooLong, build_grid
from cis490_pipeline_tests.reference.adapter import CLEAN, T0_NS, at, raw_episode, to_episode
from cis490_pipeline_tests.reference.archive import RawEpisode
from cis490_pipeline_tests.reference.grid import to_grid


def grid_of(raw: RawEpisode) -> Grid:
    """Build the grid, having checked it against the reference."""
    grid = build_grid(to_episode(raw))
    assert isinstance(grid, Grid)
    theirs = to_grid(raw)
    assert np.array_equal(grid.x_TC, theirs, equal_nan=True)
    assert grid.x_TC.dtype == np.float32
    return grid


def column(raw: RawEpisode, name: str) -> NDArray[np.float32]:
    position = [channel.column for channel in CHANNELS].index(name)
    return grid_of(raw).x_TC[:, position]


def every(seconds: float, until: float, **values: object) -> list[dict[str, object]]:
    n = round(until / seconds)
    return [{"t": i * seconds, **values} for i in range(n + 1)]


def test_gauge_is_used_as_it_is() -> None:
    x = column(raw_episode(guest=every(0.5, 2, load1=0.25)), "guest_load1")
    assert x.tolist() == [0.25] * 21


def test_counter_becomes_a_rate_and_its_first_row_is_missing() -> None:
    rows = [{"t": 0.0, "minflt": 10}, {"t": 0.1, "minflt": 15}, {"t": 0.3, "minflt": 15}]
    x = column(raw_episode(proc=rows), "proc_minflt")
    assert np.isnan(x[0])
    assert x[1:].tolist() == [50.0, 50.0, 0.0]


def test_counter_reset_is_missing() -> None:
    rows = [{"t": 0.1 * i, "minflt": v} for i, v in enumerate([10, 20, 5, 6])]
    x = column(raw_episode(proc=rows), "proc_minflt")
    assert np.isnan(x).tolist() == [True, False, True, False]
    assert x[3] == 10.0


def test_counter_spans_a_missing_reading() -> None:
    rows = [{"t": 0.0, "ctxt": 0}, {"t": 0.5, "ctxt": None}, {"t": 1.0, "ctxt": 100}]
    x = column(raw_episode(guest=rows), "guest_ctxt")
    assert np.isnan(x[:10]).all()
    assert x[10] == 100.0


def test_counter_without_time_passed_is_missing_but_remembered() -> None:
    rows = [{"t": 0.0, "ctxt": 0}, {"t": 0.0, "ctxt": 50}, {"t": 0.5, "ctxt": 60}]
    x = column(raw_episode(guest=rows), "guest_ctxt")
    assert np.isnan(x[0])
    assert x[5] == 20.0


def test_delta_is_divided_by_the_time_since_the_previous_row() -> None:
    rows = [{"t": 0.0, "bytes_in": 7}, {"t": 0.5, "bytes_in": 7}, {"t": 2.5, "bytes_in": 7}]
    x = column(raw_episode(netflow=rows), "netflow_bytes_in")
    assert (x[0], x[5], x[25]) == (7.0, 14.0, 3.5)


def test_delta_interval_is_that_of_the_row_even_where_the_previous_value_is_missing() -> None:
    rows = [{"t": 0.0, "bytes_in": 7}, {"t": 1.0}, {"t": 2.0, "bytes_in": 8}]
    x = column(raw_episode(netflow=rows), "netflow_bytes_in")
    assert np.isnan(x[10:20]).all()
    assert x[20] == 8.0


def test_delta_without_time_passed_is_missing() -> None:
    rows = [{"t": 0.0, "bytes_in": 7}, {"t": 0.0, "bytes_in": 7}]
    assert np.isnan(column(raw_episode(netflow=rows), "netflow_bytes_in")).all()


def test_last_of_rows_with_equal_time_counts() -> None:
    rows = [{"t": 0.0, "load1": 1.0}, {"t": 0.0, "load1": 2.0}]
    assert column(raw_episode(guest=rows), "guest_load1").tolist() == [2.0]


def test_missing_reading_does_not_look_further_back() -> None:
    rows = [{"t": 0.0, "load1": 1.0}, {"t": 0.5, "load1": None, "procs_total": 3}]
    x = column(raw_episode(guest=rows), "guest_load1")
    assert np.isnan(x).tolist() == [False] * 5 + [True]


@pytest.mark.parametrize("odd", ["5", True, [1], {"a": 1}, None, 10**400])
def test_a_value_that_is_no_number_is_missing(odd: object) -> None:
    x = column(raw_episode(guest=[{"t": 0.0, "load1": odd, "procs_total": 1}]), "guest_load1")
    assert np.isnan(x).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_value_beyond_float32_is_missing(sign: int) -> None:
    rows = [{"t": 0.0, "load1": sign * 1e300}, {"t": 0.1, "load1": sign * 3.4e38}]
    x = column(raw_episode(guest=rows), "guest_load1")
    assert np.isnan(x[0])
    assert x[1] == np.float32(sign * 3.4e38)


def test_staleness_bound_is_inclusive() -> None:
    proc = [{"t": 0.0, "rss_bytes": 1}]
    guest = [{"t": 0.0, "load1": 1}, {"t": 4.0, "load1": 1}]
    raw = raw_episode(proc=proc, guest=guest)
    assert np.isnan(column(raw, "proc_rss_bytes")).tolist() == [False] * 11 + [True] * 30
    missing = np.isnan(column(raw, "guest_load1"))
    assert np.flatnonzero(missing).tolist() == list(range(26, 40))


def test_row_one_nanosecond_too_old_is_missing() -> None:
    raw = raw_episode(proc=[{"t": -1e-9, "rss_bytes": 1}, {"t": 1.05, "rss_bytes": 2}])
    x = column(raw, "proc_rss_bytes")
    assert not np.isnan(x[9])
    assert np.isnan(x[10])


def test_rows_out_of_order_are_sorted() -> None:
    rows = [{"t": 0.1 * i, "minflt": i * i, "rss_bytes": i} for i in range(40)]
    shuffled = list(rows)
    np.random.default_rng(1).shuffle(shuffled)
    ours = grid_of(raw_episode(proc=shuffled))
    assert np.array_equal(ours.x_TC, grid_of(raw_episode(proc=rows)).x_TC, equal_nan=True)


def test_order_of_the_file_decides_among_many_rows_of_equal_time() -> None:
    rows = [{"t": 0.5 * (i % 2), "load1": i} for i in range(401)]
    x = column(raw_episode(guest=rows), "guest_load1")
    assert (x[0], x[5]) == (400.0, 399.0)


def test_building_a_grid_leaves_the_episode_alone() -> None:
    episode = to_episode(raw_episode(proc=[{"t": 1.0, "rss_bytes": 1}, {"t": 0.0}]))
    before = {source: rows.t_wall_ns.copy() for source, rows in episode.telemetry.items()}
    build_grid(episode)
    for source, rows in episode.telemetry.items():
        assert np.array_equal(rows.t_wall_ns, before[source])


def test_rows_before_the_first_label_reach_the_first_tick() -> None:
    rows = [{"t": -0.4, "ctxt": 0}, {"t": -0.2, "ctxt": 2}, {"t": 0.3, "ctxt": 2}]
    x = column(raw_episode(guest=rows), "guest_ctxt")
    assert x.tolist() == [10.0, 10.0, 10.0, 0.0]


def test_absent_source_is_missing_throughout() -> None:
    grid = grid_of(raw_episode(proc=every(0.1, 12, rss_bytes=5)))
    assert grid.n_ticks == 121
    assert grid.n_windows == 1
    assert np.isnan(grid.x_TC[:, channel_slice(Source.NETFLOW)]).all()
    assert np.isnan(grid.x_TC[:, channel_slice(Source.GUEST)]).all()


def test_netflow_is_aligned_by_wall_time_though_its_mono_time_is_uptime() -> None:
    """Aligning on ``t_mono_ns`` once silently dropped every netflow channel."""
    uptime_ns = 86_400 * 10**9
    netflow = [
        {"t": float(i), "t_mono_ns": uptime_ns + i * 10**9, "packets_in": i, "flows_active": i}
        for i in range(25)
    ]
    proc = [{"t": 0.1 * i, "t_mono_ns": i * 10**8, "rss_bytes": i // 10} for i in range(241)]
    grid = grid_of(raw_episode(proc=proc, netflow=netflow))
    names = [channel.column for channel in CHANNELS]
    flows = grid.x_TC[:, names.index("netflow_flows_active")]
    assert np.array_equal(flows, grid.x_TC[:, names.index("proc_rss_bytes")])
    assert not np.isnan(flows).any()


def test_grid_has_origin_in_the_first_label_of_the_file() -> None:
    raw = raw_episode([(2.0, "clean"), (1.0, "armed")], proc=every(0.1, 5, rss_bytes=1))
    grid = grid_of(raw)
    assert grid.t0_wall_ns == at(2.0)
    assert grid.t_end_wall_ns == at(5.0)
    assert grid.n_ticks == 31


def test_no_labels_no_ticks() -> None:
    grid = grid_of(raw_episode([], proc=every(0.1, 5, rss_bytes=1)))
    assert (grid.n_ticks, grid.t0_wall_ns, grid.t_end_wall_ns) == (0, None, at(5.0))


def test_no_telemetry_no_ticks() -> None:
    grid = grid_of(raw_episode(CLEAN))
    assert (grid.n_ticks, grid.t0_wall_ns, grid.t_end_wall_ns) == (0, T0_NS, None)
    assert grid.x_TC.shape == (0, 46)


def test_telemetry_that_ends_before_the_first_label_has_no_ticks() -> None:
    raw = raw_episode([(10.0, "clean")], proc=every(0.1, 5, rss_bytes=1))
    assert grid_of(raw).n_ticks == 0


def test_telemetry_that_ends_at_the_first_label_has_one_tick() -> None:
    raw = raw_episode([(5.0, "clean")], proc=every(0.1, 5, rss_bytes=1))
    assert grid_of(raw).n_ticks == 1


def test_absurd_time_is_refused_before_anything_is_allocated() -> None:
    years = 20 * 365 * 86_400.0
    grid = build_grid(to_episode(raw_episode(proc=[{"t": 0.0}, {"t": years}])))
    assert isinstance(grid, GridTooLong)
    assert grid.n_ticks == round(years * 10) + 1
    assert grid.failure.kind == "LimitExceeded"
    assert str(grid.n_ticks) in grid.failure.message


def test_limit_is_inclusive() -> None:
    episode = to_episode(raw_episode(proc=every(0.1, 1, rss_bytes=1)))
    assert isinstance(build_grid(episode, GridLimits(max_ticks=11)), Grid)
    assert isinstance(build_grid(episode, GridLimits(max_ticks=10)), GridTooLong)


def test_times_at_the_ends_of_int64_do_not_overflow() -> None:
    low, high = -(2**63), 2**63 - 1
    raw = raw_episode(proc=[{"t": 0.0, "minflt": 0}, {"t": 0.0, "minflt": 2**64}])
    for row, t_ns in zip(raw.rows["proc"], (low, high), strict=True):
        row["t_wall_ns"] = t_ns
    assert isinstance(build_grid(to_episode(raw)), GridTooLong)
    raw.labels[0]["t_wall_ns"] = high
    grid = build_grid(to_episode(raw))
    assert isinstance(grid, Grid)
    names = [channel.column for channel in CHANNELS]
    assert grid.x_TC[:, names.index("proc_minflt")].tolist() == [np.float32(1e9)]


def test_row_from_the_beginning_of_time_is_stale() -> None:
    raw = raw_episode(proc=[{"t": 0.0, "rss_bytes": 1}], guest=[{"t": 1.0, "load1": 1}])
    raw.rows["proc"][0]["t_wall_ns"] = -(2**63)
    grid = build_grid(to_episode(raw))
    assert isinstance(grid, Grid)
    assert np.isnan(grid.x_TC[:, channel_slice(Source.PROC)]).all()
