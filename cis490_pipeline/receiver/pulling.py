"""Mirroring a receiver's store: the same episodes, verified, under the same ids and times.

The mirror follows the receiver's index page by page. What it does not hold is downloaded to a
temporary file (an interrupted one is gone on with), compared with the row's sha256, renamed into
place and entered into the mirror's own index with the receiver's time, so that tables made from
either store are equal. The place in the index is kept after each page of which every episode is
there; what could not be had is tried again by the next pull.

Not here: the network (``client``), the mirror's files (``keeper``).
"""

import http.client
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import urlencode

import msgspec

from cis490_pipeline.errors import StoreError, TransferError
from cis490_pipeline.receiver.client import Answer, Client, headers_of
from cis490_pipeline.receiver.durable import write_private
from cis490_pipeline.receiver.incoming import PULLED_SUFFIX, Incoming, clear, pulled
from cis490_pipeline.receiver.keeper import Keeper
from cis490_pipeline.schema.ids import EpisodeId, HostId, episode_id_or_none, host_id_or_none

_CHUNK_BYTES: Final = 1 << 18
_ATTEMPTS: Final = 3
_Count = Annotated[int, msgspec.Meta(ge=0)]


class RemoteRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the receiver's index, not yet believed."""

    episode_id: str
    host_id: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
    size_bytes: _Count
    received_at_wall: float | None


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    rows: tuple[RemoteRow, ...]
    cursor: str | None
    gap: bool
    at_end: bool


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a mirror has come; of another receiver or another choice of hosts it says nothing."""

    source: str
    host: str | None
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """What a pull did.

    Attributes
    ----------
    pulled, held
        Episodes that came, and rows whose episode was there already.
    superseded
        Rows whose episode was shipped anew since; the later row brings it.
    missing
        Rows whose episode the receiver does not have, or has with other bytes than it says.
    gap
        The receiver says that rows may be missing.
    """

    pulled: int = 0
    held: int = 0
    superseded: int = 0
    missing: int = 0
    pulled_bytes: int = 0
    gap: bool = False


Tell = Callable[[str], None]


def pull(keeper: Keeper, client: Client, source: str, host: str | None, tell: Tell) -> Mirrored:
    """Bring a mirror up to the end of the receiver's index.

    Parameters
    ----------
    source
        The receiver's address, to know the place in its index again.
    host
        Only its episodes; None is all that the token may read.
    tell
        Hears of every episode that came or is missing.

    Raises
    ------
    TransferError
        Where the receiver cannot be reached, refuses, or answers with something else.
    OSError, StoreError
        Where the mirror cannot be written.
    """
    puller = _Puller(keeper, client, tell)
    cursor = _kept_cursor(keeper, source, host)
    done, whole = Mirrored(), True
    while True:
        page = _page(client, cursor, host)
        done = puller.take(page, done)
        whole = whole and not done.missing
        if whole:
            place = _Place(source=source, host=host, cursor=page.cursor)
            write_private(keeper.layout.pull, msgspec.json.encode(place))
        if page.at_end:
            if whole:  # nobody will go on with what is still half there
                clear(keeper.layout.incoming, PULLED_SUFFIX)
            return done
        if page.cursor == cursor:
            raise _foreign("a page that leads nowhere")
        cursor = page.cursor


def _kept_cursor(keeper: Keeper, source: str, host: str | None) -> str | None:
    with suppress(FileNotFoundError, msgspec.MsgspecError):
        place = msgspec.json.decode(keeper.layout.pull.read_bytes(), type=_Place)
        if (place.source, place.host) == (source, host):
            return place.cursor
    return None


def _page(client: Client, cursor: str | None, host: str | None) -> _Page:
    wanted = {"cursor": cursor, "host": host}
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    answer = client.ask("GET", f"/v1/index?{query}")
    if answer.status == 404 and cursor is not None:  # of another version: begin anew
        return _page(client, None, host)
    if answer.status != 200:
        raise _foreign(answer.reason)
    try:
        return msgspec.json.decode(answer.content, type=_Page)
    except msgspec.MsgspecError as error:
        raise _foreign(str(error)) from error


def _foreign(found: str) -> TransferError:
    return TransferError(
        "this does not answer like a receiver",
        expected="a page of its index",
        found=found,
        todo="check the address",
    )


class _Puller:
    """Takes the rows of a page, one after the other."""

    def __init__(self, keeper: Keeper, client: Client, tell: Tell) -> None:
        self._keeper = keeper
        self._client = client
        self._tell = tell

    def take(self, page: _Page, done: Mirrored) -> Mirrored:
        last = {row.episode_id: row for row in page.rows}
        for row in page.rows:
            if last[row.episode_id] is not row:
                done = replace(done, superseded=done.superseded + 1)
            else:
                done = self._take_row(row, done)
        return replace(done, gap=done.gap or page.gap)

    def _take_row(self, row: RemoteRow, done: Mirrored) -> Mirrored:
        host_id, episode_id = host_id_or_none(row.host_id), episode_id_or_none(row.episode_id)
        if host_id is None or episode_id is None:  # a name from afar is never used as a path
            raise _foreign("a row with a name that no episode has")
        if self._has(row, episode_id):
            return replace(done, held=done.held + 1)
        incoming = pulled(self._keeper.layout.incoming, host_id, episode_id, row.sha256)
        try:
            status = self._download(row, incoming)
            if status == "whole":
                self._keeper.keep(incoming, row.received_at_wall, supersede=True)
        finally:
            incoming.close()
        if status == "superseded":
            return replace(done, superseded=done.superseded + 1)
        if status == "missing":
            self._tell(f"{host_id}/{episode_id} is not there with the bytes of its row")
            return replace(done, missing=done.missing + 1)
        self._tell(f"{host_id}/{episode_id}: {row.size_bytes} bytes")
        n_bytes = done.pulled_bytes + row.size_bytes
        return replace(done, pulled=done.pulled + 1, pulled_bytes=n_bytes)

    def _has(self, row: RemoteRow, episode_id: EpisodeId) -> bool:
        held = self._keeper.held(episode_id)
        if held is None or (held.host_id, held.sha256) != (row.host_id, row.sha256):
            return False
        stamp = self._keeper.store.stamp(HostId(row.host_id), episode_id)
        return stamp is not None and stamp.size_bytes == row.size_bytes

    def _download(self, row: RemoteRow, incoming: Incoming) -> str:
        """Return whole, superseded or missing; what does not verify is deleted and had again."""
        path = f"/v1/episodes/{row.host_id}/{row.episode_id}"
        for n_asked in range(_ATTEMPTS + 1):
            if (incoming.size_bytes, incoming.sha256) == (row.size_bytes, row.sha256):
                return "whole"
            if incoming.size_bytes >= row.size_bytes:
                incoming.restart()
            if n_asked == _ATTEMPTS:
                break
            answer = self._client.patiently(lambda: self._get(row, incoming, path), path)
            if answer.status == 404:
                break
            if answer.status not in (200, 206, 416):
                raise _foreign(answer.reason)
            if answer.etag and answer.etag != row.sha256:
                incoming.discard()
                return "superseded"
        incoming.discard()
        return "missing"

    def _get(self, row: RemoteRow, incoming: Incoming, path: str) -> Answer:
        headers: dict[str, str] = {}
        if incoming.size_bytes:
            headers = {"Range": f"bytes={incoming.size_bytes}-", "If-Range": f'"{row.sha256}"'}
        with self._client.answered("GET", path, headers) as answer:
            named = headers_of(answer)
            if answer.status not in (200, 206):
                return Answer(status=answer.status, headers=named, content=answer.read())
            if named.get("etag", "").strip('"') == row.sha256:
                if answer.status == 200:
                    incoming.restart()
                _copy(answer, incoming, row.size_bytes)
            return Answer(status=answer.status, headers=named, content=b"")


def _copy(answer: http.client.HTTPResponse, incoming: Incoming, size_bytes: int) -> None:
    """Write what comes, never more than the row says.

    Raises
    ------
    http.client.IncompleteRead
        Where the connection ends too early: what came is kept, and gone on with.
    """
    while incoming.size_bytes < size_bytes and (chunk := answer.read(_CHUNK_BYTES)):
        _write(incoming, chunk[: size_bytes - incoming.size_bytes])
    if incoming.size_bytes < size_bytes:
        raise http.client.IncompleteRead(b"", size_bytes - incoming.size_bytes)


def _write(incoming: Incoming, data: bytes) -> None:
    """Write; what this machine refuses is no fault of the network, and not tried again."""
    try:
        incoming.write(data)
    except OSError as error:
        raise StoreError(
            "the mirror cannot be written",
            where=str(incoming.path),
            found=error.strerror or type(error).__name__,
            todo="check free space and permissions, then pull again: it goes on from there",
        ) from error
