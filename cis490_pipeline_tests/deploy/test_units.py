"""The systemd units start programs that are there, on the ports that nginx expects."""

import configparser
import re
import shlex
from pathlib import Path

import pytest

from cis490_pipeline.cli.ui import PORT, READ_ONLY_PORT, server_command
from cis490_pipeline_tests.deploy.door import NGINX, REPOSITORY
from cis490_pipeline_tests.end_to_end.conftest import BIN

UNITS = sorted((REPOSITORY / "deploy" / "systemd").glob("*.service"))
WEBSERVERS = {"cis490-operate": PORT, "cis490-view": READ_ONLY_PORT}


def commands(path: Path) -> list[list[str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # keys of systemd have capitals
    parser.read_string(path.read_text("utf-8"))
    service = parser["Service"]
    return [shlex.split(service[key]) for key in ("ExecStartPre", "ExecStart") if key in service]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_what_an_installation_has(path: Path) -> None:
    for words in commands(path):
        program = Path(words[0])
        assert program.parent == Path("/opt/cis490/.venv/bin")
        assert (BIN / program.name).is_file()
        assert "0.0.0.0" not in words
        if "-w" in words:
            assert (REPOSITORY / words[words.index("-w") + 1]).is_file()


def test_viewers_get_the_read_only_webserver_and_both_are_on_loopback() -> None:
    site = (NGINX / "cis490.conf").read_text("utf-8")
    behind = dict(re.findall(r"cis490/(\w+);\n +set \$cis490_webserver 127\.0\.0\.1:(\d+);", site))
    assert behind == {"viewers": str(READ_ONLY_PORT), "operators": str(PORT)}
    for name, port in WEBSERVERS.items():
        (words,) = commands(REPOSITORY / "deploy" / "systemd" / f"{name}.service")
        assert words[words.index("-h") + 1] == "127.0.0.1"
        assert words[words.index("-p") + 1] == str(port)
        assert ("--read-only" in words) == (port == READ_ONLY_PORT)


@pytest.mark.parametrize("read_only", [False, True])
def test_the_ui_of_a_workstation_is_on_loopback_too(read_only: bool) -> None:
    words = server_command(4321, read_only=read_only)
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--port") + 1] == "4321"
    assert ("--read-only" in words) is read_only
    assert Path(words[0]).is_file()
