"""A device says what evaluation wrote of the same episode and bundle, window by window."""

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmRule, AlarmState
from cis490_pipeline.edge.detector import Detector, strides
from cis490_pipeline.edge.onnx_model import open_onnx
from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.bundle import open_bundle
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.onnx_export import export_bundle
from cis490_pipeline.models.predict import window_scorer
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import N_CHANNELS, Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS, Table
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline_tests.conformance.factory import quick, request_for, run_job
from cis490_pipeline_tests.datasets.farm import ingest, ship
from cis490_pipeline_tests.datasets.smoke import CORPUS, SPLIT, fit, plan, score
from cis490_pipeline_tests.edge.exported import EPISODE, exported, fitted

BUNDLES = [
    ("gbt", Mode.REALISTIC, Context.NONE),
    ("gbt", Mode.ORACLE, Context.RECENT),
    ("mlp", Mode.REALISTIC, Context.RECENT),
    ("transformer", Mode.REALISTIC, Context.RECENT),
    ("cnn", Mode.REALISTIC, Context.COMMISSIONED),
    ("lstm", Mode.ORACLE, Context.NONE),
    ("blend", Mode.REALISTIC, Context.RECENT),
    ("blend", Mode.REALISTIC, Context.COMMISSIONED),
]


def _said(header, scorer, path):
    """Return verdicts and alarm of a detector on a tarball."""
    detector = Detector(header, scorer)
    verdicts = [detector.update(new_TC) for new_TC in strides(read_recording(path).x_TC)]
    return verdicts, detector.alarm_s


def _written(warehouse, bundle):
    """Return what evaluation wrote, by episode and window."""
    rows = warehouse.tables.read(Table.PREDICTIONS, where=pc.field("bundle") == bundle)
    columns = [rows[name].to_numpy() for name in PROBABILITY_COLUMNS]
    keys = zip(rows["episode_id"].to_pylist(), rows["window"].to_pylist(), strict=True)
    return dict(zip(keys, np.stack(columns, axis=1), strict=True))


def _assert_as_written(warehouse, opened, scorer, atol):
    score(warehouse, SPLIT, FitOptions(family=opened.spec.name, mode=opened.header.mode))
    written = _written(warehouse, opened.sha256)
    paths = sorted((CORPUS / "episodes" / "lab-b").glob("*.tar.zst"))
    tested = [path for path in paths if (path.name.partition(".")[0], 0) in written][:4]
    assert len(tested) == 4
    for path in tested:
        name = path.name.partition(".")[0]
        verdicts, _ = _said(opened.header, scorer, path)
        assert {one.window for one in verdicts} >= {w for e, w in written if e == name}
        for one in verdicts:
            np.testing.assert_allclose(one.p_K, written[name, one.window], rtol=0, atol=atol)


@pytest.mark.parametrize(("name", "mode", "context"), BUNDLES)
def test_a_bundle_and_its_export_say_what_evaluation_wrote(tmp_path_factory, name, mode, context):
    one = exported(tmp_path_factory, name, mode, context)
    opened = one.bundle
    assert (opened.header.phase_filter is None) == (context is Context.NONE)
    _assert_as_written(one.warehouse, opened, window_scorer(opened), atol=1e-6)
    _assert_as_written(one.warehouse, opened, open_onnx(one.onnx).score, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "mode", "context"),
    [
        ("elapsed_time", Mode.ANY, Context.NONE),
        ("grammar_only", Mode.ANY, Context.NONE),
        ("logistic", Mode.REALISTIC, Context.COMMISSIONED),
    ],
)
def test_what_has_no_export_is_served_from_its_bundle_all_the_same(
    tmp_path_factory, name, mode, context
):
    options = FitOptions(family=name, mode=mode, context=context)
    warehouse, directory = fitted(tmp_path_factory, options)
    opened = open_bundle(directory)
    _assert_as_written(warehouse, opened, window_scorer(opened), atol=1e-6)


def test_a_verdict_does_not_change_with_what_comes_after(tmp_path_factory):
    one = exported(tmp_path_factory, "transformer", context=Context.RECENT)
    scorer = open_onnx(one.onnx).score
    x_TC = read_recording(EPISODE).x_TC
    changed_TC = x_TC.copy()
    changed_TC[400:] = 1e6
    first, second = (
        [detector.update(new_TC).p_K for new_TC in strides(grid_TC)]
        for detector, grid_TC in (
            (Detector(one.bundle.header, scorer), x_TC),
            (Detector(one.bundle.header, scorer), changed_TC),
        )
    )
    np.testing.assert_array_equal(first[:7], second[:7])  # window 6 ends at tick 400
    assert np.abs(first[7] - second[7]).max() > 0


def test_an_oracle_channel_changes_nothing_in_the_realistic_mode(tmp_path_factory):
    for name in ("gbt", "transformer"):
        one = exported(tmp_path_factory, name, context=Context.RECENT)
        scorer = open_onnx(one.onnx).score
        x_TC = read_recording(EPISODE).x_TC
        poisoned_TC = x_TC.copy()
        poisoned_TC[:, :13] = 1e30
        detectors = [Detector(one.bundle.header, scorer) for _ in range(2)]
        for new_TC, poison_TC in zip(strides(x_TC), strides(poisoned_TC), strict=True):
            clean, poison = detectors[0].update(new_TC), detectors[1].update(poison_TC)
            np.testing.assert_array_equal(clean.p_K, poison.p_K)


