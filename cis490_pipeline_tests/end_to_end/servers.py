"""A real webserver and a real daemon on loopback, over one data directory.

Not here: what the tests ask them (``graphql``), the store that they read (``real_store``).
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

BIN: Final = Path(sys.executable).parent
REPOSITORY: Final = Path(__file__).resolve().parents[2]
_LOCATIONS: Final = """{ workspaceOrError { ... on Workspace { locationEntries {
    locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
_WORKSPACE: Final = ("-w", str(REPOSITORY / "workspace.yaml"))


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
        """Say whether it is up; definitions that could not be loaded are an error."""
        try:
            entries = self.ask(_LOCATIONS)["workspaceOrError"]["locationEntries"]
        except OSError:
            return False
        found = [entry["locationOrLoadError"] for entry in entries]
        assert all(one is None or one["__typename"] != "PythonError" for one in found), found
        return bool(found) and None not in found


def wait_until(
    question: Callable[[], Any],
    *,
    seconds: float,
    what: str,
    seen: Callable[[], object] | None = None,
) -> Any:
    """Ask until the answer is true; poll, since neither server tells by itself.

    ``seen`` is asked once, where time is over: what there was to see instead.
    """
    deadline = time.monotonic() + seconds
    answer = None
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.5)
    instead = answer if seen is None else seen()
    raise AssertionError(f"{what}: not within {seconds} s; seen instead: {instead!r}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def processes(
    commands: Sequence[Sequence[str]], surroundings: Mapping[str, str], log: Path
) -> Generator[None]:
    """Programs of the installation, ended with all that they have started."""
    with log.open("ab") as output:
        started = [
            subprocess.Popen(
                [str(BIN / words[0]), *words[1:]],
                env=surroundings, cwd=REPOSITORY, stdout=output, stderr=output,
                start_new_session=True,
            )
            for words in commands
        ]  # fmt: skip
        try:
            yield
        finally:
            for process in started:
                process.terminate()
            for process in started:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=30)
                with contextlib.suppress(ProcessLookupError):  # code servers, runs and steps
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=30)


@contextlib.contextmanager
def serving(data: Path, store: Path, extra: Mapping[str, str] | None = None) -> Generator[Dagster]:
    """A webserver and a daemon over one data directory; ``extra`` adds to their environment."""
    port = free_port()
    commands = [
        ["dagster-webserver", "-h", "127.0.0.1", "-p", str(port), *_WORKSPACE],
        ["dagster-daemon", "run", *_WORKSPACE],
    ]
    surroundings = {**environment(data), "CIS490_STORE": str(store), **(extra or {})}
    log = data / "servers.log"
    with processes(commands, surroundings, log):
        client = Dagster(port)
        wait_until(client.answers, seconds=300, what=f"the webserver answers ({log})")
        yield client


@contextlib.contextmanager
def viewing(data: Path, store: Path) -> Generator[Dagster]:
    """``cis490 ui --read-only`` over a data directory."""
    port = free_port()
    commands = [["cis490", "ui", "--read-only", "--port", str(port)]]
    surroundings = {**environment(data), "CIS490_STORE": str(store)}
    log = data / "viewers.log"
    with processes(commands, surroundings, log):
        client = Dagster(port)
        wait_until(client.answers, seconds=300, what=f"the read-only UI answers ({log})")
        yield client
