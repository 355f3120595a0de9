"""Evaluations on disk: one JSON file for each of a split's models, with what it was scored on.

Not here: the figures in it (``scores``).
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.scores import EVALUATION_VERSION, ModelEvaluation
from cis490_pipeline.models.current import FittedModel, fitted_models
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """One model's evaluation; ``evaluation`` is None where the split has no test set."""

    training_set_hash: str
    test_set_hash: str
    fitted: FittedModel
    evaluation: ModelEvaluation | None


class _Version(msgspec.Struct, frozen=True):
    version: int


class _Stamped(msgspec.Struct, frozen=True):
    evaluation: _Version | None


def _directory(layout: Layout, split: str) -> Path:
    return layout.split(split) / "evaluations"


def save_record(layout: Layout, record: EvaluationRecord) -> None:
    """Write a record atomically, in the place of an earlier one of the same configuration."""
    path = _directory(layout, record.fitted.split) / f"{record.fitted.file_stem}.json"
    write_bytes(path, msgspec.json.format(msgspec.json.encode(record), indent=1))


def current_records(layout: Layout, split: str) -> tuple[EvaluationRecord, ...]:
    """Return the records of the current models on the split's current sets, sorted by name.

    A configuration that was fitted again, with other hyper-parameters, has none until it is scored.

    Raises
    ------
    WarehouseError
        Where a set file is absent or a record is damaged.
    """
    test = load_test_set(layout, split).content_hash
    found = records_of_models(layout, split)
    return tuple(record for record in found if record.test_set_hash == test)


def records_of_models(layout: Layout, split: str) -> tuple[EvaluationRecord, ...]:
    """Return the records of the current models on whatever test set they were scored.

    Raises
    ------
    WarehouseError
        Where the training set's file is absent or a record is damaged.
    """
    training = load_training_set(layout, split).content_hash
    now = {fitted.file_stem: fitted.bundle for fitted in fitted_models(layout, split, training)}
    records = (_read(path) for path in sorted(_directory(layout, split).glob("*.json")))
    return tuple(
        r
        for r in records
        if r is not None
        and r.training_set_hash == training
        and now.get(r.fitted.file_stem) == r.fitted.bundle
    )


def _read(path: Path) -> EvaluationRecord | None:
    """Return a record, None for one of another version: its model has to be scored again."""
    data = path.read_bytes()
    try:
        stamp = msgspec.json.decode(data, type=_Stamped).evaluation
        if stamp is not None and stamp.version != EVALUATION_VERSION:
            return None
        return msgspec.json.decode(data, type=EvaluationRecord)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WarehouseError(
            "the evaluation record is damaged",
            where=str(path),
            found=str(error),
            todo="delete the file and materialize the evaluation again",
        ) from error
