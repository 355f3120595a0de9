"""Bundles round-trip, and everything that is not exactly a bundle of ours is refused."""

import contextlib
import hashlib
import json
import os
import struct
from dataclasses import replace

import msgspec
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cis490_pipeline.edge.header import (
    FORMAT_VERSION,
    HEADER_FILE,
    FileFacts,
    decode_header,
    encode_header,
)
from cis490_pipeline.errors import BundleError, SchemaMismatchError
from cis490_pipeline.models.bundle import open_bundle, pack_bundle, read_header, shape_in
from cis490_pipeline.models.classifier import Compute, StoredModel
from cis490_pipeline.models.gbt import GBT
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline_tests.conformance.factory import make_cases, request_for, run_job


def _fitted(tmp_path_factory, name, mode):
    directory = tmp_path_factory.mktemp(name)
    outcome = run_job(request_for(name, mode), directory)
    path = ModelRegistry(directory / "models").find(outcome.bundle)
    _, header = read_header(path)
    return header, {file: (path / file).read_bytes() for file in header.files}


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    return _fitted(tmp_path_factory, "cnn", Mode.REALISTIC)


@pytest.fixture(scope="module")
def gbt(tmp_path_factory):
    return _fitted(tmp_path_factory, "gbt", Mode.REALISTIC)


@pytest.fixture(scope="module")
def majority(tmp_path_factory):
    return _fitted(tmp_path_factory, "majority", Mode.ANY)


def lay(root, header_bytes, files, name=None):
    directory = root / (name or hashlib.sha256(header_bytes).hexdigest())
    directory.mkdir(parents=True, exist_ok=True)
    (directory / HEADER_FILE).write_bytes(header_bytes)
    for file, data in files.items():
        (directory / file).write_bytes(data)
    return directory


def lay_packed(root, header, weights):
    address, files = pack_bundle(header, weights)
    return lay(root, files.pop(HEADER_FILE), files, address)


def test_a_bundle_is_named_by_its_header_and_names_its_files(cnn, tmp_path):
    header, weights = cnn
    directory = lay_packed(tmp_path, header, weights)
    bundle = open_bundle(directory)
    assert bundle.sha256 == hashlib.sha256((directory / HEADER_FILE).read_bytes()).hexdigest()
    assert bundle.header == header
    assert bundle.classifier.weights() == weights


def test_the_header_carries_the_whole_schema_and_the_training_ids(cnn):
    header, _ = cnn
    assert len(header.schema.channels) == 46
    assert header.training_ids_hash == "b" * 64
    assert (header.n_channels, header.n_timepoints, len(header.labels)) == (25, 20, 5)


def test_opening_through_a_link_checks_the_real_name(majority, tmp_path):
    directory = lay_packed(tmp_path / "models", *majority)
    (tmp_path / "latest").symlink_to(directory)
    assert open_bundle(tmp_path / "latest").sha256 == directory.name


def test_a_renamed_bundle_is_refused(majority, tmp_path):
    _, files = pack_bundle(*majority)
    header_bytes = files.pop(HEADER_FILE)
    with pytest.raises(BundleError, match="name is not the hash"):
        open_bundle(lay(tmp_path, header_bytes, files, "0" * 64))


def test_changed_weights_are_refused(majority, tmp_path):
    directory = lay_packed(tmp_path, *majority)
    path = directory / "weights.json"
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(BundleError, match="content differs"):
        open_bundle(directory)


@pytest.mark.parametrize("change", ["absent", "longer", "link", "fifo", "directory"])
def test_files_that_are_not_what_the_header_says_are_refused(majority, tmp_path, change):
    directory = lay_packed(tmp_path, *majority)
    path = directory / "weights.json"
    data = path.read_bytes()
    path.unlink()
    if change == "longer":
        path.write_bytes(data + b" ")
    elif change == "link":
        (tmp_path / "elsewhere").write_bytes(data)
        path.symlink_to(tmp_path / "elsewhere")
    elif change == "fifo":
        os.mkfifo(path)
    elif change == "directory":
        path.mkdir()
    with pytest.raises(BundleError):
        open_bundle(directory)


def test_a_directory_without_header_is_refused(tmp_path):
    with pytest.raises(BundleError, match="cannot be read"):
        open_bundle(tmp_path)


@pytest.mark.parametrize(
    "name", ["../weights.json", "/etc/passwd", "a/b", "..", ".hidden", "", "a\n", HEADER_FILE]
)
def test_file_names_that_leave_the_directory_are_refused(majority, tmp_path, name):
    header, _ = majority
    facts = FileFacts(sha256="0" * 64, bytes=3)
    encoded = encode_header(replace(header, files={name: facts}))
    with pytest.raises(BundleError, match="plain name"):
        open_bundle(lay(tmp_path, encoded, {}))


def _with(header, **changes):
    raw = json.loads(encode_header(header))
    return msgspec.json.encode({**raw, **changes})


