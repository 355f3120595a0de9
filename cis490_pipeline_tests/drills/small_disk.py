"""A disk that is full when it should be: a tmpfs of a size that can be changed.

Not here: what has to happen on it (``test_full_disk``).
"""

import contextlib
import os
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted tmpfs."""

    root: Path

    @property
    def used_bytes(self) -> int:
        """Bytes of the pages that are taken."""
        found = os.statvfs(self.root)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def resize(self, size_bytes: int) -> None:
        """Make it larger, or as small as what it holds."""
        _run("mount", "-o", f"remount,size={size_bytes}", str(self.root))


@contextlib.contextmanager
def small_disk(root: Path, size_bytes: int) -> Generator[SmallDisk]:
    """Mount a disk for as long as the block runs; skips the test where that is not allowed."""
    root.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(root))
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else error
        pytest.skip(f"a tmpfs cannot be mounted here (root is needed): {said}".strip())
    try:
        yield SmallDisk(root)
    finally:
        _run("umount", "--lazy", str(root))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
