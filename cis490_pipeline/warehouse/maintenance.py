"""Upkeep of a data directory: small table files merged, superseded ones and leftovers deleted.

What is deleted was superseded, or left by a dead writer, for longer than a retention: whoever
opened it before goes on reading it.

Not here: shards and the hosts' locks (``ingest.compaction``).
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deltalake import DeltaTable

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.tables import PARTITION_COLUMNS, Table
from cis490_pipeline.warehouse.atomic import TEMPORARY_PREFIX
from cis490_pipeline.warehouse.delta_commits import committed
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.tables import Tables, writer_properties

_SAFE_FULL_HOURS: Final = 1
"""Below it, a data file that no commit names may be one that a live writer is about to commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Files that were deleted, or are to be."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(files=self.files + other.files, bytes=self.bytes + other.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesMerged:
    """Data files of a table that became fewer, larger ones."""

    before: int = 0
    after: int = 0

    def __add__(self, other: "FilesMerged") -> "FilesMerged":
        return FilesMerged(before=self.before + other.before, after=self.after + other.after)


def merge_small_files(
    tables: Tables, table: Table, partition: str | None, *, target_bytes: int
) -> FilesMerged:
    """Merge the small files of a partition (None: of a table without any), in one commit.

    The rows stay the same and in their order; files are written as ingest writes them.

    Raises
    ------
    WarehouseError
        Where the machine refuses; the table then is as it was.
    """
    if not tables.exists(table):
        return FilesMerged()
    path = tables.path(table)
    columns = PARTITION_COLUMNS[table]
    filters = [(columns[0], "=", partition)] if partition is not None else None

    def attempt() -> dict[str, int]:
        return DeltaTable(str(path)).optimize.compact(
            partition_filters=filters,
            target_size=target_bytes,
            max_concurrent_tasks=1,  # each holds row groups in memory
            writer_properties=writer_properties(table),
        )

    done = committed(path, attempt)
    return FilesMerged(before=done["numFilesRemoved"], after=done["numFilesAdded"])


def vacuum(tables: Tables, table: Table, *, retention_hours: int) -> Removed:
    """Delete data files that no version younger than the retention names.

    Of a retention of an hour or more, files that dead writers never committed go too.

    Raises
    ------
    WarehouseError
        Where the machine refuses.
    """
    if not tables.exists(table):
        return Removed()
    path = tables.path(table)

    def attempt(*, dry_run: bool) -> list[str]:
        return DeltaTable(str(path)).vacuum(
            retention_hours,
            dry_run=dry_run,
            enforce_retention_duration=False,
            full=retention_hours >= _SAFE_FULL_HOURS,
        )

    # what an earlier vacuum deleted is listed again until the log forgets it
    listed = committed(path, lambda: attempt(dry_run=True))
    there = {name: _size(path / name) for name in listed}
    if not any(there.values()):  # a vacuum is two commits, also where it finds nothing
        return Removed()
    gone = committed(path, lambda: attempt(dry_run=False))
    sizes = [size for size in (there.get(name, 0) for name in gone) if size]
    return Removed(files=len(sizes), bytes=sum(sizes))


def tidy_log(tables: Tables, table: Table) -> None:
    """Sum the log up in a checkpoint, and delete what expired of it: every open reads the log."""
    if not tables.exists(table):
        return
    path = tables.path(table)

    def attempt() -> None:
        delta = DeltaTable(str(path))
        delta.create_checkpoint()
        delta.cleanup_metadata()

    committed(path, attempt)


def sweep_temporaries(layout: Layout, *, before_s: float) -> Removed:
    """Delete temporary files and directories that nobody has written to since ``before_s``.

    Raises
    ------
    WarehouseError
        Where one cannot be deleted.
    """
    removed = Removed()
    for path in _temporaries(layout.root):
        newest, size = _newest_and_size(path)
        if newest < before_s:
            _remove(path)
            removed += Removed(files=1, bytes=size)
    return removed


def _temporaries(root: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(root):
        yield from (Path(directory, n) for n in (*names, *files) if n.startswith(TEMPORARY_PREFIX))
        # Dagster's home and the tables have their own keepers, and may be large
        names[:] = [
            n
            for n in names
            if not n.startswith(TEMPORARY_PREFIX) and n not in ("dagster", "_delta_log")
        ]


def _newest_and_size(path: Path) -> tuple[float, int]:
    """Return the time of the last write below a path and the bytes there, links not followed."""
    newest, size = 0.0, 0
    for one in (path, *path.rglob("*")):
        try:
            found = one.lstat()
        except FileNotFoundError:  # its writer lives, and finished it meanwhile
            continue
        newest, size = max(newest, found.st_mtime), size + found.st_size
    return newest, size


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise WarehouseError(
            "a leftover cannot be deleted",
            where=str(path),
            found=f"{type(error).__name__}: {error.strerror or error}",
            todo="check the owner and permissions of that directory, then run again",
        ) from error


def remove_file(path: Path) -> Removed:
    """Delete a file that may be gone already.

    Raises
    ------
    WarehouseError
        Where it cannot be deleted.
    """
    size = _size(path)
    _remove(path)
    return Removed(files=1, bytes=size)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
