"""The doors before two real webservers, one of them read-only, over the smoke corpus' home."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cis490_pipeline_tests.deploy.door import Door, doors, free_port
from cis490_pipeline_tests.deploy.webservers import webservers
from cis490_pipeline_tests.end_to_end.conftest import BIN, Dagster, environment

SECRET_PAGE = "<h1>macro F1</h1><script>fetch('/graphql')</script>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Two doors, and the webservers behind them without a door."""

    viewers: Door
    operators: Door
    full: Dagster
    webserver_ports: tuple[int, int]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    here = tmp_path_factory.mktemp("door")
    data = here / "data"
    subprocess.run([str(BIN / "cis490"), "register"], env=environment(data), check=True)
    page = data / "reports" / "host=lab-b" / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text(SECRET_PAGE, encoding="utf-8")
    ports = (free_port(), free_port())
    with (
        webservers(data, ports) as full,
        doors(here, data, full=ports[0], read_only=ports[1]) as (viewers, operators),
    ):
        yield Lab(viewers=viewers, operators=operators, full=full, webserver_ports=ports)
