"""The package against the slow reference, on every recorded episode of the repository.

Tolerance of the statistics: both sides compute in float64 and round once to float32, so mean,
std and percentiles may differ by one float32 step (2**-23 of the value, at most of max|x|). A
slope may reach 20 max|x| per second (two ticks); 2e-6 of max|x| is one step of that.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.decode import open_episode as open_fast
from cis490_pipeline.episodes.episode import Episode
from cis490_pipeline.features.statistics import episode_statistics, window_statistics
from cis490_pipeline.telemetry.grid import Grid, build_grid
from cis490_pipeline.telemetry.labelling import WindowLabels, label_windows, transitions
from cis490_pipeline_tests.reference.adapter import to_episode
from cis490_pipeline_tests.reference.archive import RawEpisode, open_episode
from cis490_pipeline_tests.reference.corpus import tarballs
from cis490_pipeline_tests.reference.grid import to_grid
from cis490_pipeline_tests.reference.windows import (
    everything,
    statistics_of,
    summary_loops,
    tensors,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    path: Path
    raw: RawEpisode
    grid: Grid
    labels: WindowLabels
    slow_grid: NDArray[np.float32]


@pytest.fixture(scope="module", params=tarballs(), ids=lambda path: path.name[:26])
def both(request: pytest.FixtureRequest) -> Both:
    path: Path = request.param
    raw = open_episode(path.read_bytes())
    episode = to_episode(raw)
    grid = build_grid(episode)
    assert isinstance(grid, Grid)
    assert grid.t0_wall_ns is not None
    labels = label_windows(episode.labels, grid.t0_wall_ns, grid.n_windows)
    return Both(path=path, raw=raw, grid=grid, labels=labels, slow_grid=to_grid(raw))


def assert_close(
    ours: NDArray[np.float32], theirs: NDArray[np.floating], scale: NDArray[np.floating]
) -> None:
    """Statistics agree to float32 rounding of the largest value they are made of."""
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    bound = 2e-6 * scale + 1e-30
    assert bool((np.nan_to_num(np.abs(ours - theirs)) <= bound[..., np.newaxis]).all())


def largest(ticks: NDArray[np.float32], axis: int) -> NDArray[np.float64]:
    return np.nan_to_num(np.abs(ticks.astype(np.float64))).max(axis=axis)


def test_the_repository_carries_the_recorded_episodes() -> None:
    assert len(tarballs()) == 167


def test_grid_is_bit_equal(both: Both) -> None:
    ours, theirs = both.grid.x_TC, both.slow_grid
    assert ours.shape == theirs.shape
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    present = ~np.isnan(ours)
    assert np.array_equal(ours[present].view(np.uint32), theirs[present].view(np.uint32))
    assert present.any()


def test_decoder_reads_what_the_reference_reads(both: Both) -> None:
    ours = open_fast(both.path.read_bytes(), ArchiveLimits())
    theirs = to_episode(both.raw)
    assert isinstance(ours, Episode)
    assert ours.labels == theirs.labels
    for source, rows in theirs.telemetry.items():
        assert np.array_equal(ours.telemetry[source].t_wall_ns, rows.t_wall_ns)
        assert np.array_equal(ours.telemetry[source].values, rows.values, equal_nan=True)
    grid = build_grid(ours)
    assert isinstance(grid, Grid)
    assert np.array_equal(grid.x_TC, both.grid.x_TC, equal_nan=True)


def test_statistics_labels_and_purity_are_equal(both: Both) -> None:
    statistics, missing, phase, purity = everything(both.raw, both.slow_grid)
    ours = window_statistics(both.grid.x_TC)
    assert_close(ours[:, :, :5], statistics, largest(tensors(both.slow_grid), 2))
    assert np.array_equal(ours[:, :, 5], missing.astype(np.float32))
    assert np.array_equal(both.labels.phase_N, phase)
    assert np.array_equal(both.labels.purity_N, purity.astype(np.float32))


def test_statistics_of_the_whole_episode_are_equal(both: Both) -> None:
    ours = episode_statistics(both.grid.x_TC)
    assert_close(ours[:, :5], statistics_of(both.slow_grid), largest(both.slow_grid, 0))
    share = np.isnan(both.slow_grid).mean(0).astype(np.float32)
    assert np.allclose(ours[:, 5], share, rtol=0, atol=1e-7)


def test_transitions_are_the_label_rows(both: Both) -> None:
    t0 = both.raw.labels[0]["t_wall_ns"]
    found = transitions(to_episode(both.raw).labels, t0)
    assert [step.phase for step in found] == [row["phase"] for row in both.raw.labels]
    assert [t0 + round(step.t_s * 1e9) for step in found] == pytest.approx(
        [row["t_wall_ns"] for row in both.raw.labels], abs=1000
    )


def test_the_two_references_agree_with_each_other() -> None:
    """The loop over channels fits slopes with ``polyfit``: a third opinion, on one episode."""
    grid = to_grid(open_episode(tarballs()[0].read_bytes()))[:250]
    ours = window_statistics(grid)[:, :, :5]
    assert_close(ours, summary_loops(grid), largest(tensors(grid), 2))
