"""A receiver on a real socket of this process, and raw connections to it."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cis490_pipeline.receiver.app import build_app
from cis490_pipeline.receiver.client import Address, Client, Patience
from cis490_pipeline.receiver.keeper import Keeper, open_keeper
from cis490_pipeline.receiver.limits import Limits
from cis490_pipeline.receiver.server import listen, make_server
from cis490_pipeline.receiver.tokens import Access, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A served store."""

    keeper: Keeper
    port: int
    host_token: str
    reader_token: str
    clients: list[Client] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.keeper.store.root

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = None, attempts: int = 3) -> Client:
        address, known = Address.parse(self.url), token or self.host_token
        self.clients.append(Client(address, known, impatient(attempts), timeout_s=20))
        return self.clients[-1]

    def raw(self, data: bytes) -> bytes:
        """Send bytes and return all that comes back until the other side hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(data)
            return read_to_end(connection)


def read_to_end(connection: socket.socket) -> bytes:
    """Return what comes until the connection ends, however it does."""
    found = b""
    try:
        while part := connection.recv(1 << 16):
            found += part
    except ConnectionResetError:
        pass
    return found


def impatient(attempts: int = 3) -> Patience:
    """Return one that tries again at once."""
    return Patience(attempts=attempts, sleep=lambda _: None)


@contextmanager
def living(root: Path, port: int = 0, **limits: Any) -> Generator[Living]:
    """Serve a store for as long as the block runs; a host ``lab-a`` and a reader have tokens."""
    bounds = Limits(**limits)
    with open_keeper(root) as keeper, listen("127.0.0.1", port) as listening:
        tokens = Tokens(keeper.layout.tokens)
        served = Living(
            keeper=keeper,
            port=listening.getsockname()[1],
            host_token=tokens.add("lab-a", Access.HOST),
            reader_token=tokens.add("box", Access.READER),
        )
        server = make_server(build_app(keeper, tokens, bounds), bounds)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield served
        finally:
            for client in served.clients:
                client.close()
            server.should_exit = True
            thread.join(timeout=60)
            assert not thread.is_alive()
