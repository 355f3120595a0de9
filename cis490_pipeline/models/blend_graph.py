"""A blend as one ONNX graph: each member's own, on its own input, and the mean of what they say.

The raw grid is the input ``x`` and the statistics in context are ``columns``. Not here: the
members' graphs (``tree_graph``, ``networks.onnx_graph``).
"""

from collections.abc import Sequence
from typing import Final

import onnx
from onnx import compose, helper

from cis490_pipeline.edge.onnx_model import COLUMNS, INPUT, OUTPUT
from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import CaseShape, Classifier, Inputs
from cis490_pipeline.models.exportable import Exportable
from cis490_pipeline.models.views import part_of

_IR_VERSION: Final = 9


def blend_graph(
    members: Sequence[Classifier], views: Sequence[Inputs], shape: CaseShape
) -> onnx.ModelProto:
    """Return the graph from ``x`` and ``columns`` to ``p``."""
    graphs = [
        _member_graph(member, view, shape, number)
        for number, (member, view) in enumerate(zip(members, views, strict=True))
    ]
    outputs = [one.graph.output[0].name for one in graphs]
    graph = helper.make_graph(
        [
            *(n for one in graphs for n in one.graph.node),
            helper.make_node("Mean", outputs, [OUTPUT]),
        ],
        "blend",
        sorted((one.graph.input[0] for one in graphs), key=lambda end: end.name != INPUT),
        [helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, ["n", shape.n_classes])],
        [tensor for one in graphs for tensor in one.graph.initializer],
    )
    return helper.make_model(graph, opset_imports=_opsets(graphs), ir_version=_IR_VERSION)


def _member_graph(
    member: Classifier, view: Inputs, shape: CaseShape, number: int
) -> onnx.ModelProto:
    """Return a member's graph with all names made its own, but for the input."""
    if not isinstance(member, Exportable):
        raise BundleError(
            "a member of the blend has no ONNX form",
            where=type(member).__name__,
            todo="predict with the bundle",
        )
    own = compose.add_prefix(member.onnx_graph(part_of(shape, view)), f"{number}/")
    name = COLUMNS if view is Inputs.SUMMARY else INPUT
    return _with_input(own, name)


def _with_input(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    before = model.graph.input[0].name
    model.graph.input[0].name = name
    for node in model.graph.node:
        for place, taken in enumerate(node.input):
            if taken == before:
                node.input[place] = name
    return model


def _opsets(graphs: Sequence[onnx.ModelProto]) -> list[onnx.OperatorSetIdProto]:
    """Return the operator sets of all; the exporters agree on the version of each."""
    versions = {one.domain: one.version for model in graphs for one in model.opset_import}
    return [helper.make_opsetid(domain, version) for domain, version in sorted(versions.items())]
