"""Delta tables: append, replace by episode id, read.

Never MERGE (its memory grows with the table) and at most a hundred episodes a commit. Statistics
and dictionaries are off for float columns: they cost four times the CPU and make the files larger.

Not here: which rows (``ingest``, ``evaluation``), their schema (``schema.tables``).
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pa_fs
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.tables import PARTITION_COLUMNS, TABLE_SCHEMAS, Table
from cis490_pipeline.warehouse.layout import Layout

_COMMIT_TRIES: Final = 8
_SKIPPING_COLUMN: Final = "episode_id"
_WIDE: Final = frozenset({Table.WINDOW_FEATURES, Table.EPISODE_FEATURES})


def sql_text(value: str) -> str:
    """Quote a value for a Delta predicate.

    >>> sql_text("o'brien")
    "'o''brien'"
    """
    return "'" + value.replace("'", "''") + "'"


def _writer_properties(table: Table) -> WriterProperties:
    if table not in _WIDE:
        return WriterProperties(compression="ZSTD", compression_level=1)
    return WriterProperties(
        compression="ZSTD",
        compression_level=1,
        default_column_properties=ColumnProperties(
            dictionary_enabled=False, statistics_enabled="NONE"
        ),
        column_properties={
            _SKIPPING_COLUMN: ColumnProperties(dictionary_enabled=True, statistics_enabled="CHUNK")
        },
    )


def _table_properties(table: Table) -> dict[str, str | None] | None:
    # Without this the log gets a null bound for every column that has no statistics, and a reader
    # prunes the whole file by `column >= null`: every filtered read then silently finds nothing.
    return {"delta.dataSkippingStatsColumns": _SKIPPING_COLUMN} if table in _WIDE else None


@dataclass(frozen=True, slots=True)
class Tables:
    """The Delta tables of one data directory."""

    layout: Layout

    def path(self, table: Table) -> Path:
        """Return the directory of a table, for other tools (Polars: ``pl.scan_delta(path)``)."""
        return self.layout.table(table)

    def exists(self, table: Table) -> bool:
        """Say whether the table has been written at all."""
        return DeltaTable.is_deltatable(str(self.path(table)))

    def version(self, table: Table) -> int | None:
        """Return the table's Delta version, None where it does not exist."""
        return DeltaTable(str(self.path(table))).version() if self.exists(table) else None

    def read(
        self,
        table: Table,
        *,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
    ) -> pa.Table:
        """Return rows as Arrow; an empty table of the right schema where nothing was written.

        ``where`` is a pyarrow expression; it prunes partitions and row groups.
        """
        schema = TABLE_SCHEMAS[table]
        names = list(columns) if columns is not None else schema.names
        wanted = pa.schema([schema.field(name) for name in names])
        try:
            dataset = self._dataset(table)
        except TableNotFoundError:
            return wanted.empty_table()
        return dataset.to_table(columns=names, filter=where).cast(wanted)

    def count(self, table: Table, *, where: pc.Expression | None = None) -> int:
        """Return how many rows there are, without reading what the filter does not need."""
        if not self.exists(table):
            return 0
        return self._dataset(table).count_rows(filter=where)

    def _dataset(self, table: Table) -> ds.Dataset:
        # deltalake's own file system is written in Python: Arrow's I/O threads, which outlive a
        # scan, would take the GIL to close its files, and where that falls into the interpreter's
        # exit the process aborts after its work was done (delta-rs #2184).
        path = str(self.path(table))
        files = pa_fs.SubTreeFileSystem(path, pa_fs.LocalFileSystem())
        return cast("ds.Dataset", DeltaTable(path).to_pyarrow_dataset(filesystem=files))

    def append(self, table: Table, rows: pa.Table) -> None:
        """Add rows in one commit."""
        if rows.num_rows:
            self._commit(table, rows, predicate=None)

    def replace_episodes(self, table: Table, episode_ids: Iterable[str], rows: pa.Table) -> None:
        """Put ``rows`` in the place of every row of these episodes, whichever host has them.

        One commit: a reader sees either the old rows or the new ones.
        """
        listed = ", ".join(sql_text(episode_id) for episode_id in sorted(episode_ids))
        if listed:
            self.replace_where(table, f"episode_id IN ({listed})", rows)

    def replace_where(self, table: Table, predicate: str, rows: pa.Table) -> None:
        """Put ``rows`` in the place of every row that the SQL predicate selects, in one commit."""
        if not self.exists(table):
            self.append(table, rows)
        elif rows.num_rows:
            self._commit(table, rows, predicate=predicate)
        else:
            self._delete(table, predicate)

    def _delete(self, table: Table, predicate: str) -> None:
        try:
            DeltaTable(str(self.path(table))).delete(predicate)
        except (DeltaError, OSError) as error:
            raise _commit_error(self.path(table), error) from error

    def _commit(self, table: Table, rows: pa.Table, *, predicate: str | None) -> None:
        path = self.path(table)
        path.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(_COMMIT_TRIES):
            try:
                self._write(table, rows, predicate)
            except CommitFailedError as error:
                # another host's run committed in between: the log moved on, ours is still right
                if attempt == _COMMIT_TRIES - 1:
                    raise _commit_error(path, error) from error
                time.sleep(0.05 * 2**attempt)
            except (DeltaError, OSError) as error:
                raise _commit_error(path, error) from error
            else:
                return

    def _write(self, table: Table, rows: pa.Table, predicate: str | None) -> None:
        where = str(self.path(table))
        data = rows.cast(TABLE_SCHEMAS[table])
        partition_by = list(PARTITION_COLUMNS[table]) or None
        properties = _writer_properties(table)
        if predicate is None:
            write_deltalake(
                where,
                data,
                mode="append",
                partition_by=partition_by,
                writer_properties=properties,
                configuration=_table_properties(table),
            )
        else:
            write_deltalake(
                where,
                data,
                mode="overwrite",
                predicate=predicate,
                partition_by=partition_by,
                writer_properties=properties,
            )


def _commit_error(path: Path, error: Exception) -> WarehouseError:
    return WarehouseError(
        "cannot commit to the table",
        where=str(path),
        found=f"{type(error).__name__}: {error}",
        todo="check free space and permissions, then run again: this commit was not kept, and "
        "what an interrupted batch left in other tables is replaced by the next run",
    )
