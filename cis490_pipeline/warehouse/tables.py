"""Delta tables: append, replace by episode id, read.

Never MERGE (its memory grows with the table) and at most a hundred episodes a commit. Statistics
and dictionaries are off for float columns: they cost four times the CPU and make the files larger.

Not here: which rows (``ingest``, ``evaluation``), their schema (``schema.tables``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pa_fs
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import TableNotFoundError

from cis490_pipeline.schema.tables import PARTITION_COLUMNS, TABLE_SCHEMAS, Table
from cis490_pipeline.warehouse.appending import COMPRESSION_LEVEL, ROWS_PER_GROUP, append_rows
from cis490_pipeline.warehouse.delta_commits import committed
from cis490_pipeline.warehouse.layout import Layout

_SKIPPING_COLUMN: Final = "episode_id"
_WIDE: Final = frozenset({Table.WINDOW_FEATURES, Table.EPISODE_FEATURES})
_LOG_RETENTION: Final = "interval 7 days"

ROWS_PER_BATCH: Final = 8_192


def sql_text(value: str) -> str:
    """Quote a value for a Delta predicate.

    >>> sql_text("o'brien")
    "'o''brien'"
    """
    return "'" + value.replace("'", "''") + "'"


def writer_properties(table: Table) -> WriterProperties:
    """Return how a table's Parquet files are written, by ingest and by compaction."""
    if table not in _WIDE:
        return WriterProperties(compression="ZSTD", compression_level=COMPRESSION_LEVEL)
    return WriterProperties(
        compression="ZSTD",
        compression_level=COMPRESSION_LEVEL,
        max_row_group_size=ROWS_PER_GROUP,
        default_column_properties=ColumnProperties(
            dictionary_enabled=False, statistics_enabled="NONE"
        ),
        column_properties={
            _SKIPPING_COLUMN: ColumnProperties(dictionary_enabled=True, statistics_enabled="CHUNK")
        },
    )


