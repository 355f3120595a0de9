"""The two webservers that stand behind the doors."""

import contextlib
import subprocess
from collections.abc import Generator
from pathlib import Path

from cis490_pipeline_tests.deploy.door import REPOSITORY
from cis490_pipeline_tests.end_to_end.conftest import BIN, Dagster, environment, wait_until


@contextlib.contextmanager
def webservers(data: Path, ports: tuple[int, int]) -> Generator[Dagster]:
    """A full webserver, which is yielded, and ``cis490 ui --read-only``; ended by pid."""
    full = ["dagster-webserver", "-h", "127.0.0.1", "-p", str(ports[0]), "-w", "workspace.yaml"]
    viewing = ["cis490", "ui", "--read-only", "--port", str(ports[1])]
    with (data / "servers.log").open("wb") as log:
        servers = [
            subprocess.Popen(
                [str(BIN / words[0]), *words[1:]],
                env=environment(data), cwd=REPOSITORY, stdout=log, stderr=log,
            )
            for words in (full, viewing)
        ]  # fmt: skip
        try:
            for port in ports:
                wait_until(Dagster(port).answers, seconds=180, what="a webserver answers")
            yield Dagster(ports[0])
        finally:
            for server in servers:
                server.terminate()
            for server in servers:
                server.wait(timeout=60)
