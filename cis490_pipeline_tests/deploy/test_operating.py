"""``OPERATING.md`` is true: its alarms are all alarms, its commands exist, its backup restores."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import click
import pytest

from cis490_pipeline.cli.main import cli
from cis490_pipeline.definitions import defs
from cis490_pipeline_tests.datasets.smoke import copy_of, scored_warehouse

REPOSITORY: Final = Path(__file__).resolve().parents[2]
GUIDE: Final = (REPOSITORY / "deploy" / "OPERATING.md").read_text("utf-8")


def _section(title: str) -> str:
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _first_cells(section: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", section, re.M))


def _blocks(section: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", section, re.S | re.M)


def test_every_check_has_a_line_that_says_what_to_do_and_no_other_has() -> None:
    graph = defs.get_repository_def().asset_graph
    known = {key.name: key.asset_key.to_user_string() for key in graph.asset_check_keys}
    table = _section("What each alarm means")
    assert _first_cells(table) == set(known)
    for name, asset in known.items():
        (line,) = re.findall(rf"^\| `{name}` \|.*$", table, re.M)
        assert asset in line
        assert len(line.split("|")) == 6
        assert len(line.split("|")[4]) > 20, "says what to do"


def test_every_sensor_has_a_line_and_no_other_has() -> None:
    known = {sensor.name for sensor in defs.get_repository_def().sensor_defs}
    assert _first_cells(_section("Start")) == known


def _commands() -> list[list[str]]:
    found = re.findall(r"(?:\.venv/bin/)?cis490 ([a-z][a-z-]*(?: [^`\n]*)?)", GUIDE)
    return [words.split() for words in found]


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_every_command_is_one(words: list[str]) -> None:
    context = click.Context(cli)
    command = cli.get_command(context, words[0])
    assert command is not None, words
    options = {name for one in command.params for name in one.opts}
    asked = {word for word in words[1:] if word.startswith("--")}
    assert asked <= options


def test_the_backup_restores_what_was_there(tmp_path, tmp_path_factory) -> None:
    data, backup = tmp_path / "srv" / "cis490", tmp_path / "backup"
    backup.mkdir()
    data.parent.mkdir()
    copy_of(scored_warehouse(tmp_path_factory), data)
    before = _contents(data)
    assert len(before) > 20
    environment = {**os.environ, "CIS490_DATA": str(data), "BACKUP": str(backup)}
    saving, restoring = _blocks(_section("Back up and restore"))
    subprocess.run(["sh", "-eu", "-c", saving], env=environment, check=True)
    shutil.rmtree(data)
    subprocess.run(["sh", "-eu", "-c", restoring], env=environment, check=True)
    assert _contents(data) == before


def _contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", GUIDE):
        assert (REPOSITORY / "deploy" / target).exists(), target
