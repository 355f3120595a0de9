"""The OpenAPI 3.1 description of the receiver, held to it by tests that try what it promises.

Not here: what it describes (``app``).
"""

from collections.abc import Mapping
from typing import Any, Final

from cis490_pipeline.receiver.limits import Limits

Json = dict[str, Any]

_HOST: Final[Json] = {
    "type": "string",
    "maxLength": 63,
    "pattern": "^[A-Za-z0-9](\\.?[A-Za-z0-9_-])*\\.?$",
}
_EPISODE: Final[Json] = {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$"}
_SHA256: Final[Json] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_BINARY: Final[Json] = {"type": "string", "format": "binary"}
_FLAG: Final[Json] = {"type": "boolean"}
_ETAG: Final[Json] = {
    "ETag": {
        "description": "The sha256 in quotes.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{64}"$'},
    }
}
_ACCEPT_RANGES: Final[Json] = {"Accept-Ranges": {"schema": {"const": "bytes"}}}
_CONTENT_RANGE: Final[Json] = {
    "Content-Range": {"required": True, "schema": {"type": "string", "pattern": "^bytes "}}
}
_RETRY: Final[Json] = {
    "Retry-After": {"required": True, "schema": {"type": "integer"}, "description": "Seconds."}
}


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


_ROW: Final = _object(
    {
        "episode_id": _EPISODE,
        "host_id": _HOST,
        "sha256": _SHA256,
        "size_bytes": _COUNT,
        "received_at_wall": {"type": ["number", "null"], "description": "Unix seconds."},
    }
)

_SCHEMAS: Final[Mapping[str, Json]] = {
    "Refusal": _object({"error": {"type": "string"}, "reason": {"type": "string"}}),
    "Received": _object(
        {
            "episode_id": _EPISODE,
            "host_id": _HOST,
            "sha256": _SHA256,
            "size_bytes": {"type": "integer", "minimum": 1},
            "outcome": {"enum": ["new", "same"]},
        }
    ),
    "Row": _ROW,
    "IndexPage": _object(
        {
            "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
            "cursor": {"type": ["string", "null"]},
            "generation": _COUNT,
            "offset": _COUNT,
            "rotated": _FLAG,
            "gap": _FLAG,
            "at_end": _FLAG,
        }
    ),
    "Health": _object(
        {
            "status": {"const": "ok"},
            "episodes": _COUNT,
            "uploading": _COUNT,
            "max_bytes": _COUNT,
        }
    ),
}


def _json(description: str, schema: str, headers: Json | None = None) -> Json:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    answer: Json = {
        "description": description,
        "content": {"application/json": {"schema": reference}},
    }
    return {**answer, "headers": headers} if headers else answer


def _refusal(description: str, headers: Json | None = None) -> Json:
    return _json(description, "Refusal", headers)


def _file(description: str, headers: Json) -> Json:
    return {
        "description": description,
        "headers": headers,
        "content": {"application/zstd": {"schema": {}}},
    }


_WHO: Final[Json] = {
    "401": _refusal(
        "No valid token.", {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}}
    ),
    "403": _refusal("The token is not for that host."),
    "503": _refusal("Busy, or the store cannot be used now.", _RETRY),
}


def _parameter(name: str, where: str, schema: Json, description: str) -> Json:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "schema": schema,
        "description": description,
    }


_PATH: Final = [
    _parameter("host", "path", _HOST, "Who recorded the episode."),
    _parameter("episode", "path", _EPISODE, "Its ULID."),
]


def _put(limits: Limits) -> Json:
    return {
        "operationId": "putEpisode",
        "summary": "Ship an episode; safe to repeat.",
        "description": (
            "When this answers 200 or 201 the bytes and the index row are on disk. The body is a "
            f".tar.zst of at most {limits.max_bytes} bytes; it is not judged here."
        ),
        "parameters": [
            _parameter("X-Content-SHA256", "header", _SHA256, "Other bytes are refused.")
        ],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"minLength": 1, **_BINARY}}},
        },
        "responses": {
            "200": _json("It was there already.", "Received", _ETAG),
            "201": _json("It is new.", "Received", _ETAG),
            "400": _refusal("A bad name or header; the body is empty, cut off or another one."),
            "408": _refusal("The body did not come in time."),
            "409": _refusal("The id is taken by other bytes or another host; these are kept."),
            "413": _refusal("Too large."),
            "507": _refusal("The receiver's disk is full.", _RETRY),
            **_WHO,
        },
    }


def _get() -> Json:
    text: Json = {"type": "string"}
    return {
        "operationId": "getEpisode",
        "summary": "An episode's tarball, or one range of it.",
        "parameters": [
            _parameter("Range", "header", text, "One range of bytes; others are passed over."),
            _parameter("If-Range", "header", text, "The ETag of the part that one has."),
        ],
        "responses": {
            "200": _file("All of it.", {**_ETAG, **_ACCEPT_RANGES}),
            "206": _file("A range of it.", {**_ETAG, **_ACCEPT_RANGES, **_CONTENT_RANGE}),
            "400": _refusal("A bad name."),
            "404": _refusal("No such episode, or not on disk as the index says."),
            "416": _refusal("It ends before the range begins.", _CONTENT_RANGE),
            **_WHO,
        },
    }


def _head() -> Json:
    facts = {"description": "It is there.", "headers": {**_ETAG, **_ACCEPT_RANGES}}
    silent = {"400": "A bad name.", "404": "No such episode.", "401": "No valid token."}
    silent |= {"403": "The token is not for that host.", "503": "Come again."}
    return {
        "operationId": "headEpisode",
        "summary": "Whether an episode is there, and which bytes.",
        "responses": {"200": facts, **{k: {"description": v} for k, v in silent.items()}},
    }


def _index() -> Json:
    cursor = "Where the last page said that the next one begins; without it, the beginning."
    return {
        "operationId": "getIndex",
        "summary": "The index from a place on: whole rows, at most a few hundred kilobytes.",
        "description": (
            "Rows arrive at least once. `generation` counts up when the index was rotated; `gap` "
            "says that rows may be missing. A host's token sees its own rows."
        ),
        "parameters": [
            _parameter("cursor", "query", {"type": "string"}, cursor),
            _parameter("host", "query", _HOST, "Only this host's rows."),
        ],
        "responses": {
            "200": _json("A page.", "IndexPage"),
            "400": _refusal("A bad name."),
            "404": _refusal("The cursor names no place in this index."),
            **_WHO,
        },
    }


def document(limits: Limits) -> Json:
    """Return the whole description."""
    health = {"200": _json("It answers.", "Health")}
    itself = {"200": {"description": "This.", "content": {"application/json": {"schema": {}}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "cis490 receiver", "version": "1"},
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(_SCHEMAS),
        },
        "paths": {
            "/v1/episodes/{host}/{episode}": {
                "parameters": _PATH,
                "put": _put(limits),
                "get": _get(),
                "head": _head(),
            },
            "/v1/index": {"get": _index()},
            "/v1/health": {
                "get": {"operationId": "getHealth", "security": [], "responses": health}
            },
            "/v1/openapi.json": {
                "get": {"operationId": "getDescription", "security": [], "responses": itself}
            },
        },
    }
