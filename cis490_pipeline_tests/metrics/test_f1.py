"""Counts and F1 against scikit-learn, and what is missing where a class has no support."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from cis490_pipeline.metrics.confusion import cluster_confusions, confusion
from cis490_pipeline.metrics.f1 import (
    macro_f1,
    macro_f1_stack,
    per_class_f1,
    precision_recall,
    supported_classes,
)

codes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


def _arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(pairs, dtype=np.int64)
    return both[:, 0], both[:, 1]


@settings(max_examples=150, deadline=None)
@given(codes)
def test_macro_f1_equals_sklearn_over_the_classes_with_support(pairs):
    # zero_division never matters: the labels are the classes that occur in the truth, and for those
    # 2 tp / (row + column) has a denominator above 0. A class that is only predicted stays out.
    truth, predicted = _arrays(pairs)
    ours = macro_f1(confusion(truth, predicted, 5))
    theirs = f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    assert ours == pytest.approx(theirs, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(codes)
def test_confusion_precision_and_recall_equal_sklearn(pairs):
    truth, predicted = _arrays(pairs)
    counts = confusion(truth, predicted, 5)
    labels = np.arange(5)
    assert np.array_equal(counts, confusion_matrix(truth, predicted, labels=labels))
    precision, recall = precision_recall(counts)
    options = {"labels": labels, "average": None, "zero_division": np.nan}
    assert np.allclose(precision, precision_score(truth, predicted, **options), equal_nan=True)
    assert np.allclose(recall, recall_score(truth, predicted, **options), equal_nan=True)


@settings(max_examples=50, deadline=None)
@given(codes, st.integers(1, 7))
def test_cluster_confusions_add_up_to_the_whole_and_match_their_slices(pairs, n_clusters):
    truth, predicted = _arrays(pairs)
    cluster = np.arange(truth.size) % n_clusters
    parts = cluster_confusions(truth, predicted, cluster, n_clusters, 5)
    assert np.array_equal(parts.sum(axis=0), confusion(truth, predicted, 5))
    one = cluster == 0
    assert np.array_equal(parts[0], confusion(truth[one], predicted[one], 5))


def test_class_without_support_is_missing_and_never_predicted_is_zero():
    counts = confusion(np.array([0, 0, 1]), np.array([0, 2, 0]), 3)
    f1 = per_class_f1(counts)
    assert f1[0] == pytest.approx(0.5)
    assert f1[1] == 0.0
    assert np.isnan(f1[2])
    assert macro_f1(counts) == pytest.approx(0.25)


def test_restriction_to_classes_leaves_out_the_others_and_the_unsupported():
    counts = np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]])
    assert macro_f1(counts, np.array([True, False, True])) == pytest.approx(0.8)
    assert macro_f1(counts, np.array([False, False, True])) is None


def test_no_support_at_all_has_no_macro_f1():
    assert macro_f1(np.zeros((5, 5), dtype=np.int64)) is None


def test_stack_is_missing_where_a_class_is_lost():
    whole = np.array([[3, 1], [0, 2]])
    without_second = np.array([[3, 1], [0, 0]])
    values = macro_f1_stack(np.stack([whole, without_second]), supported_classes(whole))
    assert values[0] == pytest.approx(macro_f1(whole))
    assert np.isnan(values[1])


@pytest.mark.parametrize(
    ("truth", "predicted", "cluster"),
    [([-1], [0], [0]), ([0], [5], [0]), ([0], [0], [2]), ([0, 1], [0], [0])],
    ids=["negative truth", "class too high", "cluster too high", "lengths differ"],
)
def test_codes_out_of_range_are_refused_rather_than_counted_elsewhere(truth, predicted, cluster):
    with pytest.raises(ValueError, match="must"):
        cluster_confusions(np.array(truth), np.array(predicted), np.array(cluster), 2, 5)


def test_empty_input_counts_nothing():
    empty = np.array([], dtype=np.int64)
    assert confusion(empty, empty, 5).sum() == 0
