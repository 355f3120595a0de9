"""Damage to what stands in an episode's files.

Every function returns its argument unchanged where the damage is none of its own. Not here: damage
to the tarball around them (``archive_damage``).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from cis490_pipeline.schema.channels import SOURCE_FACTS, Source
from cis490_pipeline.schema.phases import Phase
from cis490_pipeline.synthetic.archive import Bytes
from cis490_pipeline.synthetic.damage import Damage
from cis490_pipeline.synthetic.documents import JsonRow

_MISSING: Final[Mapping[Damage, str]] = {
    Damage.MISSING_META: "meta.json",
    Damage.MISSING_LABELS: "labels.jsonl",
    Damage.MISSING_EVENTS: "events.jsonl",
    Damage.MISSING_DONE: "done.marker",
    Damage.MISSING_PROC: SOURCE_FACTS[Source.PROC].file_name,
    Damage.MISSING_GUEST: SOURCE_FACTS[Source.GUEST].file_name,
    Damage.MISSING_QMP: SOURCE_FACTS[Source.QMP].file_name,
    Damage.MISSING_NETFLOW: SOURCE_FACTS[Source.NETFLOW].file_name,
}
_MISCOUNTED: Final[Mapping[Damage, Source]] = {
    Damage.ROWS_PROC: Source.PROC,
    Damage.ROWS_GUEST: Source.GUEST,
    Damage.ROWS_QMP: Source.QMP,
    Damage.ROWS_NETFLOW: Source.NETFLOW,
}
_LINE_DAMAGE: Final = frozenset(
    {
        Damage.TWO_OBJECTS,
        Damage.TRAILING_COMMA,
        Damage.NAN_LITERAL,
        Damage.BAD_UTF8,
        Damage.LINE_NOT_OBJECT,
        Damage.T_WALL_NOT_INT,
        Damage.T_WALL_ABSENT,
    }
)
_T_MONO: Final = re.compile(rb'("t_mono_ns": ?)\d+')
_T_WALL: Final = re.compile(rb'("t_wall_ns": ?)(\d+)')


def damaged_labels(labels: Sequence[JsonRow], damage: Damage | None) -> list[JsonRow]:
    """Return the labels as they will stand in the file, and as ``meta.json`` will repeat them."""
    first, rest = labels[0], list(labels[1:])
    if damage is Damage.LABELS_EMPTY:
        return []
    changes: JsonRow = {}
    match damage:
        case Damage.FIRST_PHASE:
            changes = {"phase": Phase.ARMED.value}
        case Damage.FIRST_PREV:
            changes = {"prev": Phase.CLEAN.value}
        case Damage.LABEL_T_WALL_NOT_INT:
            changes = {"t_wall_ns": str(first["t_wall_ns"])}
        case Damage.NOT_MONOTONIC:  # an order needs two, but a lone time can be absent
            changes = {"t_mono_ns": 1 << 60 if rest else None}
        case _:
            pass
    return [{**first, **changes}, *rest]


def damaged_meta(meta: JsonRow, result: JsonRow, damage: Damage | None) -> JsonRow:
    """Return ``meta.json`` with this ``result``, damaged."""
    if damage is Damage.SCHEMA_VERSION:
        return {**meta, "schema_version": 2}
    if damage is Damage.PHASES_MISMATCH:
        return {**meta, "result": {**result, "phases_observed": ["clean", "armed", "clean"]}}
    miscounted = None if damage is None else _MISCOUNTED.get(damage)
    if miscounted is not None:
        key = f"rows_{miscounted.value}"
        return {**meta, "result": {**result, key: 1_000_003}}
    return meta


def damaged_files(
    files: Mapping[str, Bytes], damage: Damage | None, rng: np.random.Generator
) -> dict[str, Bytes]:
    """Return the files, with one missing or one line damaged."""
    left = dict(files)
    if damage is None:
        return left
    if damage in _MISSING:
        left.pop(_MISSING[damage], None)
    elif damage is Damage.META_NOT_OBJECT:
        left["meta.json"] = b"[" + bytes(left["meta.json"]) + b"]"
    elif damage in _LINE_DAMAGE:
        telemetry = [facts.file_name for facts in SOURCE_FACTS.values() if facts.file_name in left]
        name = telemetry[int(rng.integers(len(telemetry)))]
        left[name] = _with_damaged_line(bytes(left[name]), damage, rng)
    return left


def _with_damaged_line(text: bytes, damage: Damage, rng: np.random.Generator) -> bytes:
    lines = text.splitlines(keepends=True)
    chosen = int(rng.integers(len(lines)))
    lines[chosen] = _damaged_line(lines[chosen].rstrip(b"\n"), damage) + b"\n"
    return b"".join(lines)


def _damaged_line(line: bytes, damage: Damage) -> bytes:
    damaged: dict[Damage, bytes] = {
        Damage.TWO_OBJECTS: line + line,
        Damage.TRAILING_COMMA: line[:-1] + b",}",
        Damage.NAN_LITERAL: _T_MONO.sub(rb"\1NaN", line),
        Damage.BAD_UTF8: line[:-1] + b',"note":"\xff\xfe"}',
        Damage.LINE_NOT_OBJECT: b"[" + line + b"]",
        Damage.T_WALL_NOT_INT: _T_WALL.sub(rb"\1\2.5", line),
        Damage.T_WALL_ABSENT: _T_WALL.sub(rb'"t_wall":\2', line),
    }
    return damaged[damage]
