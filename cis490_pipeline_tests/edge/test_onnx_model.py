"""A file that is not an export of this version ends in one clear error, whoever made it."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from cis490_pipeline.edge import onnx_model
from cis490_pipeline.edge.onnx_bytes import OnnxBytesError, outline_of
from cis490_pipeline.edge.onnx_model import HEADER_KEY, LARGEST_ONNX_BYTES, open_onnx
from cis490_pipeline.errors import BundleError, SchemaMismatchError
from cis490_pipeline.schema.channels import CHANNELS, Kind
from cis490_pipeline.schema.fingerprint import feature_schema_of
from cis490_pipeline_tests.edge.exported import exported


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Return the bytes of an exported model."""
    return exported(tmp_path_factory, "gbt").onnx.read_bytes()


@pytest.fixture
def opening(tmp_path):
    """Return a function that opens bytes, or a changed model, as a file."""

    def give(content):
        data = content if isinstance(content, bytes) else content.SerializeToString()
        path = tmp_path / "model.onnx"
        path.write_bytes(data)
        return open_onnx(path)

    return give


def _changed_header(good, **changes):
    model = onnx.load_from_string(good)
    header = json.loads(model.metadata_props[0].value)
    header.update(changes)
    model.metadata_props[0].value = json.dumps(header, separators=(",", ":"))
    return model


def _last_node(model, node):
    """Let the graph's output come from another node."""
    model.graph.node[-1].output[0] = "true_p"
    model.graph.node.append(node)
    return model


@pytest.mark.parametrize(
    "content", [b"", b"no model", b"\x00" * 64, b"\x1f\x8b\x08", b"{}", b"PK\x03\x04" + b"z" * 99]
)
def test_what_is_no_onnx_file_is_refused(opening, content):
    with pytest.raises(BundleError, match=r"not an ONNX file|not exported by cis490"):
        opening(content)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.999])
def test_a_torn_file_is_refused(opening, good, share):
    with pytest.raises(BundleError, match=r"not an ONNX file|not exported by cis490"):
        opening(good[: int(share * len(good))])


def test_a_file_that_is_absent_or_a_directory_is_refused(tmp_path):
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(BundleError, match="cannot be read"):
            open_onnx(path)


def test_a_huge_file_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(LARGEST_ONNX_BYTES + 1)
    monkeypatch.setattr(onnx_model, "outline_of", lambda data: pytest.fail("it was read"))
    with pytest.raises(BundleError, match="too large"):
        open_onnx(path)


def test_a_model_of_somebody_else_is_refused_for_its_missing_header(opening, good):
    model = onnx.load_from_string(good)
    del model.metadata_props[:]
    with pytest.raises(BundleError, match=f"no header inside.*{HEADER_KEY}"):
        opening(model)


def test_weights_in_another_file_are_never_looked_for(opening, good, tmp_path):
    model = onnx.load_from_string(good)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.ClearField("int64_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../secret"), ("offset", "0"), ("length", "8")):
        tensor.external_data.add(key=key, value=value)
    (tmp_path.parent / "secret").write_bytes(np.array([2], dtype=np.int64).tobytes())
    with pytest.raises(BundleError, match="reads other files"):
        opening(model)


