"""Labels, purity and statistics of windows the slow way.

Credit: ``window_labels``, ``purity``, ``summary_loops``, ``summary_per_window``, ``tensors`` and
``everything`` of the project's baseline script; the same arithmetic.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline_tests.reference.archive import RawEpisode, Row
from cis490_pipeline_tests.reference.channel_table import N_CHANNELS, PHASES, STRIDE, TICK_NS, WIN


def window_total(n_ticks: int) -> int:
    return max(0, (n_ticks - WIN) // STRIDE + 1)


def _code(label: Row) -> int:
    return PHASES.index(label["phase"]) if label["phase"] in PHASES else -1


def _codes_at(labels: list[Row], instants: NDArray[np.int64]) -> NDArray[np.int8]:
    ordered = sorted(labels, key=lambda label: label["t_wall_ns"])
    begins = np.array([label["t_wall_ns"] for label in ordered], dtype=np.int64)
    codes = np.array([_code(label) for label in ordered], dtype=np.int8)
    return codes[(np.searchsorted(begins, instants, side="right") - 1).clip(0)]


def window_labels(labels: list[Row], n_windows: int) -> NDArray[np.int8]:
    if n_windows == 0:
        return np.empty(0, dtype=np.int8)
    centres = (np.arange(n_windows) * STRIDE + WIN // 2) * TICK_NS
    return _codes_at(labels, labels[0]["t_wall_ns"] + centres)


def purity(labels: list[Row], n_windows: int) -> NDArray[np.float64]:
    """Share of the window's ticks in the phase of its centre."""
    if n_windows == 0:
        return np.empty(0)
    ticks = labels[0]["t_wall_ns"] + np.arange(n_windows * STRIDE + WIN) * TICK_NS
    at_tick, at_centre = _codes_at(labels, ticks), window_labels(labels, n_windows)
    windows = [at_tick[w * STRIDE : w * STRIDE + WIN] for w in range(n_windows)]
    return np.array([(ticks == y).mean() for ticks, y in zip(windows, at_centre, strict=True)])


def summary_loops(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """Five statistics per channel: a loop over windows and channels with nan-functions."""
    n_windows = window_total(len(grid))
    out = np.full((n_windows, N_CHANNELS, 5), np.nan, np.float32)
    seconds = np.arange(WIN) * 0.1
    for w in range(n_windows):
        for c in range(N_CHANNELS):
            x = grid[w * STRIDE : w * STRIDE + WIN, c].astype(np.float64)
            ok = ~np.isnan(x)
            if not ok.any():
                continue
            out[w, c, :2] = np.nanmean(x), np.nanstd(x)
            out[w, c, 2:4] = np.nanpercentile(x, [50, 95])
            if ok.sum() >= 2:
                out[w, c, 4] = np.polyfit(seconds[ok], x[ok], 1)[0]
    return out


def summary_per_window(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same with a loop over windows only: nan-functions along the ticks."""
    n_windows = window_total(len(grid))
    out = np.full((n_windows, N_CHANNELS, 5), np.nan, np.float32)
    for w in range(n_windows):
        out[w] = statistics_of(grid[w * STRIDE : w * STRIDE + WIN])
    return out


def statistics_of(ticks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Five statistics over all the ticks given, ``[46, 5]``."""
    out = np.full((N_CHANNELS, 5), np.nan)
    x = ticks.astype(np.float64)
    ok = ~np.isnan(x)
    n = ok.sum(0)
    seconds = np.arange(len(x)) * 0.1
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a channel without any value
        out[:, 0], out[:, 1] = np.nanmean(x, 0), np.nanstd(x, 0)
        out[:, 2:4] = np.nanpercentile(x, [50, 95], axis=0).T
        mean_t = np.where(ok, seconds[:, None], 0).sum(0) / n
        mean_x = np.nansum(x, 0) / n
        dt = np.where(ok, seconds[:, None] - mean_t, 0)
        slope = (dt * np.nan_to_num(x - mean_x)).sum(0) / (dt * dt).sum(0)
    out[:, 4] = np.where(n >= 2, slope, np.nan)
    return out


def missing_share(grid: NDArray[np.float32]) -> NDArray[np.float64]:
    n_windows = window_total(len(grid))
    missing = [np.isnan(grid[w * STRIDE : w * STRIDE + WIN]).mean(0) for w in range(n_windows)]
    return np.stack(missing) if missing else np.zeros((0, N_CHANNELS))


def tensors(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every window copied out, ``[n_windows, 46, 100]``."""
    n_windows = window_total(len(grid))
    windows = [grid[w * STRIDE : w * STRIDE + WIN].T.copy() for w in range(n_windows)]
    return np.stack(windows) if windows else np.zeros((0, N_CHANNELS, WIN), np.float32)


def everything(
    episode: RawEpisode, grid: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int8], NDArray[np.float64]]:
    """Statistics, missing shares, labels and purities of all windows."""
    n_windows = window_total(len(grid))
    return (
        summary_per_window(grid),
        missing_share(grid),
        window_labels(episode.labels, n_windows),
        purity(episode.labels, n_windows),
    )
