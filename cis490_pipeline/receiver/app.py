"""The receiver's HTTP interface; ``openapi`` describes it.

Who asks is settled before what is asked, and both before the first byte of a body is read. Whatever
blocks happens in threads.

Not here: bytes on disk (``keeper``), sockets and headers (``server``).
"""

import errno
import logging
import stat
from dataclasses import dataclass
from typing import Final

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cis490_pipeline.errors import Cis490Error, ConfigurationError
from cis490_pipeline.receiver import refusals
from cis490_pipeline.receiver.downloads import EpisodeResponse, range_of
from cis490_pipeline.receiver.incoming import Incoming, received
from cis490_pipeline.receiver.index_pages import IndexPage, read_page
from cis490_pipeline.receiver.keeper import Held, Keeper, Outcome, now_iso
from cis490_pipeline.receiver.limits import Limits
from cis490_pipeline.receiver.openapi import document
from cis490_pipeline.receiver.refusals import Refusal
from cis490_pipeline.receiver.tokens import Access, Grant, Tokens, offered
from cis490_pipeline.receiver.unread import CloseUnread
from cis490_pipeline.receiver.uploads import declared, take_body
from cis490_pipeline.schema.ids import EpisodeId, HostId, episode_id_or_none, host_id_or_none

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_STATUS: Final = {Outcome.NEW: 201, Outcome.SAME: 200}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An episode that a request is about, and may be about."""

    host_id: HostId
    episode_id: EpisodeId

    @property
    def name(self) -> str:
        return f"{self.host_id}/{self.episode_id}"


class _Receiver:
    """The endpoints; counts the bodies that are being received."""

    def __init__(self, keeper: Keeper, tokens: Tokens, limits: Limits) -> None:
        self._keeper = keeper
        self._tokens = tokens
        self._limits = limits
        self._uploading = 0

    async def episode(self, request: Request) -> Response:
        """Take or give one episode."""
        writes = request.method == "PUT"
        asked = self._asked(request, writes=writes)
        if isinstance(asked, Refusal):
            return asked.response()
        return await (self._put(request, asked) if writes else self._get(request, asked))

    def _asked(self, request: Request, *, writes: bool) -> _Asked | Refusal:
        grant = self._grant(request)
        if isinstance(grant, Refusal):
            return grant
        host_id = host_id_or_none(request.path_params["host"])
        episode_id = episode_id_or_none(request.path_params["episode"])
        if host_id is None:
            return refusals.BAD_HOST
        if not (grant.may_write(host_id) if writes else grant.may_read(host_id)):
            return refusals.NOT_YOURS
        if episode_id is None:
            return refusals.BAD_EPISODE
        return _Asked(host_id=host_id, episode_id=episode_id)

    def _grant(self, request: Request) -> Grant | Refusal:
        token = offered(request.headers.get("authorization", ""))
        try:
            grant = None if token is None else self._tokens.grant_of(token)
        except (ConfigurationError, OSError) as error:
            _log.error("%s", error)
            return refusals.UNAVAILABLE
        return refusals.NO_TOKEN if grant is None else grant

    async def _put(self, request: Request, asked: _Asked) -> Response:
        told = declared(request.headers, self._limits)
        if isinstance(told, Refusal):
            return told.response()
        if self._uploading >= self._limits.uploads:
            return refusals.BUSY.response()
        self._uploading += 1
        incoming = received(self._keeper.layout.incoming, asked.host_id, asked.episode_id)
        try:
            refusal = await take_body(request, incoming, told, self._limits)
            if refusal is None:
                return await self._keep(incoming, asked)
        except OSError as error:
            refusal = refusals.NO_SPACE if error.errno in _FULL else refusals.UNAVAILABLE
            _log.error("%s: %s", error.filename or incoming.path, error.strerror)
        finally:
            self._uploading -= 1
            await run_sync(incoming.discard)
        _log.info("%s refused: %s", asked.name, refusal.error)
        return refusal.response()

    async def _keep(self, incoming: Incoming, asked: _Asked) -> Response:
        try:
            outcome = await run_sync(self._keeper.keep, incoming, now_iso())
        except Cis490Error as error:
            _log.critical("%s", error)
            return refusals.UNAVAILABLE.response()
        _log.info("%s %s: %d bytes", asked.name, outcome, incoming.size_bytes)
        if outcome is Outcome.CONFLICT:
            return refusals.CONFLICT.response()
        facts = {
            "episode_id": asked.episode_id,
            "host_id": asked.host_id,
            "sha256": incoming.sha256,
            "size_bytes": incoming.size_bytes,
            "outcome": outcome.value,
        }
        return JSONResponse(facts, _STATUS[outcome], headers={"ETag": f'"{incoming.sha256}"'})

    async def _get(self, request: Request, asked: _Asked) -> Response:
        held = self._keeper.held(asked.episode_id)
        if held is None or held.host_id != asked.host_id:
            return refusals.NO_EPISODE.response()
        return await run_sync(self._opened, request, asked, held)

    def _opened(self, request: Request, asked: _Asked, held: Held) -> Response:
        path = self._keeper.store.tarball_path(asked.host_id, asked.episode_id)
        try:
            found = path.lstat()
        except OSError as error:
            _log.error("%s: %s", path, error.strerror)
            lost = isinstance(error, FileNotFoundError)
            return (refusals.NO_EPISODE if lost else refusals.UNAVAILABLE).response()
        if found.st_size != held.size_bytes or not stat.S_ISREG(found.st_mode):
            _log.error("%s is not what the index says", path)
            return refusals.NO_EPISODE.response()
        etag = f'"{held.sha256}"'
        chosen = None
        if request.method == "GET":
            chosen = range_of(request.headers, etag, held.size_bytes)
        if chosen is not None and chosen[0] >= held.size_bytes:
            return refusals.not_satisfiable(held.size_bytes).response()
        return EpisodeResponse(str(path), found, etag, chosen, self._limits.body_s)

    async def index(self, request: Request) -> Response:
        """Give a page of the index: to a host its own rows, to a reader all, or one host's."""
        grant = self._grant(request)
        if isinstance(grant, Refusal):
            return grant.response()
        host = request.query_params.get("host")
        if host is not None and host_id_or_none(host) is None:
            return refusals.BAD_HOST.response()
        if host is not None and not grant.may_read(host):
            return refusals.NOT_YOURS.response()
        if host is None and grant.access is Access.HOST:
            host = grant.name
        cursor = request.query_params.get("cursor")
        try:
            path = self._keeper.store.index_path
            page = await run_sync(read_page, path, cursor, host)
        except ConfigurationError:
            return refusals.NO_CURSOR.response()
        except Cis490Error as error:
            _log.error("%s", error)
            return refusals.UNAVAILABLE.response()
        return JSONResponse(_page_json(page))

    async def health(self, _: Request) -> Response:
        """Say that the receiver answers, and what it is doing; nobody is asked for a token."""
        return JSONResponse(
            {
                "status": "ok",
                "episodes": len(self._keeper),
                "uploading": self._uploading,
                "max_bytes": self._limits.max_bytes,
            }
        )

    async def openapi(self, _: Request) -> Response:
        """Describe this interface."""
        return JSONResponse(document(self._limits))