def test_another_schema_is_refused_by_the_name_of_the_first_difference(tmp_path, good):
    flipped = tuple(
        replace(one, kind=Kind.COUNTER) if one.name == "load1" else one for one in CHANNELS
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(good)
    with pytest.raises(SchemaMismatchError, match=r"guest\.load1.*kind is 'gauge'"):
        open_onnx(path, schema=feature_schema_of(flipped))


def test_another_format_version_is_refused(opening, good):
    with pytest.raises(BundleError, match="format version"):
        opening(_changed_header(good, format_version=2))


def test_a_header_that_was_edited_is_refused(opening, good):
    for changes in ({"surplus": 1}, {"n_channels": -1}, {"alarm": {"threshold": 0.1}}):
        with pytest.raises(BundleError, match="header"):
            opening(_changed_header(good, **changes))


def test_a_header_of_another_size_than_the_graph_is_refused(opening, good):
    model = onnx.load_from_string(good)
    text = model.metadata_props[0].value
    assert '"n_channels":150' in text
    model.metadata_props[0].value = text.replace('"n_channels":150', '"n_channels":151')
    with pytest.raises(BundleError, match=r"other inputs or outputs.*151"):
        opening(model)


def test_a_declared_output_of_another_width_is_refused(opening, good):
    model = onnx.load_from_string(good)
    node = helper.make_node("Concat", ["true_p", "true_p"], ["p"], axis=1)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 10
    with pytest.raises(BundleError, match="other inputs or outputs"):
        opening(_last_node(model, node))


def test_an_output_without_a_declared_width_is_refused(opening, good):
    model = onnx.load_from_string(good)
    node = helper.make_node("Compress", ["true_p", "kept"], ["p"], axis=1)
    model.graph.initializer.append(
        helper.make_tensor("kept", TensorProto.BOOL, [5], [1, 1, 0, 1, 1])
    )
    del model.graph.output[0].type.tensor_type.shape.dim[1:]
    model.graph.output[0].type.tensor_type.shape.dim.add(dim_param="k")
    with pytest.raises(BundleError, match="other inputs or outputs"):
        opening(_last_node(model, node))


@pytest.mark.parametrize("operator", ["Neg", "Log", "Exp"])
def test_an_output_that_is_no_probability_is_refused_when_it_comes(opening, good, operator):
    model = _last_node(onnx.load_from_string(good), helper.make_node(operator, ["true_p"], ["p"]))
    opened = opening(model)
    with pytest.raises(BundleError, match="no probability"):
        opened.probabilities(np.zeros((2, 150, 1), dtype=np.float32))


def test_a_graph_that_fails_while_running_is_one_error(opening, good):
    model = onnx.load_from_string(good)
    model.graph.initializer.append(helper.make_tensor("to", TensorProto.INT64, [2], [7, 5]))
    opened = opening(_last_node(model, helper.make_node("Reshape", ["true_p", "to"], ["p"])))
    with pytest.raises(BundleError, match="the graph fails"):
        opened.probabilities(np.zeros((2, 150, 1), dtype=np.float32))


def test_loops_and_foreign_operators_are_refused(opening, good):
    model = onnx.load_from_string(good)
    body = helper.make_graph([], "body", [], [])
    loop = _last_node(model, helper.make_node("Loop", ["", "", "true_p"], ["p"], body=body))
    with pytest.raises(BundleError, match=r"what no export has.*Loop"):
        opening(loop)
    model = onnx.load_from_string(good)
    model.opset_import.add(domain="com.example", version=1)
    with pytest.raises(BundleError, match=r"what no export has.*com\.example"):
        opening(model)
    model = onnx.load_from_string(good)
    model.functions.add(name="f", domain="")
    with pytest.raises(BundleError, match=r"what no export has.*functions"):
        opening(model)


def test_what_the_runtime_refuses_is_one_error(opening, good):
    model = _last_node(onnx.load_from_string(good), helper.make_node("NoSuch", ["true_p"], ["p"]))
    with pytest.raises(BundleError, match="the runtime refuses the file"):
        opening(model)


@pytest.mark.parametrize(
    ("attribute", "node", "value"),
    [("nodes_truenodeids", 1, 0), ("nodes_falsenodeids", 0, 10**9), ("target_ids", 0, -7)],
)
def test_trees_that_lead_nowhere_or_in_circles_are_refused(
    opening, good, capfd, attribute, node, value
):
    model = onnx.load_from_string(good)
    (trees,) = (one for one in model.graph.node if one.op_type == "TreeEnsembleRegressor")
    (values,) = (one.ints for one in trees.attribute if one.name == attribute)
    values[node] = value
    with pytest.raises(BundleError, match="the runtime refuses the file"):
        opening(model)
    assert capfd.readouterr() == ("", "")


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_have_an_outline_or_an_error(data):
    try:
        outline = outline_of(data)
    except OnnxBytesError:
        return
    assert set(map(type, outline.metadata.values())) <= {str}


@settings(
    derandomize=True,
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_the_outline_of_a_torn_model_is_an_error_or_lacks_its_header(good, data):
    end = data.draw(st.integers(0, len(good) - 1))
    try:
        outline = outline_of(good[:end])
    except OnnxBytesError:
        return
    assert HEADER_KEY not in outline.metadata
