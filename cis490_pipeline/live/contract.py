"""The contract with producers and listeners, generated: a JSON schema and the page for people.

The files are kept in the repository (``schema/events.schema.json``, ``EVENTS.md``); a test
generates them anew and compares. ``python -m cis490_pipeline.live.contract`` writes them.

Not here: what is described (``events``, ``wire``).
References: JSON Schema 2020-12.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from cis490_pipeline.live.contract_text import CONTROL_HEAD, EVENTS_HEAD, PAGE_HEAD, SHARED_HEAD
from cis490_pipeline.live.event_parts import (
    MixBasis,
)
from cis490_pipeline.live.events import (
    EVENT_TYPES,
    PUBLISHABLE,
    SCHEMA_VERSION,
    STATE_TOPICS,
)
from cis490_pipeline.live.page_palette import PALETTE_FILE, palette_bytes
from cis490_pipeline.live.wire import MOST_EVENTS, Gap, GapReason, Heartbeat, Hello
from cis490_pipeline.schema.phases import Phase

SCHEMA_FILE: Final = Path(__file__).with_name("schema") / "events.schema.json"
PAGE_FILE: Final = Path(__file__).with_name("EVENTS.md")
_REF: Final = "#/$defs/"
_CONTROL: Final[Mapping[str, type]] = {one.topic: one for one in (Hello, Gap, Heartbeat)}
_ENUMS: Final = {one.__name__: one for one in (Phase, MixBasis, GapReason)}
_NULL: Final = {"type": "null"}

Json = dict[str, Any]


def schema() -> Json:
    """Return the schema of a message; ``$defs`` has each event, and ``Published``, a request."""
    topics: dict[str, type] = {topic.value: kind for topic, kind in EVENT_TYPES.items()}
    kinds = [*topics.values(), *_CONTROL.values()]
    _, defined = msgspec.json.schema_components(kinds, ref_template=_REF + "{name}")
    messages = [_message(topic, kind, {"type": "integer"}) for topic, kind in topics.items()]
    messages += [_message(topic, kind, _NULL) for topic, kind in _CONTROL.items()]
    events = [
        _published(topic.value, kind) for topic, kind in EVENT_TYPES.items() if topic in PUBLISHABLE
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:cis490:events:{SCHEMA_VERSION}",
        "title": "A message of the live hub",
        "oneOf": messages,
        "$defs": {**dict(sorted(defined.items())), "Published": _request(events)},
    }


def _message(topic: str, kind: type, seq: Json) -> Json:
    return _whole(
        {
            "topic": {"const": topic},
            "seq": seq,
            "at": {"type": "number", "description": "Unix seconds at which the hub had it."},
            "producer": {"type": ["string", "null"]},
            "data": {"$ref": _REF + kind.__name__},
        }
    )


def _published(topic: str, kind: type) -> Json:
    return _whole({"topic": {"const": topic}, "data": {"$ref": _REF + kind.__name__}})


def _request(events: list[Json]) -> Json:
    version = {"const": SCHEMA_VERSION}
    listed = {"type": "array", "minItems": 1, "maxItems": MOST_EVENTS, "items": {"oneOf": events}}
    return _whole({"schema_version": version, "events": listed})


def _whole(properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def schema_bytes() -> bytes:
    """Return the schema's file."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=1) + b"\n"


def page() -> str:
    """Return the page for people."""
    defined = schema()["$defs"]
    events = {topic.value: kind.__name__ for topic, kind in EVENT_TYPES.items()}
    control = {topic: kind.__name__ for topic, kind in _CONTROL.items()}
    named = {*events.values(), *control.values(), "Published"}
    shared = {name: name for name in defined if name not in named}
    parts = [
        PAGE_HEAD.format(version=SCHEMA_VERSION, most=MOST_EVENTS),
        CONTROL_HEAD,
        *_sections(control, defined),
        EVENTS_HEAD,
        _overview(),
        *_sections(events, defined),
        SHARED_HEAD,
        *_sections(shared, defined),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _overview() -> str:
    rows = [
        f"| `{topic}` | {'state' if topic in STATE_TOPICS else 'stream'} "
        f"| {'yes' if topic in PUBLISHABLE else 'no'} |"
        for topic in EVENT_TYPES
    ]
    return "\n".join(["| topic | kind | producers may send it |", "| --- | --- | --- |", *rows])


def _sections(names: Mapping[str, str], defined: Json) -> Iterable[str]:
    for heading, name in names.items():
        found: Json = defined[name]
        text = f"### `{heading}`\n\n{found.get('description', '')}".rstrip()
        if name in _ENUMS:  # the schema has them by the alphabet, phases have an order
            yield f"{text}\n\nOne of {', '.join(f'`{one.value}`' for one in _ENUMS[name])}."
            continue
        required = frozenset[str](found.get("required", ()))
        rows = [
            _row(field, facts, field in required) for field, facts in found["properties"].items()
        ]
        yield "\n".join([text, "", "| field | type | meaning |", "| --- | --- | --- |", *rows])


def _row(field: str, facts: Json, required: bool) -> str:  # noqa: FBT001 - private
    absent = "" if required else " (may be absent)"
    return f"| `{field}` | {_type(facts)}{absent} | {facts.get('description', '')} |"


def _type(facts: Json) -> str:
    """Return a JSON type in words.

    >>> _type({"anyOf": [{"type": "number"}, {"type": "null"}]})
    'number or null'
    """
    if "anyOf" in facts:
        return " or ".join(_type(one) for one in facts["anyOf"])
    if "$ref" in facts:
        name = facts["$ref"].removeprefix(_REF)
        return f"[`{name}`](#{name.lower()})"
    kind = str(facts.get("type", "any"))
    if kind == "array":
        return f"list of {_type(facts['items'])}"
    if kind == "object":
        return f"object of {_type(facts['additionalProperties'])}"
    return kind + _bounds(facts)


def _bounds(facts: Json) -> str:
    if "minimum" in facts and "maximum" in facts and facts["maximum"] == 1:
        return " 0–1"
    if facts.get("minimum") == 0:
        return " ≥ 0"
    return ""


def write() -> None:
    """Write the files anew, and the page's palette."""
    SCHEMA_FILE.write_bytes(schema_bytes())
    PAGE_FILE.write_text(page(), encoding="utf-8")
    PALETTE_FILE.write_bytes(palette_bytes())


if __name__ == "__main__":
    write()
