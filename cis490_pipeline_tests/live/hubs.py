"""A hub on a real socket of this process, and listeners that read its stream as it is sent."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.live.app import Parts
from cis490_pipeline.live.assembly import Rests, Watch, watch
from cis490_pipeline.live.feeders.supervision import Patience, Plan, feeding
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.live.limits import HubLimits, RequestLimits
from cis490_pipeline.live.page_files import PAGE_DIRECTORY, PageFiles
from cis490_pipeline.live.places import Places, live_directory, tokens_in
from cis490_pipeline.live.server import LiveServer, bound_sending, make_server
from cis490_pipeline.receiver.server import listen
from cis490_pipeline.receiver.tokens import Access
from cis490_pipeline.warehouse.warehouse import Warehouse

TIMEOUT_S = 20.0
Message = dict[str, Any]

QUICK = Rests(
    episodes_s=0.02,
    snapshot_s=0.05,
    alerts_s=0.02,
    verdicts_s=0.05,
    phase_mix_s=0.05,
    models_s=0.05,
)


class Listening:
    """One connection to ``/v1/events``, read message by message."""

    def __init__(self, port: int, since: str | None = None, **headers: str) -> None:
        self.ids: list[str] = []
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        query = "" if since is None else f"?since={since}"
        sent = {"Host": f"127.0.0.1:{port}", **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in sent.items())
        self._socket.sendall(f"GET /v1/events{query} HTTP/1.1\r\n{head}\r\n".encode())
        self._response = http.client.HTTPResponse(self._socket)
        self._response.begin()
        self.status = self._response.status
        self.headers = self._response.headers

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()
        self._socket.close()

    def messages(self) -> Iterator[Message]:
        """Yield messages until the hub ends the stream."""
        fields: dict[str, str] = {}
        while line := self._response.readline():
            text = line.decode().rstrip("\n")
            if text:
                name, _, value = text.partition(": ")
                assert name in ("id", "data", "retry"), text
                fields[name] = value
                continue
            if "id" in fields:
                self.ids.append(fields["id"])
            if "data" in fields:
                yield json.loads(fields["data"])
            fields = {}

    def until(self, found: Callable[[Message], bool]) -> list[Message]:
        """Return messages up to the first for which ``found`` is true, it included."""
        seen: list[Message] = []
        deadline = time.monotonic() + TIMEOUT_S
        for message in self.messages():
            seen.append(message)
            assert time.monotonic() < deadline, {one["topic"] for one in seen}
            if found(message):
                return seen
        raise AssertionError(f"the stream ended: {[one['topic'] for one in seen][-20:]}")

    def topic(self, name: str) -> Message:
        """Return the next message of a topic."""
        return self.until(lambda one: one["topic"] == name)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingHub:
    """A served hub; ``on_loop`` calls something in the hub's own thread."""

    hub: Hub
    watching: Watch
    server: LiveServer
    port: int
    token: str
    on_loop: Callable[[Callable[[], Any]], Any] = field(repr=False)

    def listen(self, since: str | None = None, **headers: str) -> Listening:
        return Listening(self.port, since, **headers)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, _, content = self.ask("GET", path)
        assert status == 200, content
        return json.loads(content)

    def post(self, *events: tuple[str, Any], token: str | None = None) -> tuple[int, Any]:
        listed = [{"topic": topic, "data": data} for topic, data in events]
        body = json.dumps({"schema_version": 1, "events": listed}).encode()
        headers = {"Authorization": f"Bearer {token or self.token}"}
        status, _, content = self.ask("POST", "/v1/events", body, headers)
        return status, json.loads(content)

    def wait(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not is_so():
            assert time.monotonic() < deadline, "it never came to be"
            time.sleep(0.005)


class _Serving:
    """The loop of a served hub: it runs in a thread of its own."""

    def __init__(self, parts: Parts, plans: Sequence[Plan], listening: socket.socket) -> None:
        self.started = threading.Event()
        self.server: LiveServer
        self._parts, self._plans, self._listening = parts, plans, listening
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> None:
        """Serve until the server is told to exit."""
        patience = Patience(first_s=0.01, longest_s=0.02)
        async with feeding(self._plans, patience) as states:
            self._loop = asyncio.get_running_loop()
            self.server = make_server(replace(self._parts, feeders=states))
            self.started.set()
            await self.server.serve(sockets=[self._listening])

    def on_loop(self, call: Callable[[], Any]) -> Any:
        """Return what ``call`` gives, called in the loop's thread."""

        async def called() -> Any:
            return call()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(TIMEOUT_S)


@contextmanager
def living_hub(
    root: Path,
    *,
    port: int = 0,
    plans: Callable[[Watch], Sequence[Plan]] = lambda _: (),
    limits: HubLimits | None = None,
    requests: RequestLimits | None = None,
    names: Sequence[str] = (),
    page: Path = PAGE_DIRECTORY,
    rests: Rests = QUICK,
) -> Generator[LivingHub]:
    """Serve a hub over ``root/store`` and ``root/data``; ``plans`` says who feeds, else nobody."""
    store, data = root / "store", root / "data"
    store.mkdir(parents=True, exist_ok=True)
    tokens = tokens_in(live_directory(data))
    places = Places(store=EpisodeStore(store), warehouse=Warehouse(data))
    watching = watch(places, limits or HubLimits(pace_s=0.0), rests)
    with listen("127.0.0.1", port) as listening:
        bound_sending(listening, watching.hub.limits.send_s)

        parts = Parts(
            hub=watching.hub,
            library=watching.library,
            tokens=tokens,
            page=PageFiles(page),
            limits=requests or RequestLimits(),
            names=tuple(names),
        )
        serving = _Serving(parts, plans(watching), listening)
        thread = threading.Thread(target=asyncio.run, args=(serving.run(),))
        thread.start()
        assert serving.started.wait(TIMEOUT_S)
        try:
            yield LivingHub(
                hub=watching.hub,
                watching=watching,
                server=serving.server,
                port=listening.getsockname()[1],
                token=tokens.add("box", Access.PRODUCER),
                on_loop=serving.on_loop,
            )
        finally:
            serving.server.should_exit = True
            thread.join(timeout=60)
            assert not thread.is_alive()
