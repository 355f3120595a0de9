"""An exported model: an ONNX file that stands alone, on onnxruntime.

Shape suffixes: N cases, C channels, T timepoints, G columns in context, K classes.

::

    input   x  float32 [N, C, T]    raw values, NaN = missing (T is 1 for window statistics)
    input   columns  [N, G, 1]      window statistics, of a model that reads both
    output  p  float32 [N, K]       probabilities, before phase filter and temperature
    metadata   cis490_header        the bundle's canonical header, which names everything else

A file may come from anybody: it is bounded and looked at before the runtime gets it, and whatever
the runtime or the graph does wrong becomes one error that says what to do.

Not here: writing such a file (``models.onnx_export``), the rest of the detector (``detector``).
"""

import contextlib
import hashlib
import importlib
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.detector import WindowCase
from cis490_pipeline.edge.header import BundleHeader, decode_header
from cis490_pipeline.edge.onnx_bytes import OnnxBytesError, OnnxOutline, outline_of
from cis490_pipeline.errors import BundleError
from cis490_pipeline.schema.fingerprint import FeatureSchema

if TYPE_CHECKING:
    import onnxruntime

HEADER_KEY: Final = "cis490_header"
INPUT: Final = "x"
COLUMNS: Final = "columns"
OUTPUT: Final = "p"
LARGEST_ONNX_BYTES: Final = 256 << 20
_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_UNBOUNDED: Final = frozenset({"If", "Loop", "Scan", "SequenceMap"})
"""Operators with graphs of their own: our exports have none, and a loop may never end."""
_ROUNDING: Final = 1e-3


def _refusal(what: str, where: Path, *, expected: str = "", found: str = "") -> BundleError:
    return BundleError(
        what,
        where=str(where),
        expected=expected,
        found=found,
        todo="export the bundle again: cis490 export BUNDLE --onnx FILE",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxModel:
    """An opened file; ``bundle`` is the address of the bundle that it was exported from."""

    bundle: str
    header: BundleHeader
    session: "onnxruntime.InferenceSession"
    path: Path

    def probabilities(
        self, x_NCT: NDArray[np.float32], columns_NG: NDArray[np.float32] | None = None
    ) -> NDArray[np.float64]:
        """Return the probabilities ``[N, K]``; ``columns_NG`` where the model reads both views.

        Raises
        ------
        BundleError
            Where the graph fails, or gives something else.
        """
        given = {INPUT: np.ascontiguousarray(x_NCT)}
        if columns_NG is not None:
            given[COLUMNS] = np.ascontiguousarray(columns_NG[:, :, np.newaxis])
        with _refused_by_the_runtime("the graph fails", self.path):
            (found,) = self.session.run([OUTPUT], given)
        p_NK = np.asarray(found, dtype=np.float64)
        expected = (len(x_NCT), len(self.header.labels))
        if p_NK.shape != expected:
            raise _refusal(
                "another output shape", self.path, expected=str(expected), found=str(p_NK.shape)
            )
        sums_to_one = bool((abs(p_NK.sum(axis=1) - 1.0) <= _ROUNDING).all())  # NaN is not at most
        if not sums_to_one or bool((p_NK < 0).any()):
            raise _refusal("the output is no probability", self.path)
        return p_NK

    def score(self, case: WindowCase) -> NDArray[np.float64]:
        """Return the probabilities ``[K]`` of one window (a ``Scorer``)."""
        return self.probabilities(case.x_1CT, case.columns_1G)[0]


def open_onnx(path: Path, *, schema: FeatureSchema | None = None, threads: int = 1) -> OnnxModel:
    """Open an exported model.

    Parameters
    ----------
    schema
        What it must have been made for; None is this code's own.

    Raises
    ------
    SchemaMismatchError
        Where it was made for another feature schema, naming the first difference.
    BundleError
        For everything else that is not an export of this version.
    """
    data = _read(path)
    try:
        outline = outline_of(data)
    except OnnxBytesError as error:
        raise _refusal("not an ONNX file", path, found=str(error)) from error
    text = outline.metadata.get(HEADER_KEY)
    if text is None:
        raise _refusal(
            "not exported by cis490: there is no header inside",
            path,
            expected=f"metadata {HEADER_KEY}",
            found=ascii(sorted(outline.metadata))[:200],
        )
    encoded = text.encode()
    header = decode_header(encoded, where=str(path), schema=schema)
    _require_harmless(outline, path)
    session = _session(data, path, threads)
    _require_signature(session, header, path)
    address = hashlib.sha256(encoded).hexdigest()
    return OnnxModel(bundle=address, header=header, session=session, path=path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(LARGEST_ONNX_BYTES + 1) if size <= LARGEST_ONNX_BYTES else b""
    except OSError as error:
        raise _refusal("file cannot be read", path, found=error.strerror or str(error)) from error
    if size > LARGEST_ONNX_BYTES or len(data) > LARGEST_ONNX_BYTES:
        raise _refusal(
            "file too large", path, expected=f"at most {LARGEST_ONNX_BYTES} bytes", found=str(size)
        )
    return data


def _require_harmless(outline: OnnxOutline, path: Path) -> None:
    if outline.names_other_files:
        raise _refusal("the graph reads other files", path, expected="all weights inside")
    foreign = sorted(outline.domains - _DOMAINS)
    unbounded = sorted(outline.operators & _UNBOUNDED)
    if foreign or unbounded or outline.has_functions:
        found = ascii([*foreign, *unbounded, *(["functions"] if outline.has_functions else [])])
        raise _refusal("the graph has what no export has", path, found=found[:200])


def _session(data: bytes, path: Path, threads: int) -> "onnxruntime.InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised; nothing else speaks
    with _refused_by_the_runtime("the runtime refuses the file", path):
        return onnxruntime.InferenceSession(
            data,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # it would try once more, and print that it does
        )


@contextlib.contextmanager
def _refused_by_the_runtime(what: str, path: Path) -> Generator[None]:
    """Turn the runtime's errors into a refusal; they are classes of one module with no root."""
    runtime = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    own = tuple(kind for kind in vars(runtime).values() if _is_error(kind))
    try:
        yield
    except (*own, RuntimeError, ValueError) as error:  # the last two: pybind11's own
        raise _refusal(what, path, found=_first_line(error)) from error


def _is_error(kind: object) -> TypeGuard[type[Exception]]:
    return isinstance(kind, type) and issubclass(kind, Exception)


def _require_signature(
    session: "onnxruntime.InferenceSession", header: BundleHeader, path: Path
) -> None:
    columns = ((COLUMNS, "tensor(float)", [header.n_columns, 1]),) if header.n_columns else ()
    expected = (
        (INPUT, "tensor(float)", [header.n_channels, header.n_timepoints]),
        *columns,
        (OUTPUT, "tensor(float)", [len(header.labels)]),
    )
    ends = [*session.get_inputs(), *session.get_outputs()]
    found = tuple((end.name, end.type, list(end.shape[1:])) for end in ends)
    if found != expected:
        raise _refusal(
            "other inputs or outputs", path, expected=str(expected), found=ascii(found)[:300]
        )


def _first_line(error: Exception) -> str:
    return ascii(str(error).splitlines()[0] if str(error) else type(error).__name__)[:300]
