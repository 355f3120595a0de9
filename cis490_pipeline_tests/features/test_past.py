"""A window beside its past: differences on the signed logarithm, and missing stays missing."""

import numpy as np
import pytest

from cis490_pipeline.features.past import in_context, no_past, signed_log
from cis490_pipeline.schema.context import RANGE_WINDOWS, Context, blocks_of

HELD = [5.0, 1.0, 9.0, 2.0, 2.0, 2.0, 2.0, 2.0, 30.0, -4.0]  # nearest first


def _past(values):
    past_BLF = no_past(1, 1)
    past_BLF[0, : len(values), 0] = values
    return past_BLF


def _one(own, values, first=np.nan, context=Context.COMMISSIONED):
    own_BF, first_BF = np.float32([[own]]), np.float32([[first]])
    return in_context(own_BF, _past(values), first_BF, context)[0].tolist()


def test_the_differences_are_to_the_last_two_both_means_the_range_and_the_first():
    short, long = sum(HELD[:3]) / 3, sum(HELD[:8]) / 8
    found = _one(10.0, HELD, first=3.0)
    assert found == pytest.approx([10.0, 5.0, 9.0, 10.0 - short, 10.0 - long, -20.0, 14.0, 7.0])
    assert _one(10.0, HELD, first=3.0, context=Context.RECENT) == pytest.approx(found[:7])
    assert _one(10.0, HELD, context=Context.NONE) == [10.0]


@pytest.mark.parametrize("context", Context)
def test_there_is_a_column_for_every_block(context):
    own_BF = np.zeros((4, 7), dtype=np.float32)
    found = in_context(own_BF, no_past(4, 7), own_BF, context)
    assert found.shape == (4, 7 * blocks_of(context))
    assert found.dtype == np.float32


def test_without_a_past_every_difference_is_missing_and_never_zero():
    found = _one(10.0, [])
    assert found[0] == 10.0
    assert np.isnan(found[1:]).all()


def test_a_missing_window_has_no_differences_and_is_left_out_of_those_of_others():
    assert np.isnan(_one(np.nan, HELD, first=3.0)).all()
    holes = [5.0, np.nan, 7.0]
    found = _one(10.0, holes, first=np.nan)
    assert np.isnan([found[2], found[7]]).all()
    assert [found[1], *found[3:7]] == [5.0, 4.0, 4.0, 3.0, 5.0]


def test_a_factor_between_hosts_does_not_show_in_the_differences():
    """Another machine moves every byte count by a factor: large values differ by a constant."""
    past, own = np.array([2e9, 3e9, 1e9], dtype=np.float32), np.float32(8e9)
    small = _one(signed_log(own), signed_log(past), first=signed_log(past[-1]))
    large = _one(signed_log(own * 7), signed_log(past * 7), first=signed_log(past[-1] * 7))
    assert small[1:] == pytest.approx(large[1:], abs=1e-5)
    assert small[0] != pytest.approx(large[0], abs=1.0)


def test_the_range_reaches_two_minutes_back_and_no_further():
    values = [1.0] * (RANGE_WINDOWS - 1)
    assert _one(10.0, [*values, 100.0])[5] == -90.0
    assert RANGE_WINDOWS * 5 == 120
