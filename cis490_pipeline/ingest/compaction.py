"""Compaction and clean-up of a whole data directory: what a nightly job does.

Many small commits leave many small shards and table files; re-ships, crashes and compaction itself
leave files that nothing names. None of it changes what the tables say, and killed at any point it
leaves every episode with its grid: the next run goes on.

Not here: the steps (``shard_merging``, ``garbage``, ``warehouse.maintenance``).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cis490_pipeline.ingest.garbage import ShardSweep, known_hosts, sweep_shards
from cis490_pipeline.ingest.journal import host_lock
from cis490_pipeline.ingest.shard_merging import ShardsMerged, merge_shards
from cis490_pipeline.schema.tables import PARTITION_COLUMNS, Table
from cis490_pipeline.warehouse.maintenance import (
    FilesMerged,
    Removed,
    merge_small_files,
    sweep_temporaries,
    tidy_log,
    vacuum,
)
from cis490_pipeline.warehouse.tables import Tables
from cis490_pipeline.warehouse.warehouse import Warehouse

_OF_HOSTS: Final = (
    Table.EPISODES,
    Table.VALIDATION_INDEX,
    Table.EPISODE_FEATURES,
    Table.WINDOW_FEATURES,
)
_OF_MODELS: Final = (Table.PREDICTIONS, Table.TEST_LEDGER, Table.SHADOW_SCORES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionOptions:
    """How large files become, and how long what is superseded stays for those who read it.

    ``retention_hours`` must exceed the longest time between reading a table and opening what it
    names; on NFS, where an open file can be deleted under its reader, the longest training run.
    """

    shard_bytes: int = 256 << 20
    table_file_bytes: int = 128 << 20
    retention_hours: int = 7 * 24
    temporary_hours: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCompaction:
    """What was done to a host's shards."""

    host_id: str
    merged: ShardsMerged
    sweep: ShardSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCompaction:
    """What was done to a table: data files merged, superseded files deleted."""

    table: Table
    merged: FilesMerged
    vacuumed: Removed


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionReport:
    """What a run did to a data directory."""

    hosts: tuple[HostCompaction, ...]
    tables: tuple[TableCompaction, ...]
    temporaries: Removed
    seconds: float

    @property
    def shards_merged(self) -> ShardsMerged:
        """Shards of all hosts."""
        return sum((host.merged for host in self.hosts), start=ShardsMerged())

    @property
    def files_merged(self) -> FilesMerged:
        """Data files of all tables."""
        return sum((table.merged for table in self.tables), start=FilesMerged())

    @property
    def removed(self) -> Removed:
        """Everything that was deleted."""
        vacuumed = sum((table.vacuumed for table in self.tables), start=self.temporaries)
        return sum((host.sweep.removed for host in self.hosts), start=vacuumed)

    @property
    def waiting(self) -> Removed:
        """Shards that nothing names, kept until their retention ends."""
        return sum((host.sweep.waiting for host in self.hosts), start=Removed())

    @property
    def sentence(self) -> str:
        """The run in one line."""
        shards, files = self.shards_merged, self.files_merged
        return (
            f"{shards.before} shards merged into {shards.after}, {files.before} table files into "
            f"{files.after}; {self.removed.files} files ({self.removed.bytes / 1e6:.1f} MB) "
            f"deleted, {self.waiting.files} shards ({self.waiting.bytes / 1e6:.1f} MB) wait for "
            f"the end of their retention, {self.seconds:.1f} s"
        )


def compact(
    warehouse: Warehouse,
    options: CompactionOptions | None = None,
    clock: Callable[[], float] = time.time,
) -> CompactionReport:
    """Merge what is small, delete what nothing names and nobody can be reading.

    Ingest of a host waits while that host is at work here, and the other way round.

    Parameters
    ----------
    clock
        Unix seconds now.

    Raises
    ------
    WarehouseError
        Where a shard cannot be read or the machine refuses; what was done stays done.
    """
    started = time.monotonic()
    options = options or CompactionOptions()
    tables = warehouse.tables
    hosts: list[HostCompaction] = []
    merged = dict.fromkeys((*_OF_HOSTS, *_OF_MODELS), FilesMerged())
    for host_id in _hosts(warehouse):
        with host_lock(warehouse.layout, host_id):
            hosts.append(_compact_shards(warehouse, host_id, options, clock()))
            for table in _OF_HOSTS:
                merged[table] += _merged(tables, table, host_id, options)
    for table in _OF_MODELS:
        for partition in _partitions(tables, table):
            merged[table] += _merged(tables, table, partition, options)
    vacuumed = {table: _vacuumed(tables, table, options) for table in merged}
    before_s = clock() - options.temporary_hours * 3600
    return CompactionReport(
        hosts=tuple(hosts),
        tables=tuple(
            TableCompaction(table=table, merged=merged[table], vacuumed=vacuumed[table])
            for table in merged
        ),
        temporaries=sweep_temporaries(warehouse.layout, before_s=before_s),
        seconds=time.monotonic() - started,
    )


def _hosts(warehouse: Warehouse) -> tuple[str, ...]:
    held = warehouse.tables.partitions(Table.VALIDATION_INDEX)
    return tuple(sorted({*held, *known_hosts(warehouse.layout)}))


def _partitions(tables: Tables, table: Table) -> tuple[str | None, ...]:
    return tables.partitions(table) if PARTITION_COLUMNS[table] else (None,)


def _compact_shards(
    warehouse: Warehouse, host_id: str, options: CompactionOptions, now_s: float
) -> HostCompaction:
    merged = merge_shards(warehouse, host_id, target_bytes=options.shard_bytes)
    retention_s = options.retention_hours * 3600
    sweep = sweep_shards(warehouse, host_id, now_s=now_s, retention_s=retention_s)
    return HostCompaction(host_id=host_id, merged=merged, sweep=sweep)


def _merged(
    tables: Tables, table: Table, partition: str | None, options: CompactionOptions
) -> FilesMerged:
    return merge_small_files(tables, table, partition, target_bytes=options.table_file_bytes)


def _vacuumed(tables: Tables, table: Table, options: CompactionOptions) -> Removed:
    removed = vacuum(tables, table, retention_hours=options.retention_hours)
    tidy_log(tables, table)
    return removed
