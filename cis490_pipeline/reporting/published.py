"""The JSON files that are published, and their JSON schemas.

A schema is generated from the dataclasses, kept in the repository (``schema/``), and written beside
every file that it describes; the file names it in ``$schema`` and carries ``format`` and
``version``. Everything is always written, absent as null; what a schema does not name is not there.
A changed meaning or a field that went away raises the version.

Not here: pages (``html``, ``data_page``), gathering (``publish``).
References: JSON Schema 2020-12.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from cis490_pipeline.evaluation.comparison import COMPARISON_VERSION, Comparison
from cis490_pipeline.evaluation.difficulty import ModelByDifficulty
from cis490_pipeline.evaluation.drift_on_split import Drift
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.host_profiles import HostProfileScore
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.leave_one_host_out import LeaveOneHostOut
from cis490_pipeline.evaluation.measures import Measures
from cis490_pipeline.evaluation.records import EvaluationRecord
from cis490_pipeline.evaluation.scores import (
    EVALUATION_VERSION,
    ClassScore,
    ModelEvaluation,
    SliceScore,
)
from cis490_pipeline.evaluation.selective import Selective
from cis490_pipeline.evaluation.shift import Shift
from cis490_pipeline.explain.result import Explanation
from cis490_pipeline.models.current import FittedModel
from cis490_pipeline.reporting.data_facts import DataFacts
from cis490_pipeline.reporting.p_notes import p_notes
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.split_quality import HostQuality
from cis490_pipeline.warehouse.atomic import write_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigures:
    """Everything that a report shows of one model beside its line in ``models``."""

    key: ModelKey
    accuracy: float | None
    brier: float | None
    ece: float | None
    log_loss: float | None
    labels: tuple[str, ...]
    classes: tuple[ClassScore, ...]
    profiles: tuple[SliceScore, ...]
    hosts: tuple[SliceScore, ...]
    host_profiles: tuple[HostProfileScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    measures: Measures
    selective: Selective


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedComparison(Comparison):
    """``comparison.json`` of a split that has a test set.

    ``n_readings`` of the test set are in the ledger; ``p_notes`` are what no p-value says.
    """

    headline: str
    n_readings: int
    p_notes: tuple[str, ...]
    measures: tuple[ModelFigures, ...]
    drift: Drift | None
    explanations: tuple[Explanation, ...]
    shift: Shift | None
    by_difficulty: tuple[ModelByDifficulty, ...]
    quality: tuple[HostQuality, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedUntested:
    """``comparison.json`` of a split without a test set; ``quoted`` is split → headline."""

    split: str
    headline: str
    models: tuple[FittedModel, ...]
    quoted: dict[str, str]
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of published file; ``name`` is that of its format and of its schema's file."""

    name: str
    of: type
    version: int

    @property
    def schema_name(self) -> str:
        """Name of the schema's file."""
        return f"{self.name}.schema.json"


COMPARISON: Final = Kind(name="comparison", of=PublishedComparison, version=COMPARISON_VERSION)
UNTESTED: Final = Kind(name="untested", of=PublishedUntested, version=1)
MODEL_CARD: Final = Kind(name="model-card", of=EvaluationRecord, version=EVALUATION_VERSION)
DATA_CARD: Final = Kind(name="data-card", of=DataFacts, version=1)
FOLDS: Final = Kind(name="leave-one-host-out", of=LeaveOneHostOut, version=1)
KINDS: Final = (COMPARISON, UNTESTED, MODEL_CARD, DATA_CARD, FOLDS)


def published_comparison(report: Report) -> PublishedComparison:
    """Return all figures of a report."""
    own = {name: getattr(report.comparison, name) for name in Comparison.__dataclass_fields__}
    return PublishedComparison(
        **own,
        headline=headline(report.comparison),
        n_readings=len(report.ledger),
        p_notes=p_notes(report),
        measures=tuple(_figures(one) for one in report.evaluations),
        drift=report.drift,
        explanations=report.explanations,
        shift=report.shift,
        by_difficulty=report.by_difficulty,
        quality=report.quality,
    )


def _figures(one: ModelEvaluation) -> ModelFigures:
    return ModelFigures(**{name: getattr(one, name) for name in ModelFigures.__dataclass_fields__})


def published_json(kind: Kind, value: object) -> bytes:
    """Return a file's bytes: its schema, format and version, then the figures."""
    head = {
        "$schema": kind.schema_name,
        "format": f"cis490.{kind.name}",
        "version": kind.version,
    }
    encoded = msgspec.json.encode({**head, **msgspec.to_builtins(value)})
    return msgspec.json.format(encoded, indent=1)


def write_schema(directory: Path, kind: Kind) -> None:
    """Put the schema where the files of its kind are."""
    text = files("cis490_pipeline.reporting").joinpath("schema", kind.schema_name).read_bytes()
    write_bytes(directory / kind.schema_name, text)


def schema_of(kind: Kind) -> bytes:
    """Generate a schema; the files in ``schema/`` are what this returned when they were made."""
    found = msgspec.json.schema(kind.of)
    defined: dict[str, Any] = found["$defs"]
    for one in defined.values():
        _close(one)
    own = defined.pop(kind.of.__name__)
    properties = {
        "$schema": {"const": kind.schema_name},
        **own["properties"],
        "format": {"const": f"cis490.{kind.name}"},
        "version": {"const": kind.version},
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:cis490:{kind.name}:{kind.version}",
        **own,
        "properties": properties,
        "required": list(properties),
        "$defs": defined,
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=1) + b"\n"


def _close(one: dict[str, Any]) -> None:
    """Ask for every property and for no other: writers leave nothing out, so readers may rely."""
    if "properties" in one:
        one["required"] = list(one["properties"])
        one["additionalProperties"] = False
