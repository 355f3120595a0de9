"""Rows are added to a Delta table: one Parquet file per partition, named by one commit.

Arrow writes the files and Delta's log only names them: its own writer took two and a half times the
CPU for wide rows, six times for the one row per episode, and does not sync what it writes. A file
is synced before the log names it; one that no commit names is garbage, which ``vacuum`` removes.

Not here: a table's first commit and replacements, which are Delta's own (``tables``).
"""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from cis490_pipeline.warehouse.atomic import write_new

ROWS_PER_GROUP: Final = 16_384
"""Of a wide table (19 MB): a writer holds a row group in memory, whatever the size of its file."""

COMPRESSION: Final = "zstd"
COMPRESSION_LEVEL: Final = 1


def append_rows(
    root: Path,
    delta: DeltaTable,
    rows: pa.Table,
    *,
    partition_by: Sequence[str],
    bounded: str | None,
) -> None:
    """Add rows in one commit.

    Parameters
    ----------
    root, delta
        The table's directory, and the table as opened: the commit follows the version it has seen.
    rows
        At least one, with the table's schema.
    partition_by
        The table's partition column, or none.
    bounded
        The column whose bounds readers prune by, None for none.

    Raises
    ------
    WarehouseError
        Where a file cannot be written.
    DeltaError
        Where the commit fails.
    """
    added: list[AddAction | RemoveAction] = [
        _add_file(root, values, part, bounded) for values, part in _parts(rows, partition_by)
    ]
    delta.create_write_transaction(added, "append", rows.schema, list(partition_by))


def _parts(rows: pa.Table, partition_by: Sequence[str]) -> list[tuple[dict[str, str], pa.Table]]:
    if not partition_by:
        return [({}, rows)]
    (column,) = partition_by
    values = rows[column].unique().to_pylist()
    if len(values) == 1:  # as in every commit of ingest: nothing has to be copied
        return [({column: values[0]}, rows.drop_columns([column]))]
    return [
        ({column: value}, rows.filter(pc.field(column) == value).drop_columns([column]))
        for value in values
    ]


def _add_file(
    root: Path, partition: Mapping[str, str], rows: pa.Table, bounded: str | None
) -> AddAction:
    """Write one file and return what the log says of it."""
    # quoted as Delta does it; the log quotes the name once more by itself
    parts = [f"{column}={quote(value, safe='')}" for column, value in partition.items()]
    relative = "/".join([*parts, f"part-00000-{uuid.uuid4()}.zstd.parquet"])
    data = _parquet(rows, bounded)
    write_new(root / relative, memoryview(data))
    return AddAction(
        path=relative,
        size=data.size,
        partition_values=partition,
        modification_time=time.time_ns() // 1_000_000,
        data_change=True,
        stats=json.dumps(_bounds(rows, bounded)),
    )


def _parquet(rows: pa.Table, bounded: str | None) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    repetitive = [one.name for one in rows.schema if not pa.types.is_floating(one.type)]
    pq.write_table(
        rows,
        sink,
        compression=COMPRESSION,
        compression_level=COMPRESSION_LEVEL,
        row_group_size=ROWS_PER_GROUP,
        use_dictionary=repetitive,  # pyright: ignore[reportArgumentType] - the stubs know bool alone
        write_statistics=[bounded] if bounded else False,  # pyright: ignore[reportArgumentType]
        store_schema=False,  # the log has it; a copy of 282 columns in every file is 20 kB
    )
    return sink.getvalue()


def _bounds(rows: pa.Table, bounded: str | None) -> dict[str, object]:
    facts: dict[str, object] = {"numRecords": rows.num_rows}
    if bounded is None:
        return facts
    values = rows[bounded].unique().drop_null().to_pylist()
    return facts | {
        "minValues": {bounded: min(values, default=None)},
        "maxValues": {bounded: max(values, default=None)},
        "nullCount": {bounded: rows[bounded].null_count},
    }
