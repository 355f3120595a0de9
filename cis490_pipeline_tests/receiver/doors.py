"""An application over an open store, asked in this process, and what is in its store."""

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from cis490_pipeline.receiver.app import build_app
from cis490_pipeline.receiver.keeper import Keeper, open_keeper
from cis490_pipeline.receiver.limits import Limits
from cis490_pipeline.receiver.tokens import Access, Tokens
from cis490_pipeline_tests.episodes.building import episode_id

HOST = "lab-a"


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """An open receiver with a token for ``lab-a``, one for ``lab-b`` and one for a reader."""

    keeper: Keeper
    client: TestClient
    tokens: Mapping[str, str]

    @property
    def root(self) -> Path:
        return self.keeper.store.root

    def ask(self, method: str, path: str, who: str | None = HOST, **options: Any) -> Any:
        headers = dict(options.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(who, who)}"
        return self.client.request(method, path, headers=headers, **options)

    def put(self, data: bytes, number: int = 0, who: str | None = HOST, **options: Any) -> Any:
        host = options.pop("host", HOST)
        return self.ask("PUT", address(number, host), who, content=data, **options)


def address(number: int, host: str = HOST) -> str:
    return f"/v1/episodes/{host}/{episode_id(number)}"


@contextmanager
def open_door(root: Path, **limits: Any) -> Generator[Door]:
    with open_keeper(root) as keeper:
        tokens = Tokens(keeper.layout.tokens)
        known = {
            "lab-a": tokens.add("lab-a", Access.HOST),
            "lab-b": tokens.add("lab-b", Access.HOST),
            "box": tokens.add("box", Access.READER),
        }
        app = build_app(keeper, tokens, Limits(**limits))
        client = TestClient(app, raise_server_exceptions=False)
        yield Door(keeper=keeper, client=client, tokens=known)


def rows_of(root: Path) -> list[dict[str, Any]]:
    """Return the index's rows; every line has to be one."""
    data = (root / "index.jsonl").read_bytes()
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def check_filed_once(root: Path, number: int, data: bytes, host: str = HOST) -> None:
    """Assert that an episode is on disk and in the index exactly once."""
    name = episode_id(number)
    path = root / "episodes" / host / f"{name}.tar.zst"
    assert path.read_bytes() == data
    rows = [row for row in rows_of(root) if row["episode_id"] == name]
    assert len(rows) == 1
    assert (rows[0]["host_id"], rows[0]["sha256"]) == (host, sha256_of(data))
    assert rows[0]["size_bytes"] == len(data)


def half_received(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "receiver" / "incoming").iterdir())


def kept_aside(root: Path) -> dict[str, bytes]:
    """Return what was kept aside: path below ``conflicts`` → content."""
    directory = root / "receiver" / "conflicts"
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}
