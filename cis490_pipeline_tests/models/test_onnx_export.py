"""Every exported model gives the probabilities of its bundle, on recorded windows and at edges."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
import xgboost
from onnx import helper

from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import members_of
from cis490_pipeline.edge.header import HEADER_FILE
from cis490_pipeline.edge.onnx_model import HEADER_KEY, open_onnx
from cis490_pipeline.errors import BundleError, ConfigurationError
from cis490_pipeline.models.bundle import open_bundle
from cis490_pipeline.models.classifier import CaseShape, Inputs
from cis490_pipeline.models.gbt import GbtClassifier
from cis490_pipeline.models.onnx_export import LARGEST_DIFFERENCE, export_bundle
from cis490_pipeline.models.predict import raw_cases
from cis490_pipeline.models.tree_graph import tree_graph
from cis490_pipeline.models.ubjson import decode_ubjson
from cis490_pipeline.models.views import channel_view
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline_tests.edge.exported import exported, fitted

EXPORTED = ("gbt", "mlp", "cnn", "gru", "lstm", "transformer", "bert")


def _recorded_cases(one, inputs=None):
    """Return the windows of some recorded episodes, as the model reads them, ``x_NCT``."""
    bundle = one.bundle
    inputs = inputs or bundle.spec.inputs
    members = members_of(episode_facts(one.warehouse))
    cases = load_cases(
        one.warehouse,
        (*members[:3], *members[-3:]),
        bundle.header.mode,
        summary=inputs is Inputs.SUMMARY,
        sequences=inputs is Inputs.SEQUENCE,
        context=bundle.header.context,
    ).cases
    view = channel_view(cases, inputs)
    return np.ascontiguousarray(view.gather(np.arange(cases.n_cases)))


def _holed(x_NCT, seed=0):
    """Return the cases with values, channels and one whole case missing."""
    generator = np.random.default_rng(seed)
    holed = x_NCT.copy()
    holed[generator.random(x_NCT.shape) < 0.1] = np.nan
    holed[generator.random(x_NCT.shape[:2]) < 0.3] = np.nan
    holed[0] = np.nan
    return holed


def _both(one, x_NCT):
    bundle = one.bundle
    expected = bundle.classifier.predict_proba(raw_cases(x_NCT, 5))
    return open_onnx(one.onnx).probabilities(x_NCT), expected


@pytest.mark.parametrize("context", [Context.NONE, Context.RECENT])
@pytest.mark.parametrize("mode", [Mode.REALISTIC, Mode.ORACLE])
@pytest.mark.parametrize("name", EXPORTED)
def test_recorded_windows_get_the_same_probabilities(tmp_path_factory, name, mode, context):
    one = exported(tmp_path_factory, name, mode, context)
    x_NCT = _recorded_cases(one)
    assert len(x_NCT) > 50
    for cases in (x_NCT, _holed(x_NCT)):
        found, expected = _both(one, cases)
        assert np.abs(found - expected).max() <= LARGEST_DIFFERENCE
    assert np.ptp(expected[:, 0]) > 0  # the model does see something


@pytest.mark.parametrize("context", [Context.NONE, Context.RECENT])
def test_a_blend_gets_the_same_probabilities_from_both_views(tmp_path_factory, context):
    one = exported(tmp_path_factory, "blend", Mode.REALISTIC, context)
    views = [_recorded_cases(one, inputs) for inputs in (Inputs.SEQUENCE, Inputs.SUMMARY)]
    trees, network = one.bundle.classifier.members
    for x_NCT, columns_NG1 in (views, [_holed(view) for view in views]):
        columns_NG = columns_NG1[:, :, 0]
        found = open_onnx(one.onnx).probabilities(x_NCT, columns_NG)
        cases = raw_cases(x_NCT, 5, columns_NG=columns_NG)
        assert np.abs(found - one.bundle.classifier.predict_proba(cases)).max() <= 1e-4
        mean = (trees.predict_proba(cases) + network.predict_proba(cases)) / 2
        assert np.abs(found - mean).max() <= LARGEST_DIFFERENCE
        assert np.abs(trees.predict_proba(cases) - network.predict_proba(cases)).max() > 0.01


@pytest.mark.parametrize("name", ["gbt", "gru"])
def test_one_case_or_many_is_the_same(tmp_path_factory, name):
    one = exported(tmp_path_factory, name)
    x_NCT = _recorded_cases(one)[:9]
    model = open_onnx(one.onnx)
    together = model.probabilities(x_NCT)
    alone = np.concatenate([model.probabilities(x_NCT[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_a_value_at_a_threshold_goes_the_same_way(tmp_path_factory):
    one = exported(tmp_path_factory, "gbt")
    bundle = one.bundle
    tree: dict[str, Any] = decode_ubjson(bundle.classifier.weights()["booster.ubj"])
    trees = tree["learner"]["gradient_booster"]["model"]["trees"]
    x_NCT = np.full((3 * len(trees), bundle.header.n_channels, 1), np.nan, dtype=np.float32)
    for i, one_tree in enumerate(trees):
        column, at = one_tree["split_indices"][0], np.float32(one_tree["split_conditions"][0])
        below, above = np.nextafter(at, -np.inf), np.nextafter(at, np.inf)
        x_NCT[3 * i : 3 * i + 3, column, 0] = (below, at, above)
    found, expected = _both(one, x_NCT)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    # the three do not all go the same way, so that the comparison means something
    assert any(np.ptp(expected[3 * i : 3 * i + 3], axis=0).max() > 1e-6 for i in range(len(trees)))


def test_trees_beyond_the_best_round_and_base_margins_are_as_xgboost_has_them():
    generator = np.random.default_rng(0)
    x_NF = generator.normal(size=(400, 6)).astype(np.float32)
    x_NF[generator.random(x_NF.shape) < 0.2] = np.nan
    y_N = generator.choice(3, 400, p=[0.7, 0.2, 0.1])
    data = xgboost.DMatrix(x_NF, y_N)
    parameters = {"objective": "multi:softprob", "num_class": 3, "max_depth": 3, "nthread": 1}
    booster = xgboost.train(parameters, data, 20)[:7]
    classifier = GbtClassifier(booster=booster)
    shape = CaseShape(n_channels=6, n_timepoints=1, n_classes=3)
    graph = tree_graph(classifier.weights()["booster.ubj"], shape)
    import onnxruntime

    session = onnxruntime.InferenceSession(graph.SerializeToString())
    found = np.asarray(session.run(None, {"x": x_NF[:, :, np.newaxis]})[0])
    np.testing.assert_allclose(found, booster.predict(data), atol=1e-6)
    assert booster.num_boosted_rounds() == 7


def test_the_file_carries_the_header_of_its_bundle_byte_for_byte(tmp_path_factory):
    one = exported(tmp_path_factory, "cnn", context=Context.RECENT)
    model = onnx.load(one.onnx)
    (entry,) = model.metadata_props
    assert entry.key == HEADER_KEY
    assert entry.value.encode() == (one.directory / HEADER_FILE).read_bytes()
    opened = open_onnx(one.onnx)
    assert opened.bundle == one.directory.name
    assert opened.header == one.bundle.header


def test_the_same_bundle_gives_the_same_file(tmp_path_factory, tmp_path):
    for name in ("gbt", "transformer"):
        one = exported(tmp_path_factory, name)
        again = tmp_path / f"{name}.onnx"
        facts = export_bundle(one.bundle, again)
        assert again.read_bytes() == one.onnx.read_bytes()
        assert facts.n_bytes == again.stat().st_size
        assert 0 < facts.max_abs_diff <= LARGEST_DIFFERENCE


@pytest.mark.parametrize(("name", "mode"), [("logistic", Mode.REALISTIC), ("majority", Mode.ANY)])
def test_a_family_without_a_graph_says_which_have_one(tmp_path_factory, tmp_path, name, mode):
    _, directory = fitted(tmp_path_factory, FitOptions(family=name, mode=mode))
    with pytest.raises(ConfigurationError, match=f"(?s)no ONNX form.*gbt, a network.*{name}"):
        export_bundle(open_bundle(directory), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


class _Wrong:
    """A classifier whose graph says something else than it does."""

    def __init__(self, classifier):
        self._classifier = classifier

    def predict_proba(self, cases):
        return self._classifier.predict_proba(cases)

    def weights(self):
        return self._classifier.weights()

    def onnx_graph(self, shape):
        model = self._classifier.onnx_graph(shape)
        model.graph.node[-1].output[0] = "true_p"
        model.graph.node.append(helper.make_node("Softmax", ["true_p"], ["p"], axis=1))
        return model


def test_a_graph_that_computes_something_else_is_not_written(tmp_path_factory, tmp_path):
    bundle = exported(tmp_path_factory, "gbt").bundle
    wrong = replace(bundle, classifier=_Wrong(bundle.classifier))
    with pytest.raises(BundleError, match="does not compute what the bundle does"):
        export_bundle(wrong, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
