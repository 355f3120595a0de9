"""What must hold of a data directory after any death, and after everything was brought to its end.

Not here: the deaths (``kills``).
"""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from deltalake import DeltaTable

from cis490_pipeline.ingest.compaction import CompactionOptions, compact
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.ingest.content import content_of, grids_of

_TABLES: Final = (
    Table.EPISODES,
    Table.VALIDATION_INDEX,
    Table.EPISODE_FEATURES,
    Table.WINDOW_FEATURES,
)


def check_readable(data: Path) -> None:
    """Read every table as its users do: no error, no episode twice, a grid for each that is held.

    Of an episode that moved while its old host's batch lay half-written, rows of both hosts stand
    until the old one's next run takes its own back; what is held says the validation index.
    """
    warehouse = Warehouse(data)
    for table in _TABLES:
        rows = warehouse.tables.read(table, columns=_keys(table)).to_pylist()
        twice = [key for key, n in Counter(tuple(row.values()) for row in rows).items() if n > 1]
        assert not twice, (table, twice)
    grids_of(warehouse)


def _keys(table: Table) -> list[str]:
    if table is Table.VALIDATION_INDEX:
        return ["episode_id"]
    return ["host_id", "episode_id", *(["window"] if table is Table.WINDOW_FEATURES else [])]


def check_end(data: Path, calm: dict[str, Any]) -> None:
    """Compare the content with an undisturbed run's, sweep, and find nothing that is not named."""
    warehouse = Warehouse(data)
    assert content_of(data) == calm
    left = [path.name for path in warehouse.layout.ingest.iterdir()]
    assert not [name for name in left if name.endswith((".pending.json", ".visiting"))], left
    for retention_hours in (0, 1):  # the second: files that no commit ever named
        _age(data)
        compact(warehouse, CompactionOptions(retention_hours=retention_hours, temporary_hours=0))
    assert content_of(data) == calm
    assert _orphans(warehouse) == set()


def _age(data: Path) -> None:
    """Make every file as old as if its writer had died days ago."""
    then = time.time() - 3 * 86400
    for path in data.rglob("*"):
        os.utime(path, (then, then))


def unnamed_shards(warehouse: Warehouse) -> set[str]:
    """Return files in the directories of shards that no episode names."""
    rows = warehouse.tables.read(Table.EPISODES, columns=["shard"]).to_pylist()
    return _files(warehouse.layout.tensor) - {row["shard"] for row in rows}


def n_to_merge(warehouse: Warehouse) -> int:
    """Return the number of shards that the host with the most of them has."""
    rows = warehouse.tables.read(Table.EPISODES, columns=["host_id", "shard"]).to_pylist()
    shards = {(row["host_id"], row["shard"]) for row in rows}
    return max(Counter(host for host, _ in shards).values(), default=0)


def _orphans(warehouse: Warehouse) -> set[str]:
    """Return files below shards and tables that nothing names."""
    orphans = unnamed_shards(warehouse)
    for table in _TABLES:
        path = warehouse.tables.path(table)
        uris = DeltaTable(str(path)).file_uris()
        named = {str(Path(unquote(uri)).relative_to(path)) for uri in uris}
        orphans |= {name for name in _files(path) - named if not _is_log(Path(name))}
    return orphans


def _files(directory: Path) -> set[str]:
    return {str(f.relative_to(directory)) for f in directory.rglob("*") if f.is_file()}


def _is_log(path: Path) -> bool:
    number = path.name.split(".", 1)[0]
    in_log = path.parent.name == "_delta_log"
    return in_log and (path.name == "_last_checkpoint" or number.isdigit())
