"""Files appear whole or not at all, whoever dies meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.warehouse.atomic import create_exclusive, write_bytes, write_directory

_WRITER = """
import sys
from pathlib import Path
from cis490_pipeline.warehouse.atomic import write_bytes, write_directory
root = Path(sys.argv[1])
print("ready", flush=True)
n = 0
while True:
    n += 1
    data = bytes([n % 251]) * 3_000_000
    write_bytes(root / "file.bin", data)
    write_directory(root / f"dir-{n}", {"a": data, "b": data})
"""


def test_a_file_is_written_whole_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.bin"
    write_bytes(path, b"one")
    write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_only_the_first_creator_wins(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    assert create_exclusive(path, b"first")
    assert not create_exclusive(path, b"second")
    assert path.read_bytes() == b"first"
    assert [p.name for p in tmp_path.iterdir()] == ["claim.json"]


def test_a_directory_appears_with_all_files_or_is_left_alone(tmp_path: Path) -> None:
    assert write_directory(tmp_path / "d", {"a": b"1", "b": b"2"})
    assert not write_directory(tmp_path / "d", {"a": b"other"})
    assert {p.name: p.read_bytes() for p in (tmp_path / "d").iterdir()} == {"a": b"1", "b": b"2"}


def test_a_machine_that_refuses_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "blocker").write_bytes(b"a file where a directory should be")
    with pytest.raises(WarehouseError, match=r"blocker/file\.bin"):
        write_bytes(tmp_path / "blocker" / "file.bin", b"x")


def test_kill_in_mid_write_leaves_only_whole_files(tmp_path: Path) -> None:
    for kill in range(4):
        root = tmp_path / str(kill)
        root.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(root)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(0.05 + 0.037 * kill)
            os.kill(writer.pid, signal.SIGKILL)
        whole = [p for p in root.rglob("*") if p.is_file() and ".tmp-" not in str(p)]
        for path in whole:
            data = path.read_bytes()
            assert len(data) == 3_000_000
            assert len(set(data)) == 1
        for directory in (p for p in root.iterdir() if p.is_dir() and ".tmp-" not in p.name):
            assert sorted(p.name for p in directory.iterdir()) == ["a", "b"]
