"""The hub's HTTP interface; ``openapi`` describes it.

Whatever blocks happens in threads, so that no listener waits for a question that somebody asks.

Not here: sockets (``server``), other origins (``guard``), what disk says (``feeders``).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cis490_pipeline.errors import Cis490Error
from cis490_pipeline.live import refusals
from cis490_pipeline.live.contract import SCHEMA_FILE
from cis490_pipeline.live.explorer import Query
from cis490_pipeline.live.exposition import MEDIA_TYPE, exposed
from cis490_pipeline.live.feeders.supervision import FeederState
from cis490_pipeline.live.guard import Guard
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.live.library import Library
from cis490_pipeline.live.limits import RequestLimits
from cis490_pipeline.live.openapi import document
from cis490_pipeline.live.page_files import PageFiles
from cis490_pipeline.live.publishing import body_of, producer_of
from cis490_pipeline.live.status import health_of, metrics_of
from cis490_pipeline.live.stream import EventStream
from cis490_pipeline.live.wire import BadBody, Cursor, read_published
from cis490_pipeline.receiver.refusals import Refusal
from cis490_pipeline.receiver.tokens import Tokens
from cis490_pipeline.receiver.unread import CloseUnread
from cis490_pipeline.schema.ids import episode_id_or_none

_NO_STORE: Final = {"Cache-Control": "no-store"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the interface is to; ``names`` are those that the server goes by, beside loopback's."""

    hub: Hub
    library: Library
    tokens: Tokens
    page: PageFiles
    limits: RequestLimits
    names: tuple[str, ...] = ()
    feeders: Sequence[FeederState] = ()


class _Live:
    """The endpoints; counts the bodies that are being received."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._hub = parts.hub
        self._publishing = 0

    async def events(self, request: Request) -> Response | EventStream:
        """Take events from a producer, or begin to give them."""
        return await self._publish(request) if request.method == "POST" else self._listen(request)

    def _listen(self, request: Request) -> Response | EventStream:
        told = request.headers.get("last-event-id") or request.query_params.get("since")
        since = None if not told else Cursor.parse(told)
        if told and since is None:
            return refusals.BAD_CURSOR.response()
        if len(self._hub.listeners) >= self._hub.limits.listeners:
            self._hub.tally.turned_away += 1
            return refusals.FULL.response()
        return EventStream(self._hub, since)

    async def _publish(self, request: Request) -> Response:
        answer = await self._published(request)
        if isinstance(answer, Refusal):
            self._hub.tally.refused[answer.error] += 1
            return answer.response()
        return answer

    async def _published(self, request: Request) -> Response | Refusal:
        try:
            producer = producer_of(request, self._parts.tokens)
        except (Cis490Error, OSError) as error:
            _log.error("%s", error)
            return refusals.UNAVAILABLE
        if producer is None:
            return refusals.NO_TOKEN
        if self._publishing >= self._parts.limits.publishing:
            return refusals.BUSY
        self._publishing += 1
        try:
            body = await body_of(request, self._parts.limits)
        finally:
            self._publishing -= 1
        if isinstance(body, Refusal):
            return body
        events = read_published(body, most_bytes=self._parts.limits.event_bytes)
        if isinstance(events, BadBody):
            self._hub.tally.refused["bad-event"] += 1
            return bad_body(events)
        for event in events:
            self._hub.publish(event, producer)
        return JSONResponse({"accepted": len(events), "head": self._hub.head}, 202)

    async def episodes(self, request: Request) -> Response:
        """Give a page of the table of episodes."""
        query = Query.parse(request.query_params.multi_items())
        if query is None:
            return refusals.BAD_QUERY.response()
        return _json(await run_sync(self._parts.library.find, query))

    async def episode(self, request: Request) -> Response:
        """Give one episode, with its phases and its verdict."""
        name = episode_id_or_none(request.path_params["episode"])
        found = None if name is None else await run_sync(self._parts.library.one, name)
        return refusals.NO_EPISODE.response() if found is None else _json(found)

    async def health(self, _: Request) -> Response:
        """Say that the hub answers, and how its feeders are."""
        parts = self._parts
        found = health_of(self._hub, parts.library.holdings, parts.feeders)
        return JSONResponse(found, headers=_NO_STORE)

    async def metrics(self, _: Request) -> Response:
        """Give the counters."""
        parts = self._parts
        text = exposed(metrics_of(self._hub, parts.library.holdings, parts.feeders))
        return PlainTextResponse(text, headers={**_NO_STORE, "Content-Type": MEDIA_TYPE})

    async def schema(self, _: Request) -> Response:
        """Give the contract."""
        return Response(SCHEMA_FILE.read_bytes(), media_type="application/schema+json")

    async def openapi(self, _: Request) -> Response:
        """Describe this interface."""
        return JSONResponse(document(self._parts.limits))


def bad_body(found: BadBody) -> Response:
    """Refuse a publishing request; names the event that is to blame."""
    error = "bad-body" if found.index is None else "bad-event"
    body = {"error": error, "reason": found.reason, "index": found.index}
    return JSONResponse(body, 422)


def _json(found: object) -> Response:
    data = msgspec.json.encode(found)
    return Response(data, media_type="application/json", headers=_NO_STORE)


async def _http_fault(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return refusals.not_allowed((error.headers or {}).get("Allow", "")).response()
    return refusals.NO_ROUTE.response()


async def _fault(_: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    return refusals.FAULT.response()


def build_app(parts: Parts) -> ASGIApp:
    """Return the application."""
    live = _Live(parts)
    app = Starlette(
        routes=[
            Route("/v1/events", live.events, methods=["GET", "POST"]),
            Route("/v1/events.schema.json", live.schema, methods=["GET"]),
            Route("/v1/episodes", live.episodes, methods=["GET"]),
            Route("/v1/episodes/{episode}", live.episode, methods=["GET"]),
            Route("/v1/health", live.health, methods=["GET"]),
            Route("/v1/openapi.json", live.openapi, methods=["GET"]),
            Route("/metrics", live.metrics, methods=["GET"]),
            Route("/{path:path}", parts.page.serve, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _http_fault, Exception: _fault},
        middleware=[Middleware(CloseUnread)],
    )
    app.router.redirect_slashes = False
    # Outside of everything, so that what fails is guarded too.
    return Guard(app, parts.names)
