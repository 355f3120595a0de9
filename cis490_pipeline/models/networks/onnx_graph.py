"""A network as an ONNX graph: raw ``x_NCT`` (NaN = missing) to probabilities, any number of cases.

Scaling and missing mask are layers of the networks, so they are in the graph like every other.

Torch's tracing exporter (``dynamo=False``): our networks have no control flow that depends on
values, it takes 0.2 s where the newer one takes 4 to 8 s of CPU, gives graphs of the same accuracy
and needs no further packages. It is deprecated; whether a graph computes what the network does is
measured at every export, so an upgrade that breaks it cannot go unnoticed.

Not here: trees (``models.tree_graph``), metadata and parity (``models.onnx_export``).
"""

import io
import warnings
from typing import Final

import onnx
import torch
from torch import nn

from cis490_pipeline.edge.onnx_model import INPUT, OUTPUT
from cis490_pipeline.models.classifier import CaseShape

_OPSET: Final = 18
_EXAMPLES: Final = 2
"""Not 1: traced with a single case, recurrent networks take their batch size for a constant."""


def network_graph(network: nn.Module, shape: CaseShape) -> onnx.ModelProto:
    """Return the graph of a network in evaluation mode, softmax included."""
    example = torch.zeros(_EXAMPLES, shape.n_channels, shape.n_timepoints)
    whole = nn.Sequential(network, nn.Softmax(dim=1)).eval()
    written = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            whole,
            (example,),
            written,  # pyright: ignore[reportArgumentType] - only the newer exporter needs a path
            dynamo=False,
            opset_version=_OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}},
        )
    model = onnx.load_from_string(written.getvalue())
    for node in model.graph.node:
        node.doc_string = ""  # where in the sources of torch it came from
    return model
