"""A bundle carries its phase filter, applies it, and refuses one that nobody could have fitted."""

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.edge.probabilities import with_temperature
from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.bundle import open_bundle
from cis490_pipeline.models.filtering import filtered
from cis490_pipeline.models.predict import predict
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline_tests.conformance.factory import cases_for, request_for, run_job
from cis490_pipeline_tests.models.test_bundle import _with, lay


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    directory = tmp_path_factory.mktemp("filtered")
    request = replace(request_for("gbt", Mode.REALISTIC), phase_filter=True)
    outcome = run_job(request, directory)
    return open_bundle(ModelRegistry(directory / "models").find(outcome.bundle))


def _filter(n, **changes):
    """Return the JSON of a phase filter over ``n`` classes."""
    even = [1 / n] * n
    made = {"transitions": [even] * n, "initial": even, "prior": even}
    return {**made, "sharpness": 1.0, "inertia": 0.5, **changes}


def test_predictions_go_through_model_filter_and_temperature_in_this_order(bundle):
    cases = cases_for(Mode.REALISTIC, 30, seed=3)
    header, raw_NK = bundle.header, bundle.classifier.predict_proba(cases)
    between_NK = filtered(header.phase_filter, raw_NK, cases)
    wanted_NK = with_temperature(between_NK, header.calibration.temperature)
    found_NK = predict(bundle, cases)
    np.testing.assert_array_equal(found_NK, wanted_NK)
    assert np.abs(found_NK - raw_NK).max() > 0.01
    np.testing.assert_allclose(found_NK.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "other fields"),
        (_filter(2), "phase filter of other classes"),
        (_filter(5, sharpness=1e9), "other fields"),
        (_filter(5, inertia=-1.0), "other fields"),
        (_filter(5, initial=[1.0, 0.0, 0.0, 0.0, 0.0]), "other fields"),
        (_filter(5, initial=[None] * 5), "other fields"),
        (_filter(5, prior=[0.2] * 4), "other fields"),
        (_filter(5, transitions=[[0.9] * 5] * 5), "other fields"),
        (_filter(5, transitions=[]), "other fields"),
    ],
)
def test_a_filter_that_nobody_could_have_fitted_is_refused(bundle, tmp_path, changes, reason):
    encoded = _with(bundle.header, phase_filter=changes)
    with pytest.raises(BundleError, match=reason):
        open_bundle(lay(tmp_path, encoded, bundle.classifier.weights()))
