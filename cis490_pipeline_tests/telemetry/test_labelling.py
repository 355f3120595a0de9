"""Phases of windows, purity and transitions."""

import numpy as np
import pytest

from cis490_pipeline.episodes.episode import JsonScalar, Label
from cis490_pipeline.telemetry.labelling import Transition, label_windows, transitions
from cis490_pipeline_tests.reference.adapter import T0_NS, at


def labels(*rows: tuple[float, JsonScalar]) -> tuple[Label, ...]:
    return tuple(
        Label(t_wall_ns=at(seconds), t_mono_ns=None, phase=phase, prev=None)
        for seconds, phase in rows
    )


def test_window_takes_the_phase_in_force_at_its_centre() -> None:
    found = label_windows(labels((0, "clean"), (10.0, "armed"), (10.1, "dormant")), T0_NS, 3)
    assert found.phase_N.tolist() == [0, 1, 4]
    assert found.phase_N.dtype == np.int8


def test_purity_counts_the_ticks_in_the_phase_of_the_centre() -> None:
    found = label_windows(labels((0, "clean"), (7.05, "armed")), T0_NS, 3)
    assert found.phase_N.tolist() == [0, 1, 1]
    assert found.purity_N.tolist() == pytest.approx([0.71, 0.79, 1.0])
    assert found.purity_N.dtype == np.float32


def test_phase_that_comes_back_counts_as_one() -> None:
    found = label_windows(labels((0, "clean"), (2.0, "armed"), (4.0, "clean")), T0_NS, 1)
    assert found.purity_N.tolist() == pytest.approx([0.8])


def test_labels_out_of_order_are_sorted_and_later_of_equals_wins() -> None:
    found = label_windows(
        labels((0, "clean"), (8, "armed"), (2, "dormant"), (2, "infecting")), T0_NS, 2
    )
    assert found.phase_N.tolist() == [2, 1]


def test_before_every_label_the_first_holds() -> None:
    found = label_windows(labels((100, "armed"), (200, "clean")), T0_NS, 1)
    assert found.phase_N.tolist() == [1]
    assert found.purity_N.tolist() == [1.0]


@pytest.mark.parametrize("phase", ["failed", "CLEAN", "", None, 3, True])
def test_label_that_is_no_phase_is_no_class(phase: JsonScalar) -> None:
    found = label_windows(labels((0, "clean"), (4, phase)), T0_NS, 1)
    assert found.phase_N.tolist() == [-1]
    assert found.purity_N.tolist() == pytest.approx([0.6])


def test_no_windows_need_no_labels() -> None:
    assert label_windows((), T0_NS, 0).phase_N.shape == (0,)


def test_windows_without_labels_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no labels"):
        label_windows((), T0_NS, 1)


def test_absurd_label_times_do_not_overflow() -> None:
    early = Label(t_wall_ns=-(2**63), t_mono_ns=None, phase="armed", prev=None)
    late = Label(t_wall_ns=2**63 - 1, t_mono_ns=None, phase="dormant", prev=None)
    found = label_windows((late, early), T0_NS, 2)
    assert found.phase_N.tolist() == [1, 1]


def test_transitions_stand_in_time_order_with_failed() -> None:
    found = transitions(labels((0, "clean"), (9.5, "failed"), (-1, "armed"), (3, None)), T0_NS)
    assert found == (
        Transition(t_s=-1.0, phase="armed"),
        Transition(t_s=0.0, phase="clean"),
        Transition(t_s=3.0, phase="null"),
        Transition(t_s=9.5, phase="failed"),
    )
