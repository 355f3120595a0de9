"""A real webserver and daemon over a data directory, and what they cost.

Linux only: memory and processor time are read from ``/proc``. Not here: what is asked of them
(``control_plane``).
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cis490_pipeline.settings import Settings
from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError
from cis490_pipeline_tests.deploy.door import free_port
from cis490_pipeline_tests.end_to_end.conftest import (
    BIN,
    REPOSITORY,
    Dagster,
    environment,
    wait_until,
)

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server's process; its code server is a child of it."""

    pid: int

    def cpu_s(self) -> float:
        """Processor time so far, of all processes below it too."""
        return sum(_cpu_s(pid) for pid in family_of(self.pid))

    def rss_bytes(self) -> int:
        """Resident memory now, of all processes below it too."""
        return sum(_rss_bytes(pid) for pid in family_of(self.pid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Both, with the address of the UI and what the webserver took to answer."""

    client: Dagster
    address: str
    webserver: Server
    daemon: Server
    started_wall_s: float
    started_cpu_s: float


@contextlib.contextmanager
def servers(settings: Settings) -> Generator[Servers]:
    """Start both, wait until the code location is loaded, end both by pid."""
    port = free_port()
    where = ["-w", str(REPOSITORY / "workspace.yaml")]
    surroundings = {**environment(settings.data), "CIS490_STORE": str(settings.store)}
    surroundings["CIS490_THREADS"] = "1"
    words = ["dagster-webserver", "-h", "127.0.0.1", "-p", str(port), *where]
    with (settings.data / "servers.log").open("wb") as log, contextlib.ExitStack() as stack:

        def start(command: list[str]) -> Server:
            process = subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                env=surroundings, cwd=REPOSITORY, stdout=log, stderr=log,
            )  # fmt: skip
            stack.callback(_end, process)
            return Server(pid=process.pid)

        began = time.monotonic()
        webserver, client = start(words), Dagster(port)
        wait_until(lambda: _is_loaded(client), seconds=_PATIENCE_S, what="the location is loaded")
        wall_s, cpu_s = time.monotonic() - began, webserver.cpu_s()
        daemon = start(["dagster-daemon", "run", *where])
        yield Servers(
            client=client,
            address=f"http://127.0.0.1:{port}",
            webserver=webserver,
            daemon=daemon,
            started_wall_s=wall_s,
            started_cpu_s=cpu_s,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=60)


def _is_loaded(client: Dagster) -> bool:
    question = "{ repositoriesOrError { __typename ... on PythonError { message } } }"
    try:
        found = client.ask(question)["repositoriesOrError"]
    except OSError:
        return False
    if found["__typename"] == "PythonError":
        raise BenchmarkError(f"the definitions do not load: {found['message']}")
    return found["__typename"] == "RepositoryConnection"


def family_of(pid: int) -> list[int]:
    """Return a process and all processes below it that still live."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (path / "stat").read_text("utf-8").rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(path.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / _TICKS_PER_S
    return 0.0


def _rss_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        pages = Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0
