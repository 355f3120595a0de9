"""Bundles fitted on recorded windows in no time, and their ONNX files, once a session.

Not here: models that are any good.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cis490_pipeline.models.bundle import Bundle, open_bundle
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.onnx_export import export_bundle
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.conformance.factory import quick
from cis490_pipeline_tests.datasets.smoke import (
    CORPUS,
    SPLIT,
    copy_of,
    fit,
    plan,
    smoke_warehouse,
)

EPISODE = next(iter(sorted((CORPUS / "episodes" / "lab-b").glob("*.tar.zst"))))
"""A recorded episode of the host that the models are not fitted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A bundle, and the file it was exported to."""

    warehouse: Warehouse
    directory: Path
    onnx: Path

    @property
    def bundle(self) -> Bundle:
        """The bundle, opened."""
        return open_bundle(self.directory)


def fitted(factory: pytest.TempPathFactory, options: FitOptions) -> tuple[Warehouse, Path]:
    """Return the session's planned warehouse, and the directory of a bundle fitted in it."""
    root = factory.getbasetemp() / "exporting-warehouse"
    if not root.exists():
        copy_of(smoke_warehouse(factory), root)
        plan(Warehouse(root), SPLIT)
    warehouse = Warehouse(root)
    return warehouse, ModelRegistry(warehouse.layout.models).find(fit(warehouse, SPLIT, options))


def exported(
    factory: pytest.TempPathFactory,
    name: str,
    mode: Mode = Mode.REALISTIC,
    context: Context = Context.NONE,
) -> Exported:
    """Return a small model, exported."""
    few = {"epochs": 1} if name != "gbt" else {}
    overrides = {**quick(family(name)), **few}
    if name == "bert":
        overrides["pretraining_steps"] = 2
    options = FitOptions(family=name, mode=mode, context=context, overrides=overrides)
    warehouse, directory = fitted(factory, options)
    onnx = directory.parent / f"{directory.name}.onnx"
    if not onnx.exists():
        export_bundle(open_bundle(directory), onnx)
    return Exported(warehouse=warehouse, directory=directory, onnx=onnx)
