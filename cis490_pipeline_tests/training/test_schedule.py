"""The learning rate and the budget are pure functions with the promised shape."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.models.classifier import NetworkHyperParameters
from cis490_pipeline.training.schedule import budget_of, learning_rate

DEFAULTS = NetworkHyperParameters()


@settings(max_examples=100, deadline=None)
@given(total=st.integers(1, 5000), share=st.floats(0, 1), peak=st.floats(1e-5, 1))
def test_the_rate_rises_to_the_peak_then_falls_to_zero(total, share, peak):
    rates = [learning_rate(s, total, peak=peak, warm_up_share=share) for s in range(total)]
    warm_up = math.ceil(share * total)
    assert all(0 <= rate <= peak * (1 + 1e-9) for rate in rates)
    assert rates[:warm_up] == sorted(rates[:warm_up])
    assert rates[warm_up:] == sorted(rates[warm_up:], reverse=True)
    assert max(rates) == pytest.approx(peak)


def test_five_percent_warm_up_and_a_cosine_to_zero():
    def rate(step):
        return learning_rate(step, 1000, peak=2.0, warm_up_share=0.05)

    assert rate(49) == pytest.approx(2.0)
    assert rate(24) == pytest.approx(1.0)
    assert rate(525) == pytest.approx(1.0)
    assert rate(999) < 1e-4


@settings(max_examples=200, deadline=None)
@given(n_cases=st.integers(1, 20_000_000))
def test_forty_cases_and_ten_million_get_a_sensible_budget(n_cases):
    budget = budget_of(DEFAULTS, n_cases)
    assert budget.total_steps >= DEFAULTS.min_steps
    assert budget.passes_per_epoch * budget.steps_per_pass >= min(
        DEFAULTS.evaluation_steps, budget.total_steps
    )
    assert budget.total_steps <= DEFAULTS.max_steps + (
        (budget.passes_per_epoch + 1) * budget.steps_per_pass
    )
    assert budget.batch_size * (budget.steps_per_pass - 1) < n_cases


@settings(max_examples=100, deadline=None)
@given(epochs=st.integers(1, 200), n_cases=st.integers(1, 3000))
def test_explicit_epochs_are_exactly_that_many_passes(epochs, n_cases):
    budget = budget_of(NetworkHyperParameters(epochs=epochs), n_cases)
    assert budget.epochs * budget.passes_per_epoch == epochs


def test_few_cases_make_epochs_of_several_passes():
    assert budget_of(DEFAULTS, 40).passes_per_epoch > 1
    assert budget_of(DEFAULTS, 4_000_000).passes_per_epoch == 1


@pytest.mark.parametrize(("values", "largest"), [(276, 512), (4_600, 512), (13_800, 256)])
def test_batches_of_long_cases_are_smaller_so_that_they_fit_into_memory(values, largest):
    assert budget_of(DEFAULTS, 4_000_000, values).batch_size == largest
    assert budget_of(DEFAULTS, 40, values).batch_size == budget_of(DEFAULTS, 40).batch_size
