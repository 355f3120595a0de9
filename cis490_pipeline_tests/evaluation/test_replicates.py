"""Intervals of any figure: what is undefined on a resample, and methods that there are not."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.evaluation.interval import SampleSize
from cis490_pipeline.evaluation.replicates import TOO_MANY, Replicates, interval_of
from cis490_pipeline_tests.evaluation.made_up import FAST

SIZE = SampleSize(n_hosts=1, n_samples=3, n_episodes=40, n_windows=400, condition="")
JACKKNIFE = np.random.default_rng(1).normal(0.5, 0.05 / 39, 40)
PLAIN = Replicates(
    point=0.5,
    value_B=np.random.default_rng(0).normal(0.5, 0.05, 200),
    jackknife_E=JACKKNIFE,
)


def made(found):
    return interval_of(found, config=FAST, size=SIZE, undefined="there is nothing")


def test_without_a_jackknife_there_is_no_method_that_could_disagree():
    assert made(PLAIN).standard_error is not None
    found = made(replace(PLAIN, jackknife_E=None))
    assert (found.standard_error, found.bca_low) == (None, None)
    assert found.bca_fallback == TOO_MANY
    assert found.disagreement is None


def test_a_jackknife_that_is_undefined_disagrees_with_nothing():
    lost = np.where(np.arange(40) == 3, np.nan, JACKKNIFE)
    found = made(replace(PLAIN, jackknife_E=lost))
    assert found.bca_fallback == "undefined without one of the episodes"
    assert found.disagreement is None


def test_resamples_that_leave_a_figure_undefined_are_counted():
    assert made(PLAIN).degenerate_share == 0.0
    some = np.where(np.arange(200) < 30, np.nan, PLAIN.value_B)
    found = made(replace(PLAIN, value_B=some))
    assert found.n_resamples == 170
    assert found.degenerate_share == pytest.approx(0.15)
    most = made(replace(PLAIN, value_B=np.where(np.arange(200) < 130, np.nan, PLAIN.value_B)))
    assert (most.low, most.reason) == (None, "130 of 200 resamples leave it undefined")