def _table_properties(table: Table) -> dict[str, str | None]:
    properties: dict[str, str | None] = {"delta.logRetentionDuration": _LOG_RETENTION}
    if _SKIPPING_COLUMN in TABLE_SCHEMAS[table].names:
        # Without this the log gets a null bound for every column that has no statistics, and a
        # reader prunes the whole file by `column >= null`: every filtered read then silently
        # finds nothing. Of narrow tables it keeps the log small: opening one of a thousand files
        # with bounds of every column took a second.
        properties["delta.dataSkippingStatsColumns"] = _SKIPPING_COLUMN
    return properties


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

        Raises
        ------
        LeakageError
            Where the directory is confined and a row is of another episode.
        """
        schema = TABLE_SCHEMAS[table]
        names = list(columns) if columns is not None else schema.names
        wanted = pa.schema([schema.field(name) for name in names])
        try:
            dataset = self._dataset(table)
        except TableNotFoundError:
            return wanted.empty_table()
        rows = dataset.to_table(columns=self._read_columns(table, names), filter=where)
        return self._permitted(table, rows).select(names).cast(wanted)

    def batches(
        self, table: Table, *, columns: Sequence[str], where: pc.Expression | None = None
    ) -> Iterator[pa.Table]:
        """Yield rows a few thousand at a time, in no order: for what is not to be held whole."""
        wanted = pa.schema([TABLE_SCHEMAS[table].field(name) for name in columns])
        try:
            dataset = self._dataset(table)
        except TableNotFoundError:
            return
        scanned = dataset.to_batches(
            columns=self._read_columns(table, columns),
            filter=where,
            batch_size=ROWS_PER_BATCH,
            batch_readahead=1,
            fragment_readahead=1,
        )
        for batch in scanned:
            if batch.num_rows:
                rows = self._permitted(table, pa.Table.from_batches([batch]))
                yield rows.select(list(columns)).cast(wanted)

    def _read_columns(self, table: Table, columns: Sequence[str]) -> list[str]:
        confinement = self.layout.confinement
        return list(columns) if confinement is None else confinement.columns(table, columns)

    def _permitted(self, table: Table, rows: pa.Table) -> pa.Table:
        if self.layout.confinement is not None:
            self.layout.confinement.require(table, rows)
        return rows

    def count(self, table: Table, *, where: pc.Expression | None = None) -> int:
        """Return how many rows there are, without reading what the filter does not need."""
        if not self.exists(table):
            return 0
        return self._dataset(table).count_rows(filter=where)

    def partitions(self, table: Table) -> tuple[str, ...]:
        """Return the partitions that have rows, sorted, by the table's log."""
        return tuple(sorted({partition for partition, _ in self._files(table)}))

    def rows_in_partition(self, table: Table, partition: str) -> int:
        """Return how many rows a partition has, by the table's log: no data file is opened."""
        return sum(n_rows for name, n_rows in self._files(table) if name == partition)

    def _files(self, table: Table) -> list[tuple[str, int]]:
        """Return the partition and the number of rows of each data file."""
        if not self.exists(table):
            return []
        (column,) = PARTITION_COLUMNS[table]
        added = pa.table(DeltaTable(str(self.path(table))).get_add_actions(flatten=True))
        columns = (added[f"partition.{column}"], added["num_records"])
        return list(zip(*(column.to_pylist() for column in columns), strict=True))

    def append(self, table: Table, rows: pa.Table) -> None:
        """Add rows in one commit."""
        if rows.num_rows:
            path = self.path(table)
            committed(path, lambda: _append(path, table, _typed(table, rows)))

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
            path = self.path(table)
            committed(path, lambda: _replace(str(path), table, rows, predicate))
        else:
            path = self.path(table)
            committed(path, lambda: DeltaTable(str(path)).delete(predicate))

    def change_partition(
        self, table: Table, partition: str, change: Callable[[pa.Table], pa.Table]
    ) -> None:
        """Put ``change(rows)`` in the place of a partition's rows, in one commit.

        Where another writer took some of the rows away in between, ``change`` is called again on
        those that are left: nothing that was removed comes back.
        """
        (column,) = PARTITION_COLUMNS[table]
        path = self.path(table)

        def attempt() -> None:
            seen = DeltaTable(str(path))
            rows = _dataset(seen, path).to_table(filter=pc.field(column) == partition)
            if rows.num_rows:  # committed from the version that was read, or not at all
                _replace(seen, table, change(rows), f"{column} = {sql_text(partition)}")

        committed(path, attempt)

    def _dataset(self, table: Table) -> ds.Dataset:
        path = self.path(table)
        return _dataset(DeltaTable(str(path)), path)


def _dataset(delta: DeltaTable, path: Path) -> ds.Dataset:
    # deltalake's own file system is written in Python: Arrow's I/O threads, which outlive a
    # scan, would take the GIL to close its files, and where that falls into the interpreter's
    # exit the process aborts after its work was done (delta-rs #2184).
    files = pa_fs.SubTreeFileSystem(str(path), pa_fs.LocalFileSystem())
    return cast("ds.Dataset", delta.to_pyarrow_dataset(filesystem=files))


def _typed(table: Table, rows: pa.Table) -> pa.Table:
    # not where it is not needed: at each of 286 columns a cast lets go of the interpreter and has
    # to get it back from the threads that decode
    schema = TABLE_SCHEMAS[table]
    return rows if rows.schema == schema else rows.cast(schema)


def _append(path: Path, table: Table, rows: pa.Table) -> None:
    partition_by = list(PARTITION_COLUMNS[table])
    if DeltaTable.is_deltatable(str(path)):
        bounded = _SKIPPING_COLUMN if _SKIPPING_COLUMN in rows.schema.names else None
        opened = DeltaTable(str(path))
        append_rows(path, opened, rows, partition_by=partition_by, bounded=bounded)
    else:
        write_deltalake(
            str(path),
            rows,
            mode="append",
            partition_by=partition_by or None,
            writer_properties=writer_properties(table),
            configuration=_table_properties(table),
        )


def _replace(where: str | DeltaTable, table: Table, rows: pa.Table, predicate: str) -> None:
    write_deltalake(
        where,
        rows.cast(TABLE_SCHEMAS[table]),
        mode="overwrite",
        predicate=predicate,
        partition_by=list(PARTITION_COLUMNS[table]) or None,
        writer_properties=writer_properties(table),
    )
