"""Explanations on disk: one JSON file for each explained model, beside the split's report.

Not here: what is in them (``result``), the heat maps beside them (``reporting``).
"""

from pathlib import Path

import msgspec

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.explain.result import VERSION, ExplainOptions, Explanation
from cis490_pipeline.models.current import FittedModel, fitted_models
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout


def directory_of(layout: Layout, split: str) -> Path:
    """Return where a split's explanations are."""
    return layout.report(split) / "explanations"


def path_of(layout: Layout, fitted: FittedModel) -> Path:
    """Return where the explanation of a model is."""
    return directory_of(layout, fitted.split) / f"{fitted.file_stem}.json"


def save_explanation(layout: Layout, fitted: FittedModel, explanation: Explanation) -> None:
    """Write it atomically, in the place of an earlier one of the same configuration."""
    encoded = msgspec.json.format(msgspec.json.encode(explanation), indent=1)
    write_bytes(path_of(layout, fitted), encoded)


def standing_explanation(
    layout: Layout, fitted: FittedModel, test_set_hash: str | None, options: ExplainOptions
) -> Explanation | None:
    """Return the explanation of exactly this bundle on exactly this test set, if there is one.

    A file that is damaged or of another version is none: it will be written again.
    """
    try:
        found = _read(path_of(layout, fitted))
    except (FileNotFoundError, WarehouseError):
        return None
    asked = (VERSION, fitted.bundle, test_set_hash, options)
    held = (found.version, found.bundle, found.test_set_hash, found.options)
    return found if held == asked else None


def current_explanations(
    layout: Layout, split: str, training_set_hash: str, test_set_hash: str
) -> tuple[Explanation, ...]:
    """Return the explanations of the split's current models, sorted by name.

    One whose agreement with test hosts is that of an earlier test set is left out; one that was
    made without a test set says so itself.

    Raises
    ------
    WarehouseError
        Where a file is damaged.
    """
    found: list[Explanation] = []
    for fitted in fitted_models(layout, split, training_set_hash):
        path = path_of(layout, fitted)
        if not path.is_file():
            continue
        explanation = _read(path)
        tested_on = explanation.test_set_hash
        if explanation.bundle == fitted.bundle and tested_on in (None, test_set_hash):
            found.append(explanation)
    return tuple(found)


def _read(path: Path) -> Explanation:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Explanation)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WarehouseError(
            "the explanation is damaged or of another version",
            where=str(path),
            found=str(error),
            todo="delete the file and materialize explanations again",
        ) from error
