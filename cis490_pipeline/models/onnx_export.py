"""A bundle as one ONNX file for a device, with proof that it computes the same.

Shape suffixes: N cases, C channels, T timepoints, K classes.

The file carries the bundle's header, byte for byte: whoever has it needs no bundle, and its hash
names the bundle it came from. A file that differs from its bundle is not written at all.

Not here: the graphs (``networks.onnx_graph``, ``tree_graph``), reading such a file
(``edge.onnx_model``).
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.detector import require_servable
from cis490_pipeline.edge.header import encode_header
from cis490_pipeline.edge.onnx_model import HEADER_KEY, open_onnx
from cis490_pipeline.edge.probabilities import normalised_rows
from cis490_pipeline.errors import BundleError, ConfigurationError
from cis490_pipeline.models.bundle import Bundle
from cis490_pipeline.models.classifier import CaseShape, Inputs
from cis490_pipeline.models.exportable import Exportable
from cis490_pipeline.models.predict import raw_cases
from cis490_pipeline.models.views import part_of
from cis490_pipeline.warehouse.atomic import write_bytes

if TYPE_CHECKING:
    import onnx

LARGEST_DIFFERENCE: Final = 1e-4
"""In probability, between a bundle and its export."""
_N_TRIED: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What was written; the difference is the largest in any probability of the cases tried."""

    max_abs_diff: float
    n_bytes: int


def export_bundle(bundle: Bundle, path: Path) -> Export:
    """Write a bundle's ONNX file.

    Raises
    ------
    ConfigurationError
        Where the family has no graph.
    BundleError
        Where the graph does not compute what the bundle does, or the model is not for windows.
    WarehouseError
        Where the machine refuses to write.
    """
    require_servable(bundle.header, f"bundle {bundle.sha256[:12]}")
    if not isinstance(bundle.classifier, Exportable) or bundle.shape.n_channels == 0:
        raise ConfigurationError(
            "this family has no ONNX form",
            where=f"family {bundle.spec.name}",
            expected="gbt, a network (mlp, cnn, gru, lstm, transformer, bert) or their blend",
            found=bundle.spec.name,
            todo="predict with the bundle, or export another model",
        )
    data = _with_header(bundle.classifier.onnx_graph(bundle.shape), bundle)
    difference = parity(bundle, data, *tried_inputs(bundle.shape))
    if not difference <= LARGEST_DIFFERENCE:  # NaN is not at most
        raise BundleError(
            "the ONNX graph does not compute what the bundle does",
            where=f"bundle {bundle.sha256[:12]}",
            expected=f"at most {LARGEST_DIFFERENCE} apart",
            found=f"{difference:.3g}",
            todo="report it with the bundle; its versions are in the header",
        )
    write_bytes(path, data)
    return Export(max_abs_diff=difference, n_bytes=len(data))


def _with_header(model: "onnx.ModelProto", bundle: Bundle) -> bytes:
    import onnx

    header = encode_header(bundle.header).decode()
    onnx.helper.set_model_props(model, {HEADER_KEY: header})
    model.producer_name = "cis490"
    model.producer_version = ""
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def tried_inputs(
    shape: CaseShape,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return drawn cases, and columns beside them where the model reads both."""
    x_NCT = tried_cases(part_of(shape, Inputs.SEQUENCE))
    if not shape.n_columns:
        return x_NCT, None
    return x_NCT, tried_cases(part_of(shape, Inputs.SUMMARY))[:, :, 0]


def tried_cases(shape: CaseShape) -> NDArray[np.float32]:
    """Return drawn cases ``x_NCT`` of every magnitude that telemetry has, with all kinds of holes.

    One case is missing altogether, every other one lacks whole channels, values are missing alone.
    """
    generator = np.random.default_rng(0)
    size = (_N_TRIED, shape.n_channels, shape.n_timepoints)
    level_NC1 = 10.0 ** generator.uniform(-3, 10, (*size[:2], 1))
    x_NCT = generator.normal(size=size) * level_NC1 * (generator.random((*size[:2], 1)) < 0.8)
    x_NCT[generator.random(size) < 0.05] = np.nan
    lacking_NC = generator.random(size[:2]) < 0.3
    lacking_NC[::2] = False
    x_NCT[lacking_NC] = np.nan
    x_NCT[0] = np.nan
    return x_NCT.astype(np.float32)


def parity(
    bundle: Bundle,
    data: bytes,
    x_NCT: NDArray[np.float32],
    columns_NG: NDArray[np.float32] | None = None,
) -> float:
    """Return the largest difference in probability between a bundle and an ONNX file's bytes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.onnx"
        path.write_bytes(data)
        found_NK = normalised_rows(open_onnx(path).probabilities(x_NCT, columns_NG))
    cases = raw_cases(x_NCT, bundle.shape.n_classes, columns_NG=columns_NG)
    expected_NK = bundle.classifier.predict_proba(cases)
    return float(np.abs(found_NK - expected_NK).max())
