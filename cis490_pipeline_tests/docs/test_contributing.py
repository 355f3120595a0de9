"""The worked examples of ``CONTRIBUTING.md`` are carried out, each in a copy of the project."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from cis490_pipeline_tests.datasets.smoke import copy_of, smoke_warehouse
from cis490_pipeline_tests.docs.examples import (
    REPOSITORY,
    change,
    commands_of,
    copy_of_the_project,
    run,
    says,
)
from cis490_pipeline_tests.docs.markdown import Block, blocks_of, section_of

GUIDE: Final = (REPOSITORY / "cis490_pipeline" / "CONTRIBUTING.md").read_text("utf-8")
EXAMPLES: Final = ("Add a family", "Add a split", "Add a metric", "Add a channel")

Prepare = Callable[[str], tuple[Path, tuple[Block, ...]]]


@pytest.fixture
def prepared(tmp_path, tmp_path_factory) -> Prepare:
    """Return a function that gives a copy with an ingested warehouse, and a section's blocks."""

    def prepare(title: str) -> tuple[Path, tuple[Block, ...]]:
        copy = copy_of_the_project(tmp_path / "project")
        copy_of(smoke_warehouse(tmp_path_factory), copy / "data" / "warehouse")
        return copy, blocks_of(section_of(GUIDE, title))

    return prepare


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_applies_and_its_commands_print_what_it_shows(
    title: str, prepared: Prepare
) -> None:
    copy, blocks = prepared(title)
    change(copy, blocks)
    commands = commands_of(blocks)
    assert len(commands) >= 2
    for command, expected in commands:
        printed = run(copy, command)
        assert says(printed, expected), f"$ {command}\n{printed}\nthe guide shows:\n{expected}"
    shutil.rmtree(copy)


def test_an_example_whose_diff_does_not_fit_is_found(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("x = 1\n", "utf-8")
    diff = "--- a/one.py\n+++ b/one.py\n@@ -1 +1 @@\n-x = 2\n+x = 3\n"
    with pytest.raises(AssertionError, match="does not apply"):
        change(tmp_path, (Block(language="diff", options={}, text=diff),))


def test_a_command_that_fails_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such family"):
        run(tmp_path, "echo no such family; false")
