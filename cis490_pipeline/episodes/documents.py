"""``meta.json`` and ``labels.jsonl`` as frozen values.

Not here: whether what they say is acceptable (``validation``).
Source: episode format, sections *meta.json* and *labels.jsonl*.
"""

import math
from typing import cast

from cis490_pipeline.episodes.archive import LABELS_FILE, META_FILE
from cis490_pipeline.episodes.episode import EpisodeMeta, JsonScalar, Label
from cis490_pipeline.episodes.jsonl import parse_objects, wall_time
from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.strict_json import JsonFault, JsonObject, parse_object, scalar
from cis490_pipeline.schema.channels import Source


def decode_labels(raw: bytes) -> tuple[Label, ...]:
    """Decode ``labels.jsonl``, in file order.

    Raises
    ------
    Refused
        Where a line is not one JSON object or its ``t_wall_ns`` not a 64-bit integer.
    """
    rows = parse_objects(raw, file_name=LABELS_FILE)
    return tuple(_label(row, number) for number, row in enumerate(rows, start=1))


def _label(row: JsonObject, number: int) -> Label:
    return Label(
        t_wall_ns=wall_time(row, file_name=LABELS_FILE, number=number),
        t_mono_ns=_integer(row.get("t_mono_ns")),
        phase=scalar(row.get("phase")),
        prev=scalar(row.get("prev")),
    )


def decode_meta(raw: bytes) -> EpisodeMeta:
    """Decode ``meta.json``; what is absent or of another type is None, never a fault.

    Raises
    ------
    Refused
        Where it is not one JSON object.
    """
    meta = parse_object(raw)
    if isinstance(meta, JsonFault):
        raise Refused(meta.kind, f"{META_FILE}: {meta.message}")
    sample, result, code = (_object(meta, key) for key in ("sample", "result", "code_version"))
    dirty = code.get("dirty")
    return EpisodeMeta(
        schema_version=scalar(meta.get("schema_version")),
        profile=_text(sample.get("profile")),
        sample_name=_text(sample.get("name")),
        sample_kind=_text(sample.get("kind")),
        duration_observed_s=_number(result.get("duration_observed_s")),
        declared_rows=_declared_rows(result),
        phases_observed=_phases(result.get("phases_observed")),
        code_commit=_text(code.get("commit")),
        code_dirty=dirty if isinstance(dirty, bool) else None,
    )


def _object(parent: JsonObject, key: str) -> JsonObject:
    value = parent.get(key)
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _declared_rows(result: JsonObject) -> dict[Source, int]:
    counts = {source: _integer(result.get(f"rows_{source.value}")) for source in Source}
    return {source: count for source, count in counts.items() if count is not None}


def _phases(value: object) -> tuple[JsonScalar, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(scalar(phase) for phase in cast("list[object]", value))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    return value if type(value) is int else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
