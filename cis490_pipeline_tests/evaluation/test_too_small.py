"""What a test set is too small for: a p below alpha, a phase that it does not hold."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import pyarrow.compute as pc
import pytest

from cis490_pipeline.evaluation.comparison import Verdict, compare
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.permutation import holm
from cis490_pipeline_tests.evaluation.made_up import FAST, evaluations_of, key_of, split_table

GBT, CNN, TIME = key_of("gbt"), key_of("cnn"), key_of("elapsed_time")
SKILLS = {GBT: (0.9, 1.0), CNN: (0.5, 0.95), TIME: (0.1, 0.0)}


def compared(n_episodes, keep=None):
    table = split_table(SKILLS, n_episodes=n_episodes)
    table = table if keep is None else table.filter(keep)
    return compare(evaluations_of(table, list(SKILLS)), table, config=FAST)


def against_time(comparison):
    return [one for one in comparison.differences if one.second == TIME]


@pytest.mark.parametrize("n_episodes", [2, 3, 5])
def test_few_episodes_decide_nothing_however_large_the_difference(n_episodes):
    for one in against_time(compared(n_episodes)):
        assert one.difference.point > 0.4
        assert one.p == one.least_p == 2.0 ** (1 - n_episodes)
        assert one.verdict is Verdict.UNDECIDED
        assert one.undecidable


def test_many_episodes_could_decide_and_did():
    for one in against_time(compared(24)):
        assert one.verdict is Verdict.BETTER
        assert one.least_p_holm <= one.p_holm <= 0.05
        assert not one.undecidable


def test_holm_leaves_of_the_least_p_what_the_other_tests_allow():
    found = against_time(compared(6))
    p_values = tuple(one.p for one in found)
    for place, one in enumerate(found):
        at_best = (*p_values[:place], one.least_p, *p_values[place + 1 :])
        assert one.least_p_holm == holm(at_best)[place]
        assert one.least_p == pytest.approx(2.0**-5)
    assert [one.undecidable for one in found] == [True, True], "2 * 2 ** -5 is above 0.05"


def test_one_episode_has_no_p_and_no_least_p():
    (first, *_) = against_time(compared(1))
    assert (first.p, first.p_holm, first.least_p, first.least_p_holm) == (None,) * 4
    assert not first.undecidable


def test_a_choice_on_few_episodes_of_id_val_says_so():
    reasons = [one.reason for one in compared(4).choices]
    assert any("best on id_val" in one for one in reasons)
    skills = {GBT: (0.6, 0.5), CNN: (1.0, 0.5), TIME: (0.0, 0.1)}
    table = split_table(skills, n_episodes=4)
    (choice,) = compare(evaluations_of(table, list(skills)), table, config=FAST).choices
    assert choice.recommended == GBT
    assert "p 0.125, which so few episodes cannot bring low enough" in choice.reason


def test_a_phase_without_a_window_is_in_the_headline():
    whole = compared(24)
    assert whole.untested_phases == ()
    assert "no window of" not in headline(whole)
    no_armed = compared(24, keep=~((pc.field("phase") == 1) & (pc.field("role") == "test")))
    assert no_armed.untested_phases == ("armed",)
    assert "; no window of armed, macro F1 over the other 4 phases; " in headline(no_armed)
