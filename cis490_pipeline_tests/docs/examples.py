"""A section of a guide as something that can be carried out: new files, diffs, commands.

Not here: which sections there are (``test_contributing``).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from cis490_pipeline_tests.docs.markdown import Block

REPOSITORY: Final = Path(__file__).resolve().parents[2]
_PACKAGES: Final = ("cis490_pipeline", "cis490_pipeline_tests")
_FILES: Final = ("pyproject.toml", "dagster.yaml", "workspace.yaml")
_SECONDS: Final = 120


def copy_of_the_project(root: Path) -> Path:
    """Return a copy that an example may change; data and interpreter are links.

    Compiled code is copied with its source, so that nothing is compiled again that is the same.
    """
    root.mkdir()
    for name in _PACKAGES:
        shutil.copytree(REPOSITORY / name, root / name)
    for name in _FILES:
        shutil.copy2(REPOSITORY / name, root)
    (root / "data").mkdir()
    (root / "data" / "corpus").symlink_to(REPOSITORY / "data" / "corpus")
    (root / ".venv").symlink_to(sys.prefix)
    return root


def change(copy: Path, blocks: tuple[Block, ...]) -> None:
    """Write the new files and apply the diffs of an example."""
    for block in blocks:
        if "file" in block.options:
            path = copy / block.options["file"]
            assert not path.exists(), f"{path.name} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        elif block.language == "diff":
            _apply(copy, block.text)


def _apply(copy: Path, diff: str) -> None:
    # a copy that lies inside a repository would be taken for a part of it, and skipped
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)}
    done = subprocess.run(
        ["git", "apply", "--verbose", "-"],
        cwd=copy,
        env=environment,
        input=diff,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"the guide's diff does not apply:\n{done.stderr}\n{diff}"
    assert "Skipped" not in done.stderr, done.stderr


def commands_of(blocks: tuple[Block, ...]) -> list[tuple[str, str]]:
    """Return every command of the consoles, and what the guide says that it prints."""
    found: list[tuple[str, str]] = []
    for block in blocks:
        if block.language == "console":
            for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
                command, _, printed = part.replace("\\\n", "").partition("\n")
                found.append((command, printed))
    return found


def run(copy: Path, command: str) -> str:
    """Run one command in the copy; return what a person sees of it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CIS490_")}
    quiet = {"DAGSTER_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    in_order = {"PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["bash", "-eu", "-c", command],
        cwd=copy,
        env={**own, **quiet, **in_order, "PYTHONPATH": str(copy)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


def says(printed: str, expected: str) -> bool:
    """Whether a print-out is what the guide shows; an ellipsis stands for anything.

    >>> says("32 passed in 1.2s\\n", "32 passed in …s"), says("31 passed", "32 passed")
    (True, False)
    """
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.S) is not None
