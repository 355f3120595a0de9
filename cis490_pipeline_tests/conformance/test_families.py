"""The battery that every model family must pass in every mode; a new family is in it by itself."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.datasets.cases import ArraySequences, Cases
from cis490_pipeline.errors import ConfigurationError, SchemaMismatchError
from cis490_pipeline.models.bundle import open_bundle
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.classifier import FamilySpec, Inputs, Procedure
from cis490_pipeline.models.predict import predict
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import CHANNELS, Kind, Mode
from cis490_pipeline.schema.fingerprint import feature_schema_of
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline_tests.conformance.factory import (
    Loader,
    all_missing,
    cases_for,
    make_cases,
    request_for,
    run_job,
    without_channel,
)

GRID = [
    pytest.param(spec, mode, id=f"{spec.name}-{mode.value}")
    for spec in FAMILIES
    for mode in spec.modes
]
pytestmark = pytest.mark.parametrize(("spec", "mode"), GRID)


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    """Return a function that gives the bundle directory of a family and mode, fitted once."""

    @cache
    def give(spec: FamilySpec, mode: Mode) -> Path:
        directory = tmp_path_factory.mktemp(f"{spec.name}-{mode.value}")
        outcome = run_job(request_for(spec.name, mode), directory)
        return ModelRegistry(directory / "models").find(outcome.bundle)

    return give


@pytest.fixture(scope="module")
def fresh():
    """Return a function that fits a family in a mode once, on the cases of the bundle.

    It gives the fit, and copies of the cases that were made before it beside the cases.
    """

    @cache
    def give(spec: FamilySpec, mode: Mode):
        train, id_val = cases_for(mode, 60, seed=1), cases_for(mode, 30, seed=2)
        before = _copies(train) + _copies(id_val)
        return _fit(spec, mode, train, id_val), before, (train, id_val)

    return give


@pytest.fixture
def stored(where):
    """Return a function that opens the bundle of a family and mode."""
    return lambda spec, mode: open_bundle(where(spec, mode))


def _copies(cases: Cases) -> list[np.ndarray]:
    arrays = [cases.y_N, cases.cluster_N, cases.t_center_s_N]
    if cases.summary_NF is not None and isinstance(cases.sequences, ArraySequences):
        arrays += [cases.summary_NF, cases.sequences.x_NCT]
    return [array.copy() for array in arrays]


def _fit(spec: FamilySpec, mode: Mode, train: Cases, id_val: Cases, seed: int = 0):
    hyper_parameters = request_for(spec.name, mode).hyper_parameters
    return fit_family(spec, train, id_val, hyper_parameters=hyper_parameters, seed=seed)


def test_same_seed_gives_the_same_bytes(spec, mode, fresh):
    first, _, (train, id_val) = fresh(spec, mode)
    second = _fit(spec, mode, train, id_val)
    assert first.fitted.classifier.weights() == second.fitted.classifier.weights()
    assert first.temperature == second.temperature


def test_rows_are_distributions_in_float64(spec, mode, stored):
    p_NK = predict(stored(spec, mode), cases_for(mode, 17, seed=3))
    assert p_NK.shape == (17, 5)
    assert p_NK.dtype == np.float64
    assert np.all(p_NK >= 0)
    np.testing.assert_allclose(p_NK.sum(axis=1), 1.0, atol=1e-12)


def test_a_stored_model_predicts_what_the_fitted_one_did(spec, mode, stored, fresh):
    cases = cases_for(mode, 40, seed=4)
    found_NK = stored(spec, mode).classifier.predict_proba(cases)
    fitted = fresh(spec, mode)[0].fitted.classifier
    np.testing.assert_array_equal(found_NK, fitted.predict_proba(cases))


def test_inputs_are_left_alone(spec, mode, stored, fresh):
    _, before, (train, id_val) = fresh(spec, mode)
    predict(stored(spec, mode), train)
    for old, new in zip(before, _copies(train) + _copies(id_val), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_case_is_predicted_the_same_alone_and_in_company(spec, mode, stored):
    bundle, cases = stored(spec, mode), cases_for(mode, 9, seed=5)
    one = np.array([4])
    alone = Cases(
        y_N=cases.y_N[one],
        cluster_N=cases.cluster_N[one],
        t_center_s_N=cases.t_center_s_N[one],
        summary_NF=None if cases.summary_NF is None else cases.summary_NF[one],
        sequences=cases.sequences and ArraySequences(x_NCT=cases.sequences.gather(one)),
        n_classes=5,
    )
    np.testing.assert_allclose(predict(bundle, alone)[0], predict(bundle, cases)[4], atol=1e-6)


def test_no_cases_give_no_rows(spec, mode, stored):
    cases = cases_for(mode, 5)
    nothing = np.array([], dtype=np.int64)
    empty = Cases(
        y_N=nothing,
        cluster_N=nothing,
        t_center_s_N=np.array([]),
        summary_NF=None if cases.summary_NF is None else cases.summary_NF[nothing],
        sequences=cases.sequences and ArraySequences(x_NCT=cases.sequences.gather(nothing)),
        n_classes=5,
    )
    assert predict(stored(spec, mode), empty).shape == (0, 5)


@pytest.mark.parametrize("damage", [all_missing, lambda cases: without_channel(cases, 0)])
def test_missing_values_give_finite_distributions(spec, mode, stored, damage):
    p_NK = predict(stored(spec, mode), damage(cases_for(mode, 8, seed=6)))
    assert np.all(np.isfinite(p_NK))
    np.testing.assert_allclose(p_NK.sum(axis=1), 1.0)


def test_a_channel_that_train_never_saw_does_no_harm(spec, mode):
    train = without_channel(cases_for(mode, 60, seed=1), 1)
    done = _fit(spec, mode, train, without_channel(cases_for(mode, 30, seed=2), 1))
    assert np.all(np.isfinite(done.fitted.classifier.predict_proba(cases_for(mode, 8, seed=6))))


def test_classes_may_be_absent_from_either_slice(spec, mode):
    train = cases_for(mode, 60, seed=1, classes=(0, 3))
    id_val = cases_for(mode, 20, seed=2, classes=(2,))
    done = _fit(spec, mode, train, id_val)
    p_NK = done.fitted.classifier.predict_proba(cases_for(mode, 10, seed=3))
    assert p_NK.shape == (10, 5)
    assert np.all(np.isfinite(p_NK))
    assert done.temperature > 0


def test_two_classes_suffice(spec, mode):
    train = cases_for(mode, 40, seed=1, classes=(0, 1), n_classes=2)
    id_val = cases_for(mode, 20, seed=2, classes=(0, 1), n_classes=2)
    p_NK = _fit(spec, mode, train, id_val).fitted.classifier.predict_proba(id_val)
    assert p_NK.shape == (20, 2)


def test_what_is_in_the_training_set_is_learned(spec, mode):
    if spec.inputs is Inputs.NOTHING or spec.name == "grammar_only":
        pytest.skip("sees nothing to learn from: these windows are no neighbours of each other")
    network = spec.procedure is Procedure.NETWORK
    overrides = {"epochs": 20, "learning_rate": 0.01, "dropout": 0.0} if network else {}
    request = request_for(spec.name, mode, **overrides)
    train, id_val = (cases_for(mode, n, seed=n, n_informative=25) for n in (150, 50))
    done = fit_family(spec, train, id_val, hyper_parameters=request.hyper_parameters)
    learned = (done.fitted.id_val_macro_f1 or 0.0) > 0.6
    assert learned is not spec.permutes_labels


def test_cases_of_another_shape_are_refused_with_the_expected_one(spec, mode, stored):
    if not spec.modes or spec.inputs in (Inputs.TIME, Inputs.NOTHING):
        pytest.skip("has no channels to get wrong")
    bundle = stored(spec, mode)
    with pytest.raises(SchemaMismatchError) as caught:
        predict(bundle, make_cases(4, 7))
    assert str(bundle.header.n_channels) in caught.value.expected
    assert caught.value.expected != caught.value.found


def test_cases_without_the_view_are_refused(spec, mode, stored):
    if spec.inputs in (Inputs.TIME, Inputs.NOTHING):
        pytest.skip("needs no view")
    blind = replace(cases_for(mode, 4), summary_NF=None, sequences=None)
    with pytest.raises(ConfigurationError, match=spec.inputs.value):
        predict(stored(spec, mode), blind)


def test_a_flipped_channel_kind_is_refused_by_name(spec, mode, where):
    load1 = next(i for i, channel in enumerate(CHANNELS) if channel.name == "load1")
    flipped = tuple(
        replace(channel, kind=Kind.COUNTER) if i == load1 else channel
        for i, channel in enumerate(CHANNELS)
    )
    with pytest.raises(SchemaMismatchError, match=r"guest\.load1.*kind is 'gauge'"):
        open_bundle(where(spec, mode), schema=feature_schema_of(flipped))


def test_the_second_run_of_a_job_reuses_the_first(spec, mode, tmp_path):
    load = Loader(cases_for(mode, 60, seed=1), cases_for(mode, 30, seed=2))
    first = run_job(request_for(spec.name, mode), tmp_path, load)
    second = run_job(request_for(spec.name, mode), tmp_path, load)
    assert (first.reused, second.reused, load.calls) == (False, True, 1)
    assert (first.bundle, first.identity) == (second.bundle, second.identity)
    assert first.id_val_macro_f1 == second.id_val_macro_f1
