"""The phase filter is counted on train and chosen on id_val, and serves where order helps."""

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.filtering import filtered
from cis490_pipeline.models.grammar import grammar_of
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline.training.phase_filter import fit_phase_filter
from cis490_pipeline_tests.conformance.factory import make_cases


def _episodes(n_episodes, seed):
    """Return episodes that go through the phases in order, six windows each on average."""
    generator = np.random.default_rng(seed)
    y = [np.repeat(np.arange(5), generator.integers(4, 9, 5)) for _ in range(n_episodes)]
    lengths = [len(one) for one in y]
    return Cases(
        y_N=np.concatenate(y),
        cluster_N=np.repeat(np.arange(n_episodes), lengths),
        t_center_s_N=np.concatenate([5.0 + 5.0 * np.arange(n) for n in lengths]),
        summary_NF=None,
        sequences=None,
        n_classes=5,
    )


def _noisy(cases, share, seed=0):
    """Return what a model says that is right in a share of the windows, and calibrated."""
    generator = np.random.default_rng(seed)
    p_NK = np.full((cases.n_cases, 5), (1 - share) / 4)
    wrong = generator.random(cases.n_cases) > share
    said = np.where(wrong, (cases.y_N + generator.integers(1, 5, cases.n_cases)) % 5, cases.y_N)
    p_NK[np.arange(cases.n_cases), said] = share
    return p_NK


def _right(p_NK, cases):
    return float((p_NK.argmax(axis=1) == cases.y_N).mean())


def test_transitions_are_counted_within_episodes_and_not_across_gaps():
    cases = _episodes(2, seed=0)
    cases = replace(
        cases,
        y_N=np.array([0, 0, 1, 4, 0, 1]),
        cluster_N=np.array([0, 0, 0, 0, 1, 1]),
        t_center_s_N=5.0 + 5.0 * np.array([0, 1, 2, 5, 3, 4]),
    )
    grammar = grammar_of(cases, pseudo_count=1e-9)
    np.testing.assert_allclose(grammar.transitions_KK[0], [1 / 3, 2 / 3, 0, 0, 0], atol=1e-6)
    # what follows 1 was never seen: not the other side of the gap, not the next episode
    np.testing.assert_allclose(grammar.transitions_KK[1], 0.2, atol=1e-6)
    np.testing.assert_allclose(grammar.initial_K, [1, 0, 0, 0, 0], atol=1e-6)


def test_a_transition_that_nobody_saw_is_rare_and_not_impossible():
    grammar = grammar_of(_episodes(40, seed=0), pseudo_count=1.0)
    assert 0 < grammar.transitions_KK[0, 4] < 0.02
    np.testing.assert_allclose(grammar.transitions_KK.sum(axis=1), 1.0, atol=1e-12)


def test_noise_against_the_order_of_phases_is_filtered_out():
    train, id_val, test = (_episodes(30, seed) for seed in (1, 2, 3))
    chosen = fit_phase_filter(train, id_val, _noisy(id_val, 0.6, seed=2))
    p_NK = _noisy(test, 0.6, seed=3)
    assert _right(p_NK, test) == pytest.approx(0.6, abs=0.03)
    assert _right(filtered(chosen, p_NK, test), test) > 0.72


def test_a_model_that_is_right_gets_no_filter_that_spoils_it():
    train, id_val = _episodes(30, seed=1), _episodes(12, seed=2)
    p_NK = _noisy(id_val, 0.999)
    chosen = fit_phase_filter(train, id_val, p_NK)
    assert _right(filtered(chosen, p_NK, id_val), id_val) >= _right(p_NK, id_val)


def test_where_the_order_says_nothing_the_filter_decides_nothing():
    """Phases drawn anew for every window: any weight on the one before is a loss."""
    generator = np.random.default_rng(5)
    train, id_val = (
        replace(cases, y_N=generator.integers(0, 5, cases.n_cases))
        for cases in (_episodes(60, seed=1), _episodes(60, seed=2))
    )
    p_NK = _noisy(id_val, 0.6)
    chosen = fit_phase_filter(train, id_val, p_NK)
    found_NK = filtered(chosen, p_NK, id_val)
    assert np.mean(found_NK.argmax(axis=1) == p_NK.argmax(axis=1)) > 0.99


def test_score_and_temperature_are_those_of_the_filtered_probabilities():
    train, id_val = make_cases(200, 3, seed=1), make_cases(100, 3, seed=2)
    fits = [
        fit_family(family("gbt"), train, id_val, phase_filter=wanted) for wanted in (False, True)
    ]
    assert fits[0].phase_filter is None
    assert fits[1].phase_filter is not None
    assert fits[0].fitted.classifier.weights() == fits[1].fitted.classifier.weights()
    assert fits[0].id_val_macro_f1 == fits[0].fitted.id_val_macro_f1
    assert fits[0].temperature != fits[1].temperature
