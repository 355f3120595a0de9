"""Files and directories that appear whole or not at all.

Every write goes to a temporary name in the same directory, is synced, and is then renamed or
linked into place; the directory is synced too, so that a committed name survives a power cut.

Not here: Delta tables (``tables``), which commit through their own log.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from cis490_pipeline.errors import WarehouseError

TEMPORARY_PREFIX = ".tmp-"
"""Names with this prefix are never read, and are garbage once their writer is gone."""


@contextlib.contextmanager
def _machine_fault(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            "cannot write",
            where=str(path),
            found=f"{type(error).__name__}: {error.strerror or error}",
            todo="check free space and permissions of that directory, then run again",
        ) from error


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_synced(path: Path, data: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _through_temporary(
    path: Path, data: bytes | memoryview, place: Callable[[Path, Path], object]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        _write_synced(temporary, data)
        temporary.chmod(0o644)
        place(temporary, path)
        _sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file whole, replacing what stood there.

    Raises
    ------
    WarehouseError
        Where the machine refuses; nothing half-written stays under the final name.
    """
    with _machine_fault(path):
        _through_temporary(path, data, lambda temporary, final: temporary.replace(final))


def create_exclusive(path: Path, data: bytes | memoryview) -> bool:
    """Create a file whole unless it exists already.

    Returns
    -------
    bool
        True where this call created it; False where somebody else did (it is left alone).
    """
    with _machine_fault(path):
        try:
            # link(2) fails on an existing name, rename(2) would replace it
            _through_temporary(path, data, os.link)
        except FileExistsError:
            return False
    return True


def write_directory(path: Path, files: Mapping[str, bytes]) -> bool:
    """Create a directory with all of its files, or nothing.

    Returns
    -------
    bool
        True where this call created it; False where it was there already (it is left alone).
    """
    if path.is_dir():
        return False
    with _machine_fault(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=path.parent))
        try:
            for name, data in files.items():
                _write_synced(temporary / name, data)
            _sync_directory(temporary)
            temporary.chmod(0o755)
            return _rename_directory(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _rename_directory(temporary: Path, path: Path) -> bool:
    try:
        temporary.rename(path)
    except OSError:
        if path.is_dir():  # another writer of the same content was faster
            return False
        raise
    _sync_directory(path.parent)
    return True
