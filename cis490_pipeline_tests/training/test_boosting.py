"""``gbt``: trees combine few columns; of too many cases as many are drawn as may be held."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost

from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.gbt import GbtHyperParameters
from cis490_pipeline.training.boosting import drawn
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline_tests.conformance.factory import make_cases


def _exclusive_or(n_cases, seed):
    """Return cases of one channel whose class shows only where two of its statistics are seen."""
    cases = make_cases(n_cases, 1, seed=seed, classes=(0, 1), n_classes=2)
    noise_NF = np.random.default_rng(seed).normal(size=(n_cases, 6)).astype(np.float32)
    y_N = ((noise_NF[:, 1] > 0) ^ (noise_NF[:, 4] > 0)).astype(np.int64)
    return replace(cases, y_N=y_N, summary_NF=noise_NF)


def test_trees_combine_the_statistics_of_a_single_channel():
    train, id_val, test = (_exclusive_or(n, seed) for n, seed in ((400, 0), (100, 1), (200, 2)))
    done = fit_family(family("gbt"), train, id_val)
    found_N = done.fitted.classifier.predict_proba(test).argmax(axis=1)
    assert (found_N == test.y_N).mean() > 0.9


def test_of_more_cases_than_may_be_held_every_one_has_an_equal_chance():
    slices = [_exclusive_or(n, n) for n in (1000, 3000)]
    times_N = np.zeros(4000)
    for seed in range(200):
        (first, first_V), (second, second_V) = drawn(slices, 400, seed)
        assert first is slices[0]
        assert second is slices[1]
        assert first_V.size + second_V.size == 400
        times_N[np.concatenate([first_V, 1000 + second_V])] += 1
    assert times_N.sum() == 200 * 400  # nobody is drawn twice at once
    assert times_N.max() < 45  # 20 expected
    assert times_N.min() > 4
    assert 18.5 < times_N[:1000].mean() < 21.5
    assert [index_V.tolist() for _, index_V in drawn(slices, 4000, 0)] == [
        list(range(1000)),
        list(range(3000)),
    ]


def test_what_is_held_is_bounded_and_the_same_for_a_seed(monkeypatch: pytest.MonkeyPatch):
    held: list[int] = []
    real = xgboost.QuantileDMatrix

    def counted(*args, **options):
        made = real(*args, **options)
        held.append(made.num_row())
        return made

    monkeypatch.setattr(xgboost, "QuantileDMatrix", counted)
    train, id_val = _exclusive_or(400, 0), _exclusive_or(200, 1)
    few = GbtHyperParameters(most_cases=150, rounds=20)
    one, again, other = (
        fit_family(family("gbt"), train, id_val, seed=seed, hyper_parameters=few)
        for seed in (3, 3, 4)
    )
    assert held == [150, 150] * 3
    weights = [done.fitted.classifier.weights() for done in (one, again, other)]
    assert weights[0] == weights[1] != weights[2]
