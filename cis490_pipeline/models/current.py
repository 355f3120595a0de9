"""Which bundle is a split's current model of a family, mode, context and seed.

One small file each, written when a fit ends and read by evaluations. It names the training set it
was fitted on, so that a model of yesterday's training set is never scored as today's.

Not here: the bundle itself (``bundle``, ``registry``).
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """A split's current model of one configuration; ``id_val_macro_f1`` is None where untestable.

    ``reused`` and ``seconds`` tell how the last request for it ended.
    """

    split: str
    family: str
    mode: str
    context: str
    seed: int
    bundle: str
    identity: str
    training_set_hash: str
    id_val_macro_f1: float | None
    reused: bool
    seconds: float

    @property
    def file_stem(self) -> str:
        """Name of everything that belongs to this model within its split."""
        return file_stem(self.family, self.mode, self.context, self.seed)


def file_stem(family: str, mode: str, context: str, seed: int) -> str:
    """Return the name of everything that belongs to a configuration within its split.

    >>> file_stem("gbt", "realistic", "none", 0)
    'gbt.realistic.none.0'
    """
    return f"{family}.{mode}.{context}.{seed}"


def _directory(layout: Layout, split: str) -> Path:
    return layout.split(split) / "models"


def save_fitted(layout: Layout, fitted: FittedModel) -> None:
    """Make it the split's current model of its configuration."""
    path = _directory(layout, fitted.split) / f"{fitted.file_stem}.json"
    write_bytes(path, msgspec.json.format(msgspec.json.encode(fitted), indent=1))


def fitted_models(layout: Layout, split: str, training_set_hash: str) -> tuple[FittedModel, ...]:
    """Return the split's models that were fitted on exactly this training set, sorted by name.

    Raises
    ------
    WarehouseError
        Where a file is not what this code writes.
    """
    found: list[FittedModel] = []
    for path in sorted(_directory(layout, split).glob("*.json")):
        try:
            fitted = msgspec.json.decode(path.read_bytes(), type=FittedModel)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise WarehouseError(
                "the pointer to a fitted model is damaged",
                where=str(path),
                found=str(error),
                todo="delete the file and materialize the model again",
            ) from error
        if fitted.training_set_hash == training_set_hash:
            found.append(fitted)
    return tuple(found)
