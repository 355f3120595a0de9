"""``cis490 --help`` is the table of contents, and usage errors end with 2."""

from importlib.metadata import version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cis490_pipeline.cli.main import cli
from cis490_pipeline_tests.cli.running import Call, installed

NEEDED = {
    "smoke",
    "validate",
    "ingest",
    "compact",
    "train",
    "evaluate",
    "explain",
    "report",
    "register",
    "ui",
    "receive",
    "ship",
    "pull",
    "capability",
    "jobs",
}


def commands() -> list[str]:
    assert isinstance(cli, click.Group)
    return cli.list_commands(click.Context(cli))


COMMANDS = commands()


def test_help_lists_every_command_with_a_sentence(tmp_path: Path) -> None:
    done = installed("--help", cwd=tmp_path).must_succeed()
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [name for name in listed if name in COMMANDS] == COMMANDS
    assert list(tmp_path.iterdir()) == []


def test_what_is_listed_is_what_there_is() -> None:
    group = cli
    assert isinstance(group, click.Group)
    context = click.Context(group)
    assert set(COMMANDS) >= NEEDED
    assert len(set(COMMANDS)) == len(COMMANDS)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
    assert group.get_command(context, "nosuch") is None


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_its_options(name: str) -> None:
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0
    assert f"Usage: cli {name}" in done.output
    unexplained = [
        line
        for line in done.output.splitlines()
        if line.startswith("  --") and len(line.split("  ")) < 2
    ]
    assert unexplained == []


def test_the_version_is_that_of_the_package(call: Call) -> None:
    assert version("cis490-pipeline") in call("--version").must_succeed().stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--nosuch"],
        ["nosuch"],
        ["validate", "--nosuch"],
        ["validate"],
        ["ingest", "nowhere"],
        ["train", "--split", "deploy", "--family", "nosuch", "--mode", "any"],
        ["train", "--split", "deploy", "--family", "gbt", "--mode", "nosuch"],
        ["train", "--family", "gbt", "--mode", "oracle"],
        ["train", "--split", "deploy", "--family", "gbt", "--mode", "oracle", "--seed", "-1"],
        ["evaluate", "--split", "deploy", "--mode", "nosuch"],
        ["explain", "--split", "deploy", "--family", "gbt", "--mode", "nosuch"],
        ["explain", "--split", "deploy", "--family", "gbt", "--mode", "oracle", "--windows", "0"],
        ["report"],
        ["ui", "--port", "0"],
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(call: Call, words: list[str]) -> None:
    call(*words).check_refusal(2, "Error:")


def test_wrong_usage_of_the_installed_program_ends_with_2(tmp_path: Path) -> None:
    installed("validate", "--nosuch", cwd=tmp_path).check_refusal(2, "No such option", "--nosuch")


def test_no_word_at_all_shows_the_contents(call: Call) -> None:
    done = call()
    assert done.status == 2
    assert all(name in done.stdout + done.stderr for name in COMMANDS)
