"""The 10 Hz grid the slow way.

Credit: ``to_grid`` of the project's baseline script; the same arithmetic in the same order. Added
here, from the format: no ticks where there is nothing to align, and a value beyond float64 is
missing.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline_tests.reference.archive import RawEpisode, Row
from cis490_pipeline_tests.reference.channel_table import (
    N_CHANNELS,
    OFFSETS,
    PERIOD_NS,
    SOURCES,
    STALE_NS,
    TICK_NS,
)


def value(raw: Any) -> float:
    """A number, or NaN for anything that is none."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return np.nan
    try:
        number = float(raw)
    except OverflowError:
        return np.nan
    return number if math.isfinite(number) else np.nan


def to_grid(episode: RawEpisode) -> NDArray[np.float32]:
    """Gauges as they are, counters to rates, deltas per interval; row-wise carried forward."""
    rows = {s: sorted(episode.rows[s], key=lambda row: row["t_wall_ns"]) for s in SOURCES}
    if not episode.labels or not any(rows.values()):
        return np.empty((0, N_CHANNELS), dtype=np.float32)
    t0 = episode.labels[0]["t_wall_ns"]
    t_end = max(r[-1]["t_wall_ns"] for r in rows.values() if r)
    n_ticks = max(0, (t_end - t0) // TICK_NS + 1)
    tick_ns = t0 + np.arange(n_ticks, dtype=np.int64) * TICK_NS
    grid = np.full((n_ticks, N_CHANNELS), np.nan)
    for source in SOURCES:
        if rows[source]:
            _fill(grid, source, rows[source], tick_ns)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, then missing
        narrow = grid.astype(np.float32)
    narrow[~np.isfinite(narrow)] = np.nan
    return narrow


def _fill(
    grid: NDArray[np.float64], source: str, rows: list[Row], tick_ns: NDArray[np.int64]
) -> None:
    t = np.array([row["t_wall_ns"] for row in rows], dtype=np.int64)
    index = np.searchsorted(t, tick_ns, side="right") - 1
    ok = index >= 0
    ok[ok] = (tick_ns[ok] - t[index[ok]]) <= STALE_NS[source]
    for j, (name, kind) in enumerate(SOURCES[source]):
        v = np.array([value(row.get(name)) for row in rows])
        if kind == "counter":
            v = _counter_rate(v, t)
        elif kind == "delta":
            v = _delta_rate(v, t, PERIOD_NS[source])
        grid[ok, OFFSETS[source] + j] = v[index[ok]]


def _counter_rate(v: NDArray[np.float64], t: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.full(len(v), np.nan)
    last: int | None = None
    with np.errstate(over="ignore"):  # ±1e308 apart
        for i in range(len(v)):
            if math.isnan(v[i]):
                continue
            if last is not None and v[i] >= v[last] and t[i] > t[last]:
                out[i] = (v[i] - v[last]) / ((t[i] - t[last]) / 1e9)
            last = i
    return out


def _delta_rate(
    v: NDArray[np.float64], t: NDArray[np.int64], period_ns: int
) -> NDArray[np.float64]:
    seconds = np.diff(t, prepend=t[0] - period_ns) / 1e9
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(seconds > 0, v / seconds, np.nan)
