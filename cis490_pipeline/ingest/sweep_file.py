"""What a sweep leaves on disk: parts while it is under way, one Parquet file when it is whole.

Not here: judging (``sweep``).
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.ipc as arrow_ipc

from cis490_pipeline.episodes.index import IndexEntry, IndexReading
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.validation.record import (
    ValidationRow,
    rows_from_table,
    rows_to_table,
    spec_columns,
)
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.parquet import write_parquet

_SCHEMA: Final = TABLE_SCHEMAS[Table.VALIDATION_INDEX]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """Verdicts of all indexed episodes, with what was wrong with the index itself.

    ``rows`` has the columns of the validation index; ``n_resumed`` of them were judged by an
    earlier run that did not finish.
    """

    rows: tuple[ValidationRow, ...]
    reading: IndexReading
    n_resumed: int


def entries_to_judge(reading: IndexReading, limit: int | None) -> Sequence[IndexEntry]:
    """Return the first so many entries, in index order."""
    return sorted(reading.entries, key=lambda entry: entry.place)[:limit]


def parts_directory(out: Path) -> Path:
    """Return where the parts of an output lie."""
    return out.with_name(f"{out.name}.parts")


def collect_sweep(
    out: Path, reading: IndexReading, entries: Sequence[IndexEntry], *, n_judged: int
) -> Sweep:
    """Write the output from the parts, which hold a verdict on every entry, and remove them.

    Raises
    ------
    WarehouseError
        Where the output cannot be written.
    """
    parts = parts_directory(out)
    rows = _latest(read_parts(parts), [entry.episode_id for entry in entries])
    write_parquet(out, spec_columns(rows))
    _remove_parts(parts)
    return Sweep(rows=rows_from_table(rows), reading=reading, n_resumed=len(entries) - n_judged)


def read_parts(parts: Path) -> pa.Table:
    """Return the rows of all parts, in the order in which they were written."""
    tables = [arrow_ipc.open_file(path.read_bytes()).read_all() for path in _part_files(parts)]
    # a part of an older version answers nothing: its episodes are judged again
    return pa.concat_tables([_SCHEMA.empty_table(), *(t for t in tables if t.schema == _SCHEMA)])


def next_number(parts: Path) -> int:
    """Return the number of the next part."""
    return max((int(path.stem) for path in _part_files(parts)), default=-1) + 1


def write_part(parts: Path, number: int, rows: Sequence[ValidationRow]) -> None:
    """Write one part whole.

    Raises
    ------
    WarehouseError
        Where it cannot be written.
    """
    table = rows_to_table(rows)
    sink = pa.BufferOutputStream()
    with arrow_ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    write_bytes(parts / f"{number:06d}.arrow", memoryview(sink.getvalue()))


def _part_files(parts: Path) -> list[Path]:
    return sorted(parts.glob("[0-9]*.arrow"))


def _remove_parts(parts: Path) -> None:
    for path in _part_files(parts):
        path.unlink()
    with contextlib.suppress(OSError):  # absent, or holds a file that is not ours
        parts.rmdir()


def _latest(rows: pa.Table, wanted: Sequence[str]) -> pa.Table:
    """Return the last verdict on each wanted episode: a later part overrules an earlier one."""
    position: dict[str, int] = {name: i for i, name in enumerate(rows["episode_id"].to_pylist())}
    return rows.take(pa.array([position[name] for name in wanted], pa.int64()))
