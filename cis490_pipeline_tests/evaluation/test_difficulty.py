"""Difficulty: 1 among training episodes, more further away; scores by thirds."""

import numpy as np
import pytest

from cis490_pipeline.evaluation.difficulty import (
    THIRDS,
    EpisodeDifficulty,
    difficulties,
    scores_by_difficulty,
)
from cis490_pipeline.evaluation.predictions import TEST, predictions_of, rows_of
from cis490_pipeline_tests.evaluation.made_up import FAST, key_of, split_table

GBT = key_of("gbt")


def drawn(n: int, seed: int, n_columns: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, n_columns)).astype(np.float32)


def test_another_episode_of_the_same_kind_is_about_1() -> None:
    difficulty_E, unit = difficulties(drawn(80, 0), drawn(40, 1))
    assert unit > 0
    assert np.median(difficulty_E) == pytest.approx(1.0, abs=0.1)


def test_an_episode_further_away_is_harder_and_a_copy_is_0() -> None:
    train_MF = drawn(80, 0)
    near, far = (difficulties(train_MF, drawn(40, 1) + shift)[0] for shift in (0.0, 1.5))
    assert np.median(far) > 1.3 * np.median(near)
    assert difficulties(train_MF, train_MF[:3])[0] == pytest.approx([0, 0, 0], abs=1e-5)


def test_the_unit_of_a_column_does_not_matter() -> None:
    scale = np.logspace(-6, 6, 30).astype(np.float32)
    plain, scaled = (difficulties(drawn(50, 0) * s, drawn(9, 1) * s)[0] for s in (1.0, scale))
    np.testing.assert_allclose(plain, scaled, rtol=1e-3)


def test_what_cannot_be_told_is_missing() -> None:
    blind = np.full((2, 30), np.nan, dtype=np.float32)
    assert np.isnan(difficulties(drawn(20, 0), blind)[0]).all()
    assert np.isnan(difficulties(drawn(1, 0), drawn(3, 1))[0]).all(), "nobody to compare with"
    assert difficulties(drawn(20, 0), drawn(0, 1))[0].shape == (0,)


def test_thirds_are_by_difficulty_and_hold_every_known_episode_once() -> None:
    table = split_table({GBT: (0.8, 0.6)})
    (bundle,) = set(table["bundle"].to_pylist())
    found = predictions_of(rows_of(table, key=GBT, bundle=bundle, role=TEST), key=GBT, role=TEST)
    episodes = [
        EpisodeDifficulty(
            episode_id=one.episode_id,
            host_id=one.host_id,
            profile=one.profile,
            difficulty=None if place == 0 else float(-place),
        )
        for place, one in enumerate(found.episodes)
    ]
    scores = scores_by_difficulty(GBT, found, episodes, FAST)
    assert tuple(one.name for one in scores.thirds) == THIRDS
    assert sum(one.macro_f1.n_episodes for one in scores.thirds) == len(episodes) - 1
    ends = [end for one in scores.thirds for end in (one.from_, one.to)]
    assert ends == sorted(ends)
    assert scores.thirds[-1].to == -1.0
    few = scores_by_difficulty(GBT, found, episodes[:9], FAST)
    assert few.thirds == ()
    assert few.reason is not None
    assert few.reason.startswith("8 test episodes")