@pytest.mark.parametrize("version", [0, 2, FORMAT_VERSION + 1, "3", None, [1], 10**30])
def test_a_foreign_format_version_is_refused_before_anything_else(majority, tmp_path, version):
    encoded = json.dumps({"format_version": version, "schema": "?"}).encode()
    with pytest.raises(BundleError, match="format version"):
        open_bundle(lay(tmp_path, encoded, {}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"surplus": 1}, "canonical"),
        ({"seed": "0"}, "other fields"),
        ({"mode": "psychic"}, "other fields"),
        ({"context": "future"}, "other fields"),
        ({"context": "recent"}, "context that the family"),
        ({"labels": ["clean"]}, "distinct classes"),
        ({"labels": ["clean", "clean"]}, "distinct classes"),
        ({"calibration": {"temperature": 0.0}}, "other fields"),
        ({"calibration": {"temperature": -1.0}}, "other fields"),
        ({"calibration": {"temperature": None}}, "other fields"),
        ({"schema_fingerprint": "0" * 64}, "fingerprint"),
        ({"schema_fingerprint": "0" * 64 + "\n"}, "other fields"),
        ({"family": "os.system"}, "family unknown"),
        ({"mode": "oracle"}, "mode that the family"),
        ({"hyper_parameters": {"depth": 3}}, "unknown hyper-parameter"),
        ({"n_channels": -1}, "other fields"),
        ({"files": {"w.json": {"sha256": "0" * 64, "bytes": 1 << 40}}}, "other fields"),
        ({"files": {}}, "weights are absent"),
        ({"search": [{"identity": "0" * 64}]}, "other fields"),
    ],
)
def test_headers_that_this_code_would_not_write_are_refused(majority, tmp_path, changes, reason):
    header, weights = majority
    with pytest.raises(BundleError, match=reason):
        open_bundle(lay(tmp_path, _with(header, **changes), weights))


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b" " * ((1 << 20) + 1)],
    ids=["empty", "list", "torn", "not-utf8", "deep-list", "deep-object", "large"],
)
def test_headers_that_are_no_json_objects_are_refused(tmp_path, data):
    with pytest.raises(BundleError):
        open_bundle(lay(tmp_path, data, {}))


def test_a_doubled_key_is_refused(majority, tmp_path):
    header, weights = majority
    encoded = encode_header(header)
    with pytest.raises(BundleError, match="canonical"):
        open_bundle(lay(tmp_path, encoded[:-1] + b',"seed":1}', weights))


def test_another_schema_is_refused_with_the_first_difference(majority, tmp_path):
    header, weights = majority
    other = replace(header.schema, window_ticks=50)
    header = replace(header, schema=other, schema_fingerprint=other.fingerprint)
    with pytest.raises(SchemaMismatchError, match="window_ticks is 50 in the artifact, 100 here"):
        open_bundle(lay_packed(tmp_path, header, weights))


@pytest.mark.parametrize("schema", [None, 3, {}, {"channels": "all"}])
def test_something_that_is_no_schema_is_a_mismatch(majority, tmp_path, schema):
    header, weights = majority
    with pytest.raises(SchemaMismatchError, match="not a feature schema"):
        open_bundle(lay(tmp_path, _with(header, schema=schema), weights))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(position=st.integers(min_value=0), value=st.integers(min_value=0, max_value=255))
def test_no_changed_byte_of_a_header_escapes_the_tree_of_errors(majority, position, value):
    header, _ = majority
    data = bytearray(encode_header(header))
    data[position % len(data)] = value
    try:
        found = decode_header(bytes(data), where="here")
    except (BundleError, SchemaMismatchError):
        return
    assert encode_header(found) == bytes(data)


def _tensors(weights):
    return safetensors.torch.load(weights["weights.safetensors"])


def _header_of(length, text):
    return {"weights.safetensors": struct.pack("<Q", length) + text}


@pytest.mark.parametrize(
    "weights",
    [
        {"weights.safetensors": b""},
        {"weights.safetensors": b"\x80\x04cos\nsystem\n."},
        _header_of(1 << 60, b"{}"),
        _header_of(1 << 21, b"{}"),
        _header_of(2, b"[]"),
        _header_of(64, b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999]}}   '),
        _header_of(64, b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}          '),
        {"other.safetensors": b"{}"},
    ],
)
def test_abused_safetensors_are_refused(cnn, tmp_path, weights):
    header, _ = cnn
    with pytest.raises(BundleError):
        open_bundle(lay_packed(tmp_path, header, weights))


@pytest.mark.parametrize("change", ["absent", "surplus", "shape", "dtype", "nan"])
def test_tensors_of_another_network_are_refused(cnn, tmp_path, change):
    header, weights = cnn
    tensors = _tensors(weights)
    name = "standardise.center"
    if change == "absent":
        del tensors[name]
    elif change == "surplus":
        tensors["more"] = torch.zeros(1)
    elif change == "shape":
        tensors[name] = tensors[name][:-1].clone()
    elif change == "dtype":
        tensors[name] = tensors[name].double()
    else:
        tensors[name][0] = float("nan")
    packed = {"weights.safetensors": safetensors.torch.save(tensors)}
    with pytest.raises(BundleError, match="another network"):
        open_bundle(lay_packed(tmp_path, header, packed))


