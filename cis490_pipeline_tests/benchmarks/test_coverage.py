"""The simulation in small: intervals hold the truth as often as they say, equal models pass."""

import numpy as np
import pytest

from cis490_pipeline_tests.benchmarks.coverage import (
    QUICK,
    SEED,
    Row,
    episode_row,
    host_row,
    pair_row,
    seed_row,
    window_interval,
)
from cis490_pipeline_tests.benchmarks.coverage_world import World

N_SETS = 200
SURE = (
    3.0  # standard errors of a share: one run in 370 would fail by chance, but the seeds are fixed
)


def _error(share: float) -> float:
    return float(np.sqrt(share * (1.0 - share) / N_SETS))


def _is_about(row: Row, name: str, share: float) -> bool:
    return abs(row.shares[name] - share) <= SURE * _error(share)


@pytest.fixture(scope="module")
def episodes() -> Row:
    truth = World().macro_f1(np.random.default_rng([SEED, 0]), QUICK.truth_episodes)
    return episode_row(100, N_SETS, truth, QUICK.n_resamples)


@pytest.mark.parametrize("name", ["percentile", "BCa", "sandwich"])
def test_intervals_over_episodes_hold_the_truth_as_often_as_they_say(
    episodes: Row, name: str
) -> None:
    assert _is_about(episodes, name, 0.95), episodes


def test_an_interval_over_windows_would_miss_the_truth_a_third_of_the_time(episodes: Row) -> None:
    assert episodes.shares["windows (naive)"] < 0.75
    assert episodes.shares["naive width"] < 0.6 * episodes.shares["width"]
    assert episodes.shares["design effect"] > 3.0


def test_the_methods_agree_on_a_hundred_plain_episodes(episodes: Row) -> None:
    # 0.003 with 2,000 resamples; with so few, the ends themselves are noise
    assert episodes.shares["flagged"] <= 0.06
    assert episodes.shares["no BCa"] == 0.0


def test_only_the_interval_across_hosts_speaks_about_other_hosts() -> None:
    world = World(host_sd=0.6)
    rng = np.random.default_rng([SEED, 0])
    truth = world.macro_f1(rng, QUICK.truth_episodes, per_host=20)
    found = host_row(6, N_SETS, world, truth, QUICK.n_resamples)
    assert _is_about(found, "hosts and episodes", 0.95), found
    assert found.shares["episodes alone"] < 0.75


def test_an_interval_over_episodes_and_seeds_holds_the_mean_of_all_trainings() -> None:
    world = World(seed_sd=0.1, shared=0.5)
    truth = world.macro_f1_of_trainings(np.random.default_rng([SEED, 0]), QUICK.truth_episodes)
    found = seed_row(3, N_SETS, truth, QUICK.n_resamples)
    assert found.shares["episodes and seeds"] >= 0.95 - SURE * _error(0.95), found
    assert 0.01 < found.shares["sd of seeds"] < 0.03


def test_equal_models_are_told_apart_no_more_often_than_the_level_allows() -> None:
    null = pair_row(12, N_SETS, 0.0, QUICK.n_resamples)
    assert _is_about(null, "p", 0.05), null
    assert null.shares["both"] <= null.shares["p"]
    assert pair_row(60, 40, 1.0, QUICK.n_resamples).shares["both"] > 0.9


def test_drawing_cells_is_drawing_windows() -> None:
    confusions = World().episodes(np.random.default_rng(0), 20)[:, 0]
    cells = np.repeat(np.arange(25), confusions.sum(axis=0).ravel())
    rng = np.random.default_rng(1)
    values = []
    for _ in range(400):
        drawn = np.bincount(rng.choice(cells, cells.size), minlength=25).reshape(5, 5)
        values.append(np.mean(2 * np.diag(drawn) / (drawn.sum(axis=0) + drawn.sum(axis=1))))
    slow = np.quantile(values, [0.025, 0.975])
    fast = window_interval(confusions, 4000, np.random.default_rng(2))
    assert fast == pytest.approx(slow, abs=0.008)


def test_neighbouring_windows_share_half_of_their_noise() -> None:
    """Without leanings, a mistake makes one in the next window of the same phase more likely."""
    world = World(episode_sd=0.0, separation=1.0)
    rng = np.random.default_rng(0)
    truth = np.zeros((4000, 30), dtype=np.int64)
    wrong = world.predicted(rng, truth, np.ones(4000)) != truth
    next_one = np.corrcoef(wrong[:, :-1].ravel(), wrong[:, 1:].ravel())[0, 1]
    after_it = np.corrcoef(wrong[:, :-2].ravel(), wrong[:, 2:].ravel())[0, 1]
    assert next_one > 0.2
    assert abs(after_it) < 0.02
