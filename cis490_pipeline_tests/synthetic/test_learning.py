"""There is something to learn, and it carries over to another host."""

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.decode import open_episode
from cis490_pipeline.episodes.episode import Episode
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.hosts import host_styles
from cis490_pipeline.synthetic.plan import plan_store
from cis490_pipeline.synthetic.recorder import Recorder
from cis490_pipeline.telemetry.grid import Grid, build_grid
from cis490_pipeline.telemetry.labelling import label_windows

CONFIG = SynthConfig(hosts={"a": 40, "b": 24}, seconds=90.0, seed=2, controls=0.05)
N_STATISTICS = 5


def windows_of(host: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Window statistics in signed logarithm, and phases."""
    recorder = Recorder(CONFIG)
    styles = list(host_styles(CONFIG.seed, list(CONFIG.hosts)).values())
    x: list[NDArray[np.float64]] = []
    y: list[NDArray[np.int64]] = []
    for plan in plan_store(CONFIG, styles).episodes:
        if plan.host != host:
            continue
        episode = open_episode(recorder.record(plan).blob or b"", ArchiveLimits())
        assert isinstance(episode, Episode)
        grid = build_grid(episode)
        assert isinstance(grid, Grid)
        assert grid.t0_wall_ns is not None
        phases = label_windows(episode.labels, grid.t0_wall_ns, grid.n_windows).phase_N
        statistics = window_statistics(grid.x_TC)[:, :, :N_STATISTICS].astype(np.float64)
        kept = phases >= 0
        x.append(statistics.reshape(len(phases), -1)[kept])
        y.append(phases[kept].astype(np.int64))
    everything = np.concatenate(x)
    return np.sign(everything) * np.log1p(np.abs(everything)), np.concatenate(y)


def macro_f1(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    scores = [
        2 * np.sum((truth == c) & (said == c)) / (np.sum(truth == c) + np.sum(said == c))
        for c in range(len(PHASES))
    ]
    return float(np.mean(scores))


@pytest.fixture(scope="module")
def sides() -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    return [windows_of("a"), windows_of("b")]


def test_every_phase_occurs_on_both_hosts(
    sides: list[tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> None:
    for _, phases in sides:
        assert np.bincount(phases, minlength=len(PHASES)).min() >= 5


def test_trees_trained_on_one_host_beat_the_majority_on_another(
    sides: list[tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> None:
    (x_train, y_train), (x_test, y_test) = sides
    trees = xgboost.XGBClassifier(n_estimators=40, max_depth=4, n_jobs=1, tree_method="hist")
    trees.fit(x_train, y_train)
    majority = np.full_like(y_test, np.bincount(y_train).argmax())
    said = trees.predict(x_test).astype(np.int64)
    score, floor = macro_f1(y_test, said), macro_f1(y_test, majority)
    assert score > floor + 0.15
    assert score < 0.98, "a task without an error would say nothing about a model"
