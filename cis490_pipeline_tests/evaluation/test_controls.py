"""Models of permuted labels: judged against chance, compared with nothing, loud if they score."""

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.evaluation.comparison import compare
from cis490_pipeline.evaluation.controls import controls_of
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.keys import FamilyRole
from cis490_pipeline_tests.evaluation.made_up import (
    FAST,
    evaluations_of,
    key_of,
    split_table,
)

GBT, TIME, CONTROL = key_of("gbt"), key_of("elapsed_time"), key_of("permuted_labels")


@pytest.mark.parametrize(("skill", "at_chance"), [(0.0, True), (0.6, False)])
def test_a_control_that_scores_is_found_and_is_in_the_headline(
    skill: float, at_chance: bool
) -> None:
    skills = {GBT: (0.8, 0.8), TIME: (0.3, 0.3), CONTROL: (skill, skill)}
    table = split_table(skills)
    found = compare(evaluations_of(table, list(skills)), table, config=FAST)
    (control,) = found.controls
    assert (control.key, control.is_at_chance) == (CONTROL, at_chance)
    assert ("is above chance" in headline(found)) is not at_chance


def test_a_control_is_neither_chosen_nor_in_a_declared_family() -> None:
    skills = {GBT: (0.3, 0.3), TIME: (0.2, 0.2), CONTROL: (0.9, 0.9)}
    table = split_table(skills)
    found = compare(evaluations_of(table, list(skills)), table, config=FAST)
    assert CONTROL.role is FamilyRole.CONTROL
    assert CONTROL not in (found.best_learned, found.recommended, found.choices[0].simple)
    assert CONTROL not in {key for one in found.differences for key in (one.first, one.second)}


def test_without_a_window_there_is_no_verdict() -> None:
    table = split_table({CONTROL: (0.5, 0.5)})
    (one,) = evaluations_of(table, [CONTROL])
    nothing = tuple(tuple(0 for _ in row) for row in one.confusion)
    (control,) = controls_of([replace(one, confusion=nothing)])
    assert (control.chance, control.is_at_chance) == (None, None)
    assert np.sum(one.confusion) > 0