def test_a_header_that_asks_for_a_huge_network_costs_no_memory(cnn, tmp_path):
    header, weights = cnn
    huge = {**header.hyper_parameters, "filters": 1024, "blocks": 16, "kernel": 63}
    header = replace(header, hyper_parameters=huge, n_channels=1_000_000)
    with pytest.raises(BundleError, match="another network"):
        open_bundle(lay_packed(tmp_path, header, weights))


@pytest.mark.parametrize("change", [{"kernel": 4}, {"filters": 10**9}, {"filters": "many"}])
def test_hyper_parameters_out_of_bounds_are_refused(cnn, tmp_path, change):
    header, weights = cnn
    header = replace(header, hyper_parameters={**header.hyper_parameters, **change})
    with pytest.raises(BundleError, match="out of bounds"):
        open_bundle(lay_packed(tmp_path, header, weights))


def _with_tree(weights, change):
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(weights["booster.ubj"]))
    model = json.loads(bytes(booster.save_raw("json")))
    change(model["learner"])
    hostile = xgboost.Booster()
    hostile.load_model(bytearray(json.dumps(model).encode()))
    return {"booster.ubj": bytes(hostile.save_raw("ubj"))}


def _tree(learner):
    trees = learner["gradient_booster"]["model"]["trees"]
    return next(tree for tree in trees if len(tree["left_children"]) >= 3)


def _child_out_of_range(learner):
    _tree(learner)["left_children"][0] = 100_000


def _cycle(learner):
    tree = _tree(learner)
    tree["left_children"][1] = tree["right_children"][1] = 0


def _shared_child(learner):
    tree = _tree(learner)
    tree["right_children"][0] = tree["left_children"][0]


def _column_out_of_range(learner):
    _tree(learner)["split_indices"][0] = 100_000


def _class_out_of_range(learner):
    learner["gradient_booster"]["model"]["tree_info"][0] = 77


@pytest.mark.parametrize(
    "change",
    [_child_out_of_range, _cycle, _shared_child, _column_out_of_range, _class_out_of_range],
)
def test_trees_that_would_crash_or_hang_the_predictor_are_refused(gbt, tmp_path, change):
    header, weights = gbt
    with pytest.raises(BundleError, match="tree"):
        open_bundle(lay_packed(tmp_path, header, _with_tree(weights, change)))


def test_a_parent_that_is_not_there_is_refused(gbt, tmp_path):
    """XGBoost 3.2 climbs by ``parents`` while it loads and reads memory that is not its own."""
    header, weights = gbt
    raw = bytearray(weights["booster.ubj"])
    array = raw.index(b"parents[$l#L", raw.index(b"left_children")) + len(b"parents[$l#L") + 8
    raw[array + 4] = 0x55  # high byte of node 1's parent
    with pytest.raises(BundleError, match="parents and children disagree"):
        open_bundle(lay_packed(tmp_path, header, {"booster.ubj": bytes(raw)}))


def test_trees_over_other_columns_are_refused(gbt, tmp_path):
    header, weights = gbt
    with pytest.raises(BundleError, match="other columns or classes"):
        open_bundle(lay_packed(tmp_path, replace(header, n_channels=12), weights))


@pytest.mark.parametrize("data", [b"", b"{}", b"\x80\x04.", b"{L\x00", b"{" + b"U\x00{" * 5000])
def test_files_that_are_no_booster_are_refused(gbt, tmp_path, data):
    header, _ = gbt
    with pytest.raises(BundleError):
        open_bundle(lay_packed(tmp_path, header, {"booster.ubj": data}))


# Derandomised: a case that does kill the process would take the whole run with it, and no report
# would say which one. Random fuzzing of this loader belongs into a child process.
@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_torn_or_changed_booster_never_ends_the_process(gbt, data):
    header, weights = gbt
    raw = bytearray(weights["booster.ubj"])
    at = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw = raw[:at]
    else:
        raw[at] = data.draw(st.integers(0, 255))
    stored = StoredModel(
        files={"booster.ubj": bytes(raw)},
        shape=shape_in(header),
        hyper_parameters=GBT.hyper_parameters,
        compute=Compute(),
    )
    with contextlib.suppress(BundleError):
        assert GBT.load(stored).predict_proba(make_cases(3, 25)).shape == (3, 5)


@pytest.mark.parametrize(
    "p_K", [[], [1.0], [0.5, 0.5, 0.5, 0.5, 0.5], [2.0, -1.0, 0.0, 0.0, 0.0], [1.0] * 6]
)
def test_counts_that_are_no_distribution_are_refused(majority, tmp_path, p_K):
    header, _ = majority
    data = json.dumps({"p_K": p_K}).encode()
    with pytest.raises(BundleError, match="probabilities"):
        open_bundle(lay_packed(tmp_path, header, {"weights.json": data}))


def test_equal_fits_have_equal_addresses(tmp_path):
    bundles = [run_job(request_for("gbt", Mode.REALISTIC), tmp_path / name).bundle for name in "ab"]
    assert bundles[0] == bundles[1]
