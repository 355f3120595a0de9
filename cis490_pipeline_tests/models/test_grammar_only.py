"""``grammar_only`` knows the order of phases and the number of windows, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import CaseShape, Compute, StoredModel
from cis490_pipeline.models.grammar_only import GRAMMAR_ONLY
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline_tests.training.test_phase_filter import _episodes


@pytest.fixture(scope="module")
def fitted():
    return fit_family(GRAMMAR_ONLY, _episodes(40, seed=0), _episodes(10, seed=1)).fitted.classifier


def test_it_goes_through_the_phases_with_time_whatever_the_labels_are(fitted):
    cases = _episodes(3, seed=2)
    p_NK = fitted.predict_proba(cases)
    predicted = p_NK.argmax(axis=1)
    first = cases.cluster_N == 0
    assert predicted[first][0] == 0
    assert predicted[first][-1] == 4
    blind = replace(cases, y_N=np.zeros_like(cases.y_N), cluster_N=np.arange(cases.n_cases))
    np.testing.assert_array_equal(fitted.predict_proba(blind), p_NK)


def _stored(data, n_classes=5):
    return StoredModel(
        files={"weights.json": data},
        shape=CaseShape(n_channels=0, n_timepoints=0, n_classes=n_classes),
        hyper_parameters=GRAMMAR_ONLY.hyper_parameters,
        compute=Compute(),
    )


def test_weights_round_trip(fitted):
    data = fitted.weights()["weights.json"]
    assert GRAMMAR_ONLY.load(_stored(data)).weights() == fitted.weights()


@pytest.mark.parametrize("fault", ["zero", "sum", "classes", "absent"])
def test_weights_that_are_no_grammar_are_refused(fitted, fault):
    data = fitted.weights()["weights.json"]
    head, row = data[: data.index(b"[[") + 2], data[data.index(b"[[") + 2 :]
    first = row[: row.index(b",")]
    broken = {
        "zero": head + b"0.0" + row[len(first) :],
        "sum": head + b"0.123" + row[len(first) :],
        "classes": data,
        "absent": b"{}",
    }[fault]
    with pytest.raises(BundleError):
        GRAMMAR_ONLY.load(_stored(broken, n_classes=4 if fault == "classes" else 5))
