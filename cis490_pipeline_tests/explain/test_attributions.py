"""Attributions of every family that has them: they sum, find what matters, leave holes alone."""

import numpy as np
import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.explain.attributions import (
    attribute,
    centred,
    explainable_families,
    method_of,
    require_method,
)
from cis490_pipeline.explain.columns import by_phase, channels_from
from cis490_pipeline.explain.gradients import STEPS
from cis490_pipeline.models.catalog import FAMILIES, family
from cis490_pipeline.models.classifier import Inputs
from cis490_pipeline_tests.explain.planted import (
    N_CHANNELS,
    PLANTED,
    cases_of,
    planted_cases,
    planted_model,
    without,
)

EXPLAINED = explainable_families()
NETWORKS = ("mlp", "cnn", "gru", "lstm", "transformer", "bert")


def attributed(name: str, cases):
    return attribute(family(name), planted_model(name), cases)


def channels(name: str, cases) -> np.ndarray:
    return channels_from(attributed(name, cases).value_NF, N_CHANNELS)


def logits(name: str, cases) -> np.ndarray:
    """Return centred logits out of the probabilities: not the way the methods go."""
    return centred(np.log(planted_model(name).predict_proba(cases)))


def test_every_network_the_trees_and_the_linear_model_have_a_method() -> None:
    assert set(EXPLAINED) == {*NETWORKS, "gbt", "logistic"}


@pytest.mark.parametrize("name", [s.name for s in FAMILIES if method_of(s) is None])
def test_other_families_are_refused_with_those_that_can(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no attribution") as refused:
        require_method(family(name))
    assert refused.value.found == name
    assert refused.value.expected == "one of " + ", ".join(EXPLAINED)


@pytest.mark.parametrize("name", EXPLAINED)
def test_attributions_sum_to_the_difference_of_the_logits(name: str) -> None:
    cases = planted_cases(20, 3)
    found = attributed(name, cases)
    assert np.abs(found.difference_N).max() > 0.5, "the windows differ from the baseline"
    off = found.error / np.maximum(1.0, np.abs(found.difference_N))
    assert off.max() <= 0.05
    assert not found.is_off.any()


@pytest.mark.parametrize("name", ["cnn", "gru", "lstm", "transformer", "bert", "gbt"])
def test_the_difference_is_that_of_the_models_own_probabilities(name: str) -> None:
    """Windows of one phase that have no holes have the same baseline."""
    holed = planted_cases(30, 4)
    x_NCT = np.nan_to_num(holed.sequences.gather(np.arange(30)))
    cases = cases_of(x_NCT, holed.y_N)
    found, logit_NK = attributed(name, cases), logits(name, cases)
    own_N = logit_NK[np.arange(30), cases.y_N]
    for phase in range(5):
        baseline_N = (own_N - found.difference_N)[cases.y_N == phase]
        np.testing.assert_allclose(baseline_N, baseline_N[0], atol=2e-4)


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_channel_that_decides_gets_the_most(name: str) -> None:
    cases = planted_cases(40, 5)
    mean_CK = np.array(by_phase(channels(name, cases), cases.y_N, 5), dtype=float)
    total_C = mean_CK.sum(axis=1)
    assert total_C.argmax() == PLANTED
    assert total_C[PLANTED] > 2 * np.delete(total_C, PLANTED).max()


@pytest.mark.parametrize("name", [*NETWORKS, "logistic"])
def test_a_channel_that_is_missing_gets_nothing_and_the_rest_stays_finite(name: str) -> None:
    cases = without(planted_cases(20, 6), PLANTED, slice(0, 10))
    channel_NC = channels(name, cases)
    assert np.isfinite(channel_NC).all()
    if family(name).inputs is Inputs.SEQUENCE:
        assert (channel_NC[:10, PLANTED] == 0.0).all()
    value_NF = attributed(name, cases).value_NF
    if family(name).inputs is Inputs.SUMMARY:
        holes_NF = np.isnan(np.asarray(cases.summary_NF))
        assert holes_NF.sum() == 50, "all statistics of a channel but its missing share"
        assert (value_NF[holes_NF] == 0.0).all()
    assert (np.abs(channel_NC[10:, PLANTED]) > 0).all()


@pytest.mark.parametrize("name", EXPLAINED)
def test_windows_without_a_single_value_are_explained_by_finite_numbers(name: str) -> None:
    cases = planted_cases(6, 7)
    for channel in range(N_CHANNELS):
        cases = without(cases, channel, slice(None))
    found = attributed(name, cases)
    assert np.isfinite(found.value_NF).all()
    assert found.error.max() < 1e-4
    if family(name).inputs is Inputs.SEQUENCE:
        assert (found.value_NF == 0.0).all()


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_same_windows_get_the_same_numbers_alone_and_again(name: str) -> None:
    cases = planted_cases(12, 8)
    first = attributed(name, cases).value_NF
    np.testing.assert_array_equal(first, attributed(name, cases).value_NF)
    assert np.isfinite(first).all()


@pytest.mark.parametrize("name", ["cnn", "gru"])
def test_explaining_leaves_the_network_as_it_was(name: str) -> None:
    model, cases = planted_model(name), planted_cases(10, 9)
    before, weights = model.predict_proba(cases), model.weights()
    attribute(family(name), model, cases)
    np.testing.assert_array_equal(before, model.predict_proba(cases))
    assert model.weights() == weights
    assert not any(one.requires_grad for one in model.network.parameters())


def test_the_path_is_refined_where_the_sum_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = planted_cases(40, 10)
    coarse = _errors(monkeypatch, (1,), cases)
    assert coarse.max() > 0.05, "one step misses"
    fine = _errors(monkeypatch, (1, *STEPS), cases)
    assert fine.max() < coarse.max() / 2


def _errors(monkeypatch: pytest.MonkeyPatch, steps: tuple[int, ...], cases) -> np.ndarray:
    monkeypatch.setattr("cis490_pipeline.explain.gradients.STEPS", steps)
    found = attributed("cnn", cases)
    return found.error / np.maximum(1.0, np.abs(found.difference_N))


def test_a_constant_added_to_all_logits_is_no_evidence() -> None:
    """The margins of trees have one: their attributions sum to 0 over the phases."""
    cases = planted_cases(5, 11)
    total_NF = np.zeros_like(attributed("gbt", cases).value_NF)
    for phase in range(5):
        as_phase = planted_cases(5, 11)
        as_phase.y_N[:] = phase
        total_NF += attributed("gbt", as_phase).value_NF
    np.testing.assert_allclose(total_NF, 0.0, atol=1e-4)
