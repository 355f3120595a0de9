"""Boosted trees as an ONNX graph: raw ``x_NCT`` (NaN = missing) to probabilities.

Shape suffixes: N cases, K classes, M nodes of all trees.

Written from the model's own bytes: a tree goes left where ``x < threshold`` (``BRANCH_LT``, both in
float32), a missing value goes where the tree learned to send it, leaves of a class add up on top of
the class's base margin, and a softmax follows. The booster holds its best rounds only.

Not here: whether the bytes are sound trees (``boosted_trees``), parity (``onnx_export``).
Source: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html; XGBoost 3.2, whose
``base_score`` is a list of one margin per class (or one for all).
"""

import json
from typing import Final, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from cis490_pipeline.edge.onnx_model import INPUT, OUTPUT
from cis490_pipeline.models.classifier import CaseShape
from cis490_pipeline.models.ubjson import decode_ubjson

_OPSETS: Final = {"": 18, "ai.onnx.ml": 3}
_IR_VERSION: Final = 9

Members = dict[str, object]


def _member(value: object, *path: str) -> object:
    for name in path:
        value = cast("Members", value)[name]
    return value


def _trees_of(model: object) -> tuple[list[Members], list[int]]:
    trees = cast("list[Members]", _member(model, "trees"))
    classes = cast("list[int] | NDArray[np.int32]", _member(model, "tree_info"))
    return trees, [int(code) for code in classes]


def _base_margins(text: str, n_classes: int) -> list[float]:
    """Return the margin that every class starts from.

    >>> _base_margins("[1E-1,2E-1]", 2), _base_margins("5E-1", 2)
    ([0.1, 0.2], [0.5, 0.5])
    """
    found = json.loads(text)
    margins = found if isinstance(found, list) else [found]
    return [float(m) for m in cast("list[float]", margins)] * (
        n_classes if len(margins) == 1 else 1
    )


def _column(tree: Members, name: str) -> NDArray[np.generic]:
    return cast("NDArray[np.generic]", tree[name])


def _node_attributes(trees: list[Members]) -> dict[str, list[int] | list[float] | list[str]]:
    """Return the attributes that describe the splits; a leaf is a node without children."""
    left = [_column(tree, "left_children").astype(np.int64) for tree in trees]
    leaf_M = np.concatenate(left) < 0
    sizes = [one.size for one in left]

    def of_splits(name: str, dtype: type[np.generic]) -> NDArray[np.generic]:
        joined_M = np.concatenate([_column(tree, name).astype(dtype) for tree in trees])
        joined_M[leaf_M] = dtype(0)
        return joined_M

    return {
        "nodes_treeids": np.repeat(np.arange(len(trees)), sizes).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(size) for size in sizes]).tolist(),
        "nodes_featureids": of_splits("split_indices", np.int64).tolist(),
        "nodes_values": of_splits("split_conditions", np.float32).tolist(),
        "nodes_modes": np.where(leaf_M, "LEAF", "BRANCH_LT").tolist(),
        "nodes_truenodeids": of_splits("left_children", np.int64).tolist(),
        "nodes_falsenodeids": of_splits("right_children", np.int64).tolist(),
        "nodes_missing_value_tracks_true": of_splits("default_left", np.int64).tolist(),
    }


def _leaf_attributes(
    trees: list[Members], classes: list[int]
) -> dict[str, list[int] | list[float] | list[str]]:
    tree_of, node_of, class_of, value_of = [], [], [], []
    for number, (tree, code) in enumerate(zip(trees, classes, strict=True)):
        leaves = np.flatnonzero(_column(tree, "left_children").astype(np.int64) < 0)
        tree_of += [number] * leaves.size
        class_of += [code] * leaves.size
        node_of += leaves.tolist()
        # of a leaf, XGBoost keeps the value where a split has its threshold
        value_of += _column(tree, "split_conditions").astype(np.float32)[leaves].tolist()
    return {
        "target_treeids": tree_of,
        "target_nodeids": node_of,
        "target_ids": class_of,
        "target_weights": value_of,
    }


def _trees_node(trees: list[Members], classes: list[int], margins: list[float]) -> onnx.NodeProto:
    node = helper.make_node("TreeEnsembleRegressor", ["columns"], ["margins"], domain="ai.onnx.ml")
    attributes = {
        "n_targets": len(margins),
        "base_values": margins,
        **_node_attributes(trees),
        **_leaf_attributes(trees, classes),
    }
    for name, value in attributes.items():
        node.attribute.append(helper.make_attribute(name, value))
    return node


def tree_graph(ubj: bytes, shape: CaseShape) -> onnx.ModelProto:
    """Return the graph of a booster's UBJ, which has been found sound."""
    learner = _member(decode_ubjson(ubj), "learner")
    trees, classes = _trees_of(_member(learner, "gradient_booster", "model"))
    text = cast("str", _member(learner, "learner_model_param", "base_score"))
    nodes = [
        helper.make_node("Squeeze", [INPUT, "last_axis"], ["columns"]),
        _trees_node(trees, classes, _base_margins(text, shape.n_classes)),
        helper.make_node("Softmax", ["margins"], [OUTPUT], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "gbt",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", shape.n_channels, 1])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", shape.n_classes])],
        [helper.make_tensor("last_axis", TensorProto.INT64, [1], [2])],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