def _page_json(page: IndexPage) -> dict[str, object]:
    rows = [
        {
            "episode_id": one.episode_id,
            "host_id": one.host_id,
            "sha256": one.sha256,
            "size_bytes": one.size_bytes,
            "received_at_wall": one.received_at_s,
        }
        for one in page.entries
    ]
    return {
        "rows": rows,
        "cursor": page.cursor,
        "generation": page.generation,
        "offset": page.offset,
        "rotated": page.rotated,
        "gap": page.gap,
        "at_end": page.at_end,
    }


async def _http_fault(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return refusals.not_allowed((error.headers or {}).get("Allow", "")).response()
    return refusals.NO_ROUTE.response()


async def _fault(_: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    return refusals.FAULT.response()


def build_app(keeper: Keeper, tokens: Tokens, limits: Limits) -> Starlette:
    """Return the application over an open store."""
    receiver = _Receiver(keeper, tokens, limits)
    app = Starlette(
        routes=[
            Route("/v1/episodes/{host}/{episode}", receiver.episode, methods=["GET", "PUT"]),
            Route("/v1/index", receiver.index, methods=["GET"]),
            Route("/v1/health", receiver.health, methods=["GET"]),
            Route("/v1/openapi.json", receiver.openapi, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _http_fault, Exception: _fault},
        middleware=[Middleware(CloseUnread)],
    )
    app.router.redirect_slashes = False
    return app
