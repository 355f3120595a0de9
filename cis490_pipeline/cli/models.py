"""A model that is named on the command line: a bundle, or an exported file that stands alone.

With ``--onnx`` nothing beyond the base install is imported. A device never loads a bundle's
weights: where a bundle is named beside the file, only its header is read, and must be the file's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from cis490_pipeline.edge.detector import Detector
from cis490_pipeline.edge.header import BundleHeader
from cis490_pipeline.edge.projection import Projection
from cis490_pipeline.errors import BundleError

_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedModel:
    """A header, how to start a detector of it, and what a replay tells of it.

    An exported file has no plane of training windows.
    """

    header: BundleHeader
    start: Callable[[], Detector]
    bundle: str
    size_bytes: int
    projection: Projection | None


def model_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--model`` and ``--onnx``."""
    function = click.option(
        "--onnx",
        "onnx_file",
        type=_FILE,
        help="An exported model; stands alone, --model may be left.",
    )(function)
    return click.option(
        "--model", "bundle", type=click.Path(path_type=Path), help="A bundle; see `train`."
    )(function)


def open_model(bundle: Path | None, onnx_file: Path | None, models: Path) -> NamedModel:
    """Return the model that was named.

    Raises
    ------
    BundleError
        Where it is damaged, hostile or of a foreign format.
    """
    if onnx_file is not None:
        return _onnx_model(onnx_file, bundle, models)
    if bundle is None:
        raise click.UsageError("name a model: --model BUNDLE, or --onnx FILE")
    return _bundle_model(bundle, models)


def _bundle_model(bundle: Path, models: Path) -> NamedModel:
    from cis490_pipeline.models.bundle import open_bundle, read_projection
    from cis490_pipeline.models.predict import window_scorer
    from cis490_pipeline.models.registry import ModelRegistry

    directory = ModelRegistry(models).find(bundle)
    opened = open_bundle(directory)
    scorer = window_scorer(opened)
    return NamedModel(
        header=opened.header,
        start=lambda: Detector(opened.header, scorer, where=str(directory)),
        bundle=opened.sha256,
        size_bytes=sum(one.bytes for one in opened.header.files.values()),
        projection=read_projection(directory, opened.header),
    )


def _onnx_model(onnx_file: Path, bundle: Path | None, models: Path) -> NamedModel:
    from cis490_pipeline.edge.onnx_model import open_onnx

    opened = open_onnx(onnx_file)
    if bundle is not None:
        _require_same(bundle, models, opened.bundle, onnx_file)
    return NamedModel(
        header=opened.header,
        start=lambda: Detector(opened.header, opened.score, where=str(onnx_file)),
        bundle=opened.bundle,
        size_bytes=onnx_file.stat().st_size,
        projection=None,
    )


def _require_same(bundle: Path, models: Path, exported_from: str, onnx_file: Path) -> None:
    from cis490_pipeline.models.bundle import read_header
    from cis490_pipeline.models.registry import ModelRegistry

    address, _ = read_header(ModelRegistry(models).find(bundle))
    if address != exported_from:
        raise BundleError(
            "the file was exported from another bundle",
            where=str(onnx_file),
            expected=address[:12],
            found=exported_from[:12],
            todo="export the bundle again, or leave --model away: the file stands alone",
        )
