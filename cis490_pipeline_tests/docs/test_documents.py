"""Links of every document lead somewhere, and the commands that they name are there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from cis490_pipeline.cli.main import cli
from cis490_pipeline_tests.docs.examples import REPOSITORY
from cis490_pipeline_tests.docs.markdown import anchors_of, blocks_of, inline_code_of, links_of

_FOLDERS: Final = ("cis490_pipeline", "deploy", "data/corpus")
DOCUMENTS: Final = sorted(
    [*REPOSITORY.glob("*.md"), *(p for name in _FOLDERS for p in (REPOSITORY / name).rglob("*.md"))]
)
_COMMAND: Final = re.compile(r"(?:^|[\s(])(?:\.venv/bin/)?cis490 ([a-z][a-z-]*)")
_TARGET: Final = re.compile(r"(?:^|[\s(])make ([a-z]+)")


def dead_links(path: Path, text: str) -> list[str]:
    """Return the relative links of a document that lead to no file or to no heading."""
    return [link for link in links_of(text) if "://" not in link and not leads(path, link)]


def leads(path: Path, link: str) -> bool:
    place, _, anchor = link.partition("#")
    target = path if not place else (path.parent / place).resolve()
    if not target.exists():
        return False
    return not anchor or anchor in anchors_of(target.read_text("utf-8"))


def named(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield what a pattern finds in inline code and in blocks that a shell reads."""
    shell = (one.text for one in blocks_of(text) if one.language in ("console", "sh", "bash"))
    for code in (*inline_code_of(text), *shell):
        yield from pattern.findall(code)


def test_there_are_documents() -> None:
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "OPERATING.md", "LIVE.md"} <= {
        path.name for path in DOCUMENTS
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    assert dead_links(path, path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_commands_and_targets_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    assert set(named(_COMMAND, text)) <= set(cli.list_commands(click.Context(cli)))
    assert set(named(_TARGET, text)) <= targets


def test_a_dead_link_and_an_unknown_command_are_found() -> None:
    readme = REPOSITORY / "README.md"
    text = "[a](nowhere.md) [b](#no-such-heading) [c](#quick-start) [d](https://x.example)"
    assert dead_links(readme, text) == ["nowhere.md", "#no-such-heading"]
    commands = "Use `cis490 fly`.\n```sh\ncis490 dig --deep\n```"
    assert list(named(_COMMAND, commands)) == ["fly", "dig"]
    targets = "Run `make hay`; make sense.\n```console\n$ make haste  # or not\n```"
    assert list(named(_TARGET, targets)) == ["hay", "haste"]
