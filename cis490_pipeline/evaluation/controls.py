"""Negative controls: models that were taught nonsense, and whether they score like it.

Not here: the controls that see no channel (``elapsed_time``, ``grammar_only``: they are compared
like any model), how well hosts can be told apart (``shift``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import FamilyRole, ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation
from cis490_pipeline.metrics.chance import chance_macro_f1

LUCK: Final = 0.05
"""So far the lower end of the interval may lie above chance. The interval knows of the episodes and
not of the permutation, of which there is one draw: of 32 fits (two labs, both modes, contexts none
and recent, four permutations) seven had the whole interval above chance, by 0.03 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """A model of permuted labels on the test set.

    Attributes
    ----------
    chance
        Macro F1 of the same answers dealt out at random; None without a window.
    is_at_chance
        None where there is no interval to judge by.
    """

    key: ModelKey
    macro_f1: Interval
    chance: float | None
    is_at_chance: bool | None


def controls_of(evaluations: Sequence[ModelEvaluation]) -> tuple[ControlResult, ...]:
    """Return the negative controls among the models of a split, in their order."""
    return tuple(_judged(one) for one in evaluations if one.key.role is FamilyRole.CONTROL)


def _judged(one: ModelEvaluation) -> ControlResult:
    chance, low = chance_macro_f1(np.array(one.confusion, dtype=np.int64)), one.macro_f1.low
    is_at_chance = None if chance is None or low is None else low <= chance + LUCK
    return ControlResult(
        key=one.key, macro_f1=one.macro_f1, chance=chance, is_at_chance=is_at_chance
    )
