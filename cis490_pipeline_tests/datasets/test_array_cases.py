"""Arrays become cases: labels, statistics over whole cases, and an id_val of every class."""

import warnings

import numpy as np
import pytest

from cis490_pipeline.datasets.array_cases import (
    ArrayInput,
    ClassLabels,
    carve_id_val,
    case_statistics,
    cases_from_arrays,
    fitted_to_length,
    take,
)
from cis490_pipeline.datasets.array_files import LabelledArrays
from cis490_pipeline.errors import ArrayFileError


def holed(seed: int, shape: tuple[int, ...] = (7, 3, 20)) -> np.ndarray:
    generator = np.random.default_rng(seed)
    x_NCT = generator.normal(100.0, 3.0, size=shape).astype(np.float32)
    x_NCT[generator.random(shape) < 0.3] = np.nan
    return x_NCT


@pytest.mark.parametrize("seed", range(5))
def test_statistics_are_those_of_the_present_values(seed: int) -> None:
    x_NCT = holed(seed)
    found_NCS = case_statistics(x_NCT).reshape(7, 3, 6)
    for case, channel in np.ndindex(7, 3):
        series = x_NCT[case, channel].astype(np.float64)
        present = np.isfinite(series)
        value, time = series[present], np.arange(20)[present]
        expected = [
            value.mean(),
            value.std(),
            np.median(value),
            np.percentile(value, 95),
            np.polyfit(time, value, 1)[0],
            1 - present.mean(),
        ]
        np.testing.assert_allclose(found_NCS[case, channel], expected, rtol=1e-5, atol=1e-5)


def test_a_channel_without_values_has_no_statistics_and_is_missing_throughout() -> None:
    x_NCT = np.full((1, 2, 5), np.nan, dtype=np.float32)
    x_NCT[0, 1, 2] = 4.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing, single = case_statistics(x_NCT).reshape(2, 6)
    np.testing.assert_array_equal(nothing, [np.nan] * 5 + [1.0])
    np.testing.assert_allclose(single, [4.0, 0.0, 4.0, 4.0, np.nan, 0.8], rtol=1e-6)


def test_statistics_do_not_depend_on_how_many_cases_come_at_once(monkeypatch) -> None:
    whole = case_statistics(holed(1))
    monkeypatch.setattr("cis490_pipeline.datasets.array_cases._SERIES_AT_ONCE", 50)
    np.testing.assert_array_equal(case_statistics(holed(1)), whole)


def test_labels_of_any_integers_are_mapped_and_known_again() -> None:
    labels = ClassLabels.of(np.array([7, -3, 2**40, -3]))
    index = labels.index_of(np.array([2**40, -3, 7]), where="here")
    assert index.tolist() == [2, 0, 1]
    assert labels.label_K[index].tolist() == [2**40, -3, 7]


def test_a_class_that_train_lacks_is_refused_by_name() -> None:
    with pytest.raises(ArrayFileError, match=r"test\.npz.*-3, 7.*found: 8"):
        ClassLabels.of(np.array([7, -3])).index_of(np.array([7, 8]), where="test.npz")


@pytest.mark.parametrize("seed", range(10))
def test_id_val_has_every_class_that_can_spare_a_case(seed: int) -> None:
    y_N = np.random.default_rng(seed).permutation(np.repeat(np.arange(5), [1, 2, 9, 40, 100]))
    train, id_val = carve_id_val(y_N, seed=seed)
    assert sorted([*train, *id_val]) == list(range(y_N.size))
    assert np.bincount(y_N[id_val], minlength=5).tolist() == [0, 1, 2, 8, 20]
    again = carve_id_val(y_N, seed=seed)[1]
    np.testing.assert_array_equal(id_val, again)
    assert carve_id_val(y_N, seed=seed + 1)[1].tolist() != id_val.tolist()


def test_shorter_cases_are_padded_and_longer_ones_refused() -> None:
    arrays = LabelledArrays(x_NCT=holed(0), label_N=np.zeros(7, dtype=np.int64))
    padded = fitted_to_length(arrays, 3, 25, where="test.npz").x_NCT
    assert padded.shape == (7, 3, 25)
    np.testing.assert_array_equal(padded[:, :, :20], arrays.x_NCT)
    assert np.isnan(padded[:, :, 20:]).all()
    for shape in ((2, 20), (3, 19)):
        with pytest.raises(ArrayFileError, match="3 channels × 20 timepoints"):
            fitted_to_length(arrays, *shape, where="test.npz")


@pytest.mark.parametrize("view", list(ArrayInput))
def test_both_views_hold_what_the_input_lets_a_family_see(view: ArrayInput) -> None:
    arrays = LabelledArrays(x_NCT=holed(0), label_N=np.array([3, 3, 5, 5, 5, 3, 5]))
    labels = ClassLabels.of(arrays.label_N)
    cases = take(cases_from_arrays(arrays, labels, view, where="x"), np.array([6, 0]))
    assert cases.y_N.tolist() == [1, 0]
    assert cases.summary_NF is not None
    assert cases.sequences is not None
    found = cases.sequences.gather(np.array([0, 1]))
    if view is not ArrayInput.SUMMARY:
        np.testing.assert_array_equal(found, arrays.x_NCT[[6, 0]])
    if view is not ArrayInput.RAW:
        statistics_NF = case_statistics(arrays.x_NCT)[[6, 0]]
        np.testing.assert_array_equal(cases.summary_NF, statistics_NF)
    if view is not ArrayInput.BOTH:  # the two are one and the same
        np.testing.assert_array_equal(found.reshape(2, -1), cases.summary_NF)