def test_the_alarm_is_that_of_the_finished_probabilities(tmp_path_factory):
    one = exported(tmp_path_factory, "gbt", context=Context.RECENT)
    header = one.bundle.header
    rule = AlarmRule(
        policy=AlarmPolicy(), threshold=0.5, reason="", n_episodes=1, n_false=0, clean_s=5.0
    )
    verdicts, alarm_s = _said(replace(header, alarm=rule), open_onnx(one.onnx).score, EPISODE)
    state = AlarmState(rule)
    rings = [state.update(verdict.window, 1 - verdict.p_K[0]) for verdict in verdicts]
    assert [verdict.rings for verdict in verdicts] == rings
    assert alarm_s is not None
    assert alarm_s == state.raised_s == verdicts[rings.index(True)].t_center_s + 5.0


def test_ticks_that_complete_no_window_are_refused(tmp_path_factory):
    one = exported(tmp_path_factory, "gbt")
    detector = Detector(one.bundle.header, window_scorer(one.bundle))
    with pytest.raises(ValueError, match=r"expected ticks \[100, 46\], found \(50, 46\)"):
        detector.update(np.zeros((50, N_CHANNELS), dtype=np.float32))
    detector.update(np.zeros((100, N_CHANNELS), dtype=np.float32))
    with pytest.raises(ValueError, match=r"expected ticks \[50, 46\]"):
        detector.update(np.zeros((100, N_CHANNELS), dtype=np.float32))


def test_a_model_of_other_cases_than_windows_is_refused(tmp_path):
    outcome = run_job(request_for("cnn", Mode.REALISTIC), tmp_path)  # cases of 20 timepoints
    opened = open_bundle(tmp_path / "models" / outcome.bundle)
    with pytest.raises(BundleError, match=r"does not take the windows.*\(25, 20, 0\)"):
        Detector(opened.header, window_scorer(opened))


@pytest.fixture(scope="module")
def gappy(tmp_path_factory):
    """Return a store and a warehouse of twelve episodes that failed on the way and went on."""
    root = tmp_path_factory.mktemp("gappy")
    phases = ("clean", "failed", "armed", "infecting", "failed", "infected_running", "dormant")
    for number in range(24):
        host = ("lab-a", "lab-b")[number % 2]
        ship(root / "store", host, number, "io-walk", seconds=150, phases=phases)
    warehouse = ingest(root / "store", root / "data", "lab-a", "lab-b")
    plan(warehouse, SPLIT)
    return root / "store", warehouse


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("gbt", Context.NONE),
        ("gbt", Context.RECENT),
        ("cnn", Context.COMMISSIONED),
        ("grammar_only", Context.NONE),
    ],
)
def test_windows_without_a_label_are_seen_by_the_filter_on_a_device_and_in_evaluation(
    gappy, name, context
):
    store, warehouse = gappy
    mode = Mode.ANY if name == "grammar_only" else Mode.REALISTIC
    options = FitOptions(
        family=name,
        mode=mode,
        context=context,
        phase_filter=True,
        overrides=quick(family(name)),
    )
    directory = ModelRegistry(warehouse.layout.models).find(fit(warehouse, SPLIT, options))
    opened = open_bundle(directory)
    score(warehouse, SPLIT, options)
    written = _written(warehouse, opened.sha256)
    for path in sorted((store / "episodes" / "lab-b").glob("*.tar.zst"))[:3]:
        verdicts, _ = _said(opened.header, window_scorer(opened), path)
        labelled = [v for v in verdicts if (path.name.partition(".")[0], v.window) in written]
        gaps = {v.window for v in verdicts} - {v.window for v in labelled}
        assert gaps, "nothing failed on the way"
        assert min(gaps) < labelled[-1].window
        for one in labelled:
            wanted = written[path.name.partition(".")[0], one.window]
            np.testing.assert_allclose(one.p_K, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["gbt", "cnn"])
def test_a_transductive_model_is_neither_served_nor_exported(tmp_path_factory, tmp_path, name):
    overrides = {"rounds": 2} if name == "gbt" else {"filters": 8, "blocks": 2, "epochs": 1}
    options = FitOptions(
        family=name, mode=Mode.REALISTIC, context=Context.TRANSDUCTIVE, overrides=overrides
    )
    _, directory = fitted(tmp_path_factory, options)
    opened = open_bundle(directory)
    for refused in (
        lambda: Detector(opened.header, window_scorer(opened)),
        lambda: export_bundle(opened, tmp_path / "model.onnx"),
    ):
        with pytest.raises(BundleError, match="a device cannot serve this context") as caught:
            refused()
        assert "all of the test host's unlabelled windows" in caught.value.found
        assert "--context recent" in caught.value.todo
    assert not (tmp_path / "model.onnx").exists()


def test_no_ticks_give_no_windows():
    assert list(strides(np.empty((99, N_CHANNELS), dtype=np.float32))) == []
