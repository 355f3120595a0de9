"""The OpenAPI 3.1 description of the hub, held to it by tests that try what it promises.

Not here: what it describes (``app``), the events (``contract``).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from cis490_pipeline.live.contract import schema
from cis490_pipeline.live.explorer import MOST_OFFSET, MOST_ROWS, MOST_TEXT, Order, Page, Sort
from cis490_pipeline.live.library import Details
from cis490_pipeline.live.limits import RequestLimits

Json = dict[str, Any]

_SCHEMAS: Final = "#/components/schemas/"
_TEXT: Final[Json] = {"type": "string", "maxLength": MOST_TEXT}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_EPISODE: Final[Json] = {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$"}
_RETRY: Final[Json] = {
    "Retry-After": {"required": True, "schema": {"type": "integer"}, "description": "Seconds."}
}


def document(limits: RequestLimits) -> Json:
    """Return the whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "cis490 live", "version": "1"},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _components(),
        },
        "paths": {
            "/v1/events": {"get": _listen(), "post": _publish(limits)},
            "/v1/episodes": {"get": _episodes()},
            "/v1/episodes/{episode}": {"get": _episode()},
            "/v1/health": {"get": _plain("getHealth", "How the hub and its feeders are.")},
            "/v1/events.schema.json": {
                "get": _plain("getSchema", "The events.", "application/schema+json")
            },
            "/v1/openapi.json": {"get": _plain("getDescription", "This.")},
            "/metrics": {"get": _plain("getMetrics", "For Prometheus.", "text/plain")},
        },
    }


def _components() -> Json:
    found = schema()["$defs"]
    defined = {name: _moved(one) for name, one in found.items()}
    _, own = msgspec.json.schema_components([Page, Details], ref_template=_SCHEMAS + "{name}")
    error: Json = {"error": {"type": "string"}, "reason": {"type": "string"}}
    bad: Json = {**error, "index": {"type": ["integer", "null"]}}
    accepted: Json = {"accepted": {"type": "integer", "minimum": 1}, "head": _COUNT}
    return {
        **defined,
        **own,
        "Refusal": _object(error),
        "BadBody": _object(bad),
        "Accepted": _object(accepted),
    }


def _moved(one: Any) -> Any:
    """Point references at this document's schemas."""
    if isinstance(one, Mapping):
        return {
            key: value.replace("#/$defs/", _SCHEMAS) if key == "$ref" else _moved(value)
            for key, value in one.items()
        }
    return [_moved(part) for part in one] if isinstance(one, list) else one


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


def _json(description: str, name: str, headers: Json | None = None) -> Json:
    content = {"application/json": {"schema": {"$ref": _SCHEMAS + name}}}
    answer: Json = {"description": description, "content": content}
    return {**answer, "headers": headers} if headers else answer


def _refusal(description: str, headers: Json | None = None) -> Json:
    return _json(description, "Refusal", headers)


_EVERYWHERE: Final[Json] = {
    "403": _refusal("A page of another origin asks."),
    "421": _refusal("The server does not go by that name."),
}


def _plain(operation: str, summary: str, media_type: str = "application/json") -> Json:
    answer = {"description": summary, "content": {media_type: {"schema": {}}}}
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {"200": answer, **_EVERYWHERE},
    }


def _query(name: str, schema_: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": schema_, "description": description}


def _listen() -> Json:
    cursor: Json = {"type": "string", "pattern": r"^[0-9a-f]{16}-[0-9]{1,15}$"}
    last = {**_query("Last-Event-ID", cursor, "Counts more than `since`."), "in": "header"}
    stream = {"description": "Messages without an end.", "content": {"text/event-stream": {}}}
    return {
        "operationId": "getEvents",
        "summary": "The stream: hello, the state, what one missed, what happens.",
        "parameters": [_query("since", cursor, "The id of the last message that one had."), last],
        "responses": {
            "200": stream,
            "400": _refusal("That is no id."),
            "503": _refusal("Too many are listening.", _RETRY),
            **_EVERYWHERE,
        },
    }


def _publish(limits: RequestLimits) -> Json:
    challenge: Json = {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}}
    content = {"application/json": {"schema": {"$ref": _SCHEMAS + "Published"}}}
    return {
        "operationId": "postEvents",
        "summary": f"Publish: all events or none; at most {limits.body_bytes} bytes.",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "202": _json("They are published.", "Accepted"),
            "401": _refusal("No valid token of a producer.", challenge),
            "408": _refusal("The body did not come in time."),
            "413": _refusal("Too large."),
            "422": _json("Not as described; `index` is that of the event.", "BadBody"),
            "503": _refusal("Busy, or the tokens cannot be read.", _RETRY),
            **_EVERYWHERE,
        },
    }


def _episodes() -> Json:
    many = {**_COUNT, "maximum": MOST_OFFSET}
    return {
        "operationId": "getEpisodes",
        "summary": "A page of the table of all episodes.",
        "parameters": [
            _query("search", _TEXT, "Any word of a row contains it."),
            *(_query(name, _TEXT, "Only these.") for name in ("host", "profile", "phase")),
            _query("status", _TEXT, "Only these; `unjudged` has no verdict yet."),
            _query("sort", {"enum": [one.value for one in Sort]}, "By default received_at."),
            _query("order", {"enum": [one.value for one in Order]}, "By default desc."),
            _query("offset", many, "Rows to pass over."),
            _query("limit", {**_COUNT, "maximum": MOST_ROWS}, "Rows to give; by default 50."),
        ],
        "responses": {
            "200": _json("The page.", "Page"),
            "400": _refusal("A parameter is unknown, twice there or of no use."),
            **_EVERYWHERE,
        },
    }


def _episode() -> Json:
    path = {
        "name": "episode",
        "in": "path",
        "required": True,
        "schema": _EPISODE,
        "description": "Its ULID.",
    }
    return {
        "operationId": "getEpisode",
        "summary": "An episode, its verdict, and where it is accepted its phases.",
        "parameters": [path],
        "responses": {
            "200": _json("It.", "Details"),
            "404": _refusal("No such episode."),
            **_EVERYWHERE,
        },
    }
