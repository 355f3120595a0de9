"""The history with two writers: whoever publishes at the same time loses no line."""

import subprocess
import sys
from pathlib import Path

from cis490_pipeline.reporting.history import read_history
from cis490_pipeline_tests.reporting.remembering import line_of

LINES = 40


def begun(directory: Path, name: str) -> subprocess.Popen[str]:
    module = "cis490_pipeline_tests.reporting.remembering"
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(directory), name, str(LINES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_that_publish_at_once_keep_every_line(tmp_path: Path) -> None:
    writers = [begun(tmp_path, name) for name in "ab"]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    held = read_history(tmp_path)
    for name in "ab":
        mine = [line for line in held if line.test_set_hash.startswith(name)]
        assert mine == [line_of(name, number) for number in range(LINES)], "all, in their order"
