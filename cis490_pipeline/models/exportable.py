"""What a classifier must have to become an ONNX file.

Not here: the file (``onnx_export``), the graphs.
"""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from cis490_pipeline.models.classifier import CaseShape

if TYPE_CHECKING:
    import onnx


@runtime_checkable
class Exportable(Protocol):
    """A classifier that knows its graph."""

    def onnx_graph(self, shape: CaseShape) -> "onnx.ModelProto":
        """Return the graph from ``x`` (and ``columns``) to ``p`` (see ``edge.onnx_model``)."""
        ...
