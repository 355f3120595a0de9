"""Families that compute with plain arrays: neighbours, self-training, bounds, hostile weights."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy

from cis490_pipeline.datasets.cases import ArraySequences
from cis490_pipeline.errors import BundleError, ConfigurationError
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import CaseShape, Compute, StoredModel
from cis490_pipeline.models.knn_semi import labelled_cases
from cis490_pipeline.models.subsample import class_quota, subsample
from cis490_pipeline.models.tensor_weights import WEIGHTS_FILE
from cis490_pipeline.models.views import shape_of
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline.training.request import hyper_parameters_from_overrides
from cis490_pipeline_tests.conformance.factory import make_cases, quick

NAMES = ["knn", "knn_semi", "logistic", "minirocket"]
TRAIN, ID_VAL = make_cases(60, 3, seed=1), make_cases(30, 3, seed=2)


def fitted(name: str, **overrides: object):
    chosen = hyper_parameters_from_overrides(name, {**quick(family(name)), **overrides})
    done = fit_family(family(name), TRAIN, ID_VAL, hyper_parameters=chosen)
    return done.fitted.classifier


def reopened(name: str, arrays: dict[str, np.ndarray] | bytes, n_timepoints: int = 20):
    spec = family(name)
    raw = arrays if isinstance(arrays, bytes) else safetensors.numpy.save(arrays)
    shape = replace(shape_of(TRAIN, spec.inputs), n_classes=5)
    stored = StoredModel(
        files={WEIGHTS_FILE: raw},
        shape=shape,
        hyper_parameters=spec.hyper_parameters,
        compute=Compute(),
    )
    return spec.load(stored)


@pytest.fixture(scope="module", params=NAMES)
def weights(request):
    """Name and arrays of a fitted family."""
    return request.param, safetensors.numpy.load(fitted(request.param).weights()[WEIGHTS_FILE])


def test_sound_weights_are_taken(weights) -> None:
    name, arrays = weights
    expected = fitted(name).predict_proba(ID_VAL)
    np.testing.assert_array_equal(reopened(name, arrays).predict_proba(ID_VAL), expected)


@pytest.mark.parametrize("change", ["absent", "surplus", "dtype", "nan", "shape", "ndim"])
def test_other_arrays_are_refused(weights, change: str) -> None:
    name, arrays = weights
    for key, array in arrays.items():
        changed = dict(arrays)
        if change == "absent":
            del changed[key]
        elif change == "surplus":
            changed["more"] = np.zeros(3)
        elif change == "dtype":
            changed[key] = array.astype(np.float16)
        elif change == "nan":
            if array.dtype.kind != "f":
                continue
            changed[key] = np.full_like(array, np.nan)
        elif change == "shape":
            changed[key] = np.concatenate((array, array))
        else:
            changed[key] = array[None]
        with pytest.raises(BundleError):
            reopened(name, changed)


@pytest.mark.parametrize("raw", [b"", b"\xff" * 20, b"\x80\x04.", b"\x00" * 8 + b"{}"])
def test_files_that_are_no_arrays_are_refused(weights, raw: bytes) -> None:
    with pytest.raises(BundleError):
        reopened(weights[0], raw)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("channel", -1),
        ("channel", 3),
        ("dilation", 0),
        ("dilation", 3),
        ("channels_per_kernel", 0),
        ("channels_per_kernel", 2**30),
        ("features_per_dilation", 0),
        ("features_per_dilation", 2**30),
    ],
)
def test_kernels_that_would_read_elsewhere_are_refused(key: str, value: int) -> None:
    arrays = safetensors.numpy.load(fitted("minirocket").weights()[WEIGHTS_FILE])
    changed = arrays[key].copy()
    changed[-1] = value
    with pytest.raises(BundleError, match="kernels"):
        reopened("minirocket", {**arrays, key: changed})


@pytest.mark.parametrize(
    ("key", "value"), [("code", 5), ("code", -1), ("n_neighbours", 0), ("class_weight", -1.0)]
)
def test_references_without_a_class_or_a_vote_are_refused(key: str, value: float) -> None:
    arrays = safetensors.numpy.load(fitted("knn").weights()[WEIGHTS_FILE])
    changed = arrays[key].copy()
    changed[0] = value
    with pytest.raises(BundleError):
        reopened("knn", {**arrays, key: changed})


def test_neighbours_are_those_of_the_mean_distance_over_shared_features() -> None:
    model = fitted("knn", neighbours=1)
    p_NK = model.predict_proba(TRAIN)
    assert (p_NK.argmax(axis=1) == TRAIN.y_N).all()  # every training case is its own neighbour
    columns = model.columns
    part = columns.take(np.array([7]))
    shared_R = part.present_ND[0] * columns.present_ND
    distance_R = np.sqrt(
        (shared_R * (part.z_ND[0] - columns.z_ND) ** 2).sum(axis=1) / shared_R.sum(axis=1)
    )
    vote_K = np.bincount(TRAIN.y_N, 1 / (distance_R + 0.05) * (distance_R.argsort().argsort() < 3))
    found_K = replace(model, n_neighbours=3).vote(part)[0]
    np.testing.assert_allclose(found_K, 0.99 * vote_K / vote_K.sum() + 0.002, atol=1e-5)


def test_the_votes_of_millions_come_from_a_bounded_number_of_references() -> None:
    model = fitted("knn", most_references=25)
    assert model.code_R.size == len(model.columns.z_ND) == 25
    assert np.bincount(model.code_R).tolist() == [5] * 5


def test_rare_classes_are_kept_whole() -> None:
    assert class_quota(np.array([1000, 0, 2, 500]), 102).tolist() == [50, 0, 2, 50]
    y_N = np.repeat([0, 2, 3], [1000, 2, 500])
    kept = subsample(y_N, 102, seed=0)
    assert np.bincount(y_N[kept]).tolist() == [50, 0, 2, 50]
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(subsample(y_N, 5000, seed=0), np.arange(y_N.size))


@pytest.mark.parametrize("seed", range(5))
def test_whole_episodes_keep_their_labels_and_every_class_stays_known(seed: int) -> None:
    cluster_N = np.repeat(np.arange(20), 6)
    y_N = np.where(cluster_N == 13, 4, np.arange(120) % 3)
    known_N = labelled_cases(cluster_N, y_N, 0.25, seed=seed)
    by_episode = known_N.reshape(20, 6)
    assert (by_episode.all(axis=1) == by_episode.any(axis=1)).all()
    assert 5 <= by_episode.any(axis=1).sum() <= 6
    assert set(y_N[known_N]) == {0, 1, 2, 4}


def test_self_training_uses_no_label_of_the_unlabelled_episodes() -> None:
    train, id_val = (make_cases(n, 3, seed=n, n_informative=3) for n in (60, 30))
    known_N = labelled_cases(train.cluster_N, train.y_N, 0.5, seed=0)
    assert 0 < known_N.sum() < known_N.size
    lied = replace(train, y_N=np.where(known_N, train.y_N, (train.y_N + 1) % 5))
    first, second = (
        fit_family(family("knn_semi"), cases, id_val).fitted.classifier for cases in (train, lied)
    )
    assert first.weights() == second.weights()
    assert first.code_R.size > known_N.sum()  # and some of them have been labelled


def test_minirocket_without_aeon_says_what_to_install(monkeypatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "aeon"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aeon", None)
    with pytest.raises(ConfigurationError, match=r"aeon.*cis490-pipeline\[rocket\]"):
        fitted("minirocket")


def test_minirocket_leaves_the_global_generator_alone() -> None:
    np.random.seed(3)
    expected = np.random.random(3)
    np.random.seed(3)
    fitted("minirocket")
    np.testing.assert_array_equal(np.random.random(3), expected)


def test_cases_too_short_for_a_kernel_or_without_any_motion_are_fitted() -> None:
    for change in (slice(None, 4), slice(None)):
        x_NCT = TRAIN.sequences.gather(np.arange(60))[:, :, change]
        flat = x_NCT if x_NCT.shape[2] == 4 else np.ones_like(x_NCT)
        train = replace(TRAIN, sequences=ArraySequences(x_NCT=flat))
        chosen = hyper_parameters_from_overrides("minirocket", {"kernels": 84})
        done = fit_family(family("minirocket"), train, train, hyper_parameters=chosen)
        assert np.isfinite(done.fitted.classifier.predict_proba(train)).all()


def test_a_huge_number_of_classes_in_a_header_is_refused(weights) -> None:
    name, arrays = weights
    spec = family(name)
    stored = StoredModel(
        files={WEIGHTS_FILE: safetensors.numpy.save(arrays)},
        shape=CaseShape(n_channels=1_000_000, n_timepoints=1_000_000, n_classes=10_000),
        hyper_parameters=spec.hyper_parameters,
        compute=Compute(),
    )
    with pytest.raises(BundleError):
        spec.load(stored)
