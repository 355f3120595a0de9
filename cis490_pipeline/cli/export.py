"""``cis490 export``: a bundle as one ONNX file that a device can use alone."""

from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, settings_for
from cis490_pipeline.cli.output import emit_json, json_option
from cis490_pipeline.models.bundle import open_bundle
from cis490_pipeline.models.onnx_export import export_bundle
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.warehouse.layout import Layout


@click.command("export", help="Write BUNDLE (directory, sha256 or prefix) as one ONNX file.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--onnx",
    "onnx_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.",
)
@data_option
@json_option
def command(bundle: Path, onnx_file: Path, data: Path | None, *, as_json: bool) -> None:
    """Export, compare with the bundle, and say how far apart the two are."""
    models = Layout(settings_for(data).data).models
    opened = open_bundle(ModelRegistry(models).find(bundle))
    export = export_bundle(opened, onnx_file.resolve())
    click.echo(
        f"{onnx_file}: {opened.spec.name}/{opened.header.mode.value}, {export.n_bytes} bytes, "
        f"at most {export.max_abs_diff:.1e} from the bundle in any probability"
    )
    emit_json(
        {"max_abs_diff": export.max_abs_diff, "bytes": export.n_bytes, "bundle": opened.sha256},
        wanted=as_json,
    )
