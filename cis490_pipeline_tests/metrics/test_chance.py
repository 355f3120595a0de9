"""The chance level of a confusion matrix, against dealing its answers out many times."""

import numpy as np
import pytest

from cis490_pipeline.metrics.chance import chance_macro_f1
from cis490_pipeline.metrics.confusion import confusion
from cis490_pipeline.metrics.f1 import macro_f1


@pytest.mark.parametrize("answers", [[0] * 900, [0, 1, 2] * 300, [0] * 800 + [2] * 100])
def test_it_is_what_shuffled_answers_earn(answers: list[int]) -> None:
    generator = np.random.default_rng(0)
    truth_N = np.repeat([0, 1, 2], [600, 200, 100])
    said_N = np.array(answers)
    dealt = [macro_f1(confusion(truth_N, generator.permutation(said_N), 3)) for _ in range(300)]
    found = chance_macro_f1(confusion(truth_N, said_N, 3))
    assert found == pytest.approx(np.mean(np.array(dealt, dtype=float)), abs=0.005)


def test_a_class_without_support_is_in_no_mean() -> None:
    assert chance_macro_f1(np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])) == pytest.approx(
        chance_macro_f1(np.array([[8, 2], [1, 9]]))
    )


def test_nothing_has_no_chance_level() -> None:
    assert chance_macro_f1(np.zeros((3, 3), dtype=np.int64)) is None
