"""Files and directories that appear whole or not at all.

Every write goes to a temporary name in the same directory, is synced, and is then renamed or
linked into place; the directory is synced too, so that a committed name survives a power cut.

Not here: Delta tables (``tables``), which commit through their own log.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path

from cis490_pipeline.errors import WarehouseError

TEMPORARY_PREFIX = ".tmp-"
"""Names with this prefix are never read, and are garbage once their writer is gone."""


@contextlib.contextmanager
def writing(path: Path) -> Generator[None]:
    """Turn what the machine refuses inside the block into an error that names the path.

    Raises
    ------
    WarehouseError
        Instead of an ``OSError``.
    """
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


def _write_synced(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _temporary_in(directory: Path) -> Generator[Path]:
    """Yield a temporary file; the directory is synced once it has been put into place."""
    directory.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=directory)
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.chmod(0o644)
        yield temporary
        _sync_directory(directory)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file whole, replacing what stood there.

    Raises
    ------
    WarehouseError
        Where the machine refuses; nothing half-written stays under the final name.
    """
    with writing(path), _temporary_in(path.parent) as temporary:
        _write_synced(temporary, [data])
        temporary.replace(path)


def write_new(path: Path, data: bytes | memoryview) -> None:
    """Write a file under a name that nobody looks for before something else names it.

    Raises
    ------
    WarehouseError
        Where the machine refuses; what was written of it stays, and is garbage.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_synced(path, [data])
        _sync_directory(path.parent)


def write_hashed(directory: Path, chunks: Iterable[bytes | memoryview], *, suffix: str) -> str:
    """Write a file whole under the sha256 of its bytes; returns its name.

    The chunks are written as they come: the file need not fit into memory.

    Raises
    ------
    WarehouseError
        Where the machine refuses; nothing half-written stays under a final name.
    """
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes | memoryview]:
        for chunk in chunks:
            digest.update(chunk)
            yield chunk

    with writing(directory), _temporary_in(directory) as temporary:
        _write_synced(temporary, hashed())
        name = f"{digest.hexdigest()}{suffix}"
        temporary.replace(directory / name)
    return name


def create_exclusive(path: Path, data: bytes | memoryview) -> bool:
    """Create a file whole unless it exists already.

    Returns
    -------
    bool
        True where this call created it; False where somebody else did (it is left alone).
    """
    with writing(path), _temporary_in(path.parent) as temporary:
        _write_synced(temporary, [data])
        try:
            os.link(temporary, path)  # fails on an existing name, a rename would replace it
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
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=path.parent))
        try:
            for name, data in files.items():
                _write_synced(temporary / name, [data])
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
