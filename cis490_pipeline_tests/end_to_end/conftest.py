"""The installed command and a real webserver and daemon, on loopback, over one data directory."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BIN = Path(sys.executable).parent
REPOSITORY = Path(__file__).resolve().parents[2]


def environment(data: Path) -> dict[str, str]:
    """Return an environment in which everything happens below ``data``."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CIS490_", "DAGSTER_"))}
    return {
        **kept,
        "CIS490_DATA": str(data),
        "CIS490_STORE": str(REPOSITORY / "data" / "corpus"),
        "DAGSTER_HOME": str(data / "dagster"),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "120",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """One finished ``cis490 smoke``."""

    stdout: str
    stderr: str
    result: Mapping[str, Any]


def run_smoke(data: Path) -> Smoke:
    """Run the installed command as a user would, with ``--json``."""
    done = subprocess.run(
        [str(BIN / "cis490"), "smoke", "--data", str(data), "--json"],
        cwd=data.parent,  # not the checkout: nothing may depend on the working directory
        env=environment(data),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Smoke(
        stdout=done.stdout, stderr=done.stderr, result=json.loads(done.stdout.splitlines()[-1])
    )


@pytest.fixture(scope="session")
def smoke_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("smoke") / "data"


@pytest.fixture(scope="session")
def first_smoke(smoke_data: Path) -> Smoke:
    return run_smoke(smoke_data)


@pytest.fixture(scope="session")
def second_smoke(smoke_data: Path, first_smoke: Smoke) -> Smoke:
    assert first_smoke.result["models"]
    return run_smoke(smoke_data)


class Dagster:
    """A webserver, spoken to by GraphQL."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            self._url, body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def answers(self) -> bool:
        try:
            return bool(self.ask("{version}"))
        except OSError:
            return False


def wait_until(question: Any, *, seconds: float, what: str) -> Any:
    """Ask until the answer is true; poll, since neither server tells by itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(data: Path, store: Path) -> Generator[Dagster]:
    """A real webserver and daemon over one data directory; ended by pid."""
    port = _free_port()
    workspace = ["-w", str(REPOSITORY / "workspace.yaml")]
    commands = [
        [str(BIN / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port), *workspace],
        [str(BIN / "dagster-daemon"), "run", *workspace],
    ]
    surroundings = {**environment(data), "CIS490_STORE": str(store)}
    with (data / "servers.log").open("wb") as log:
        servers = [
            subprocess.Popen(command, env=surroundings, cwd=REPOSITORY, stdout=log, stderr=log)
            for command in commands
        ]
        try:
            client = Dagster(port)
            wait_until(client.answers, seconds=120, what="the webserver answers")
            yield client
        finally:
            for server in servers:
                server.terminate()
            for server in servers:
                server.wait(timeout=60)


@pytest.fixture(scope="session")
def dagster(smoke_data: Path, second_smoke: Smoke) -> Iterator[Dagster]:
    """The servers over the smoke's home."""
    assert second_smoke.result["models"]
    with serving(smoke_data, REPOSITORY / "data" / "corpus") as client:
        yield client
