"""The validation sweep alone: every indexed episode of a store judged into one Parquet file.

Resumable: verdicts are kept in parts beside the output until the sweep is whole; a run that starts
over the parts of another visits only what they do not answer.

Not here: tables and shards (``run``).
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.ipc as arrow_ipc

from cis490_pipeline.episodes.index import IndexReading
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.due import due_entries, held_verdicts
from cis490_pipeline.ingest.run import IngestOptions, Progress, no_progress, visit_in_batches
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


def sweep_store(
    store: EpisodeStore,
    out: Path,
    *,
    limit: int | None = None,
    options: IngestOptions | None = None,
    progress: Progress = no_progress,
) -> Sweep:
    """Judge the episodes of a store and write ``out`` with exactly the format's columns.

    Parameters
    ----------
    out
        Parquet file to write, whole; the parts lie in ``<out>.parts`` until then.
    limit
        Judge only the first so many episodes, in index order.

    Raises
    ------
    StoreError
        Where the index cannot be read.
    WarehouseError
        Where the output cannot be written.
    """
    reading = read_received(store.index_path)
    entries = sorted(reading.entries, key=lambda entry: entry.place)[:limit]
    parts = out.with_name(f"{out.name}.parts")
    before = _read_parts(parts)
    due = due_entries(store, entries, held_verdicts(before))
    n_seen = 0
    batches = visit_in_batches(store, due, options or IngestOptions(), with_content=False)
    for number, outcomes in enumerate(batches, start=_next_number(parts)):
        _write_part(parts / f"{number:06d}.arrow", rows_to_table([o.row for o in outcomes]))
        n_seen += len(outcomes)
        progress(n_seen, len(due))
    rows = _latest(_read_parts(parts), [entry.episode_id for entry in entries])
    write_parquet(out, spec_columns(rows))
    _remove_parts(parts)
    return Sweep(rows=rows_from_table(rows), reading=reading, n_resumed=len(entries) - len(due))


def _part_files(parts: Path) -> list[Path]:
    return sorted(parts.glob("[0-9]*.arrow"))


def _next_number(parts: Path) -> int:
    return max((int(path.stem) for path in _part_files(parts)), default=-1) + 1


def _read_parts(parts: Path) -> pa.Table:
    tables = [arrow_ipc.open_file(path.read_bytes()).read_all() for path in _part_files(parts)]
    # a part of an older version answers nothing: its episodes are judged again
    return pa.concat_tables([_SCHEMA.empty_table(), *(t for t in tables if t.schema == _SCHEMA)])


def _remove_parts(parts: Path) -> None:
    for path in _part_files(parts):
        path.unlink()
    with contextlib.suppress(OSError):  # absent, or holds a file that is not ours
        parts.rmdir()


def _write_part(path: Path, rows: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    with arrow_ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    write_bytes(path, memoryview(sink.getvalue()))


def _latest(rows: pa.Table, wanted: Sequence[str]) -> pa.Table:
    """Return the last verdict on each wanted episode: a later part overrules an earlier one."""
    position: dict[str, int] = {name: i for i, name in enumerate(rows["episode_id"].to_pylist())}
    return rows.take(pa.array([position[name] for name in wanted], pa.int64()))
