"""What a warehouse holds, as plain values: two warehouses are equal when these are."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from cis490_pipeline.features.shards import open_shard
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse

_TABLES = (
    Table.VALIDATION_INDEX,
    Table.EPISODES,
    Table.WINDOW_FEATURES,
    Table.EPISODE_FEATURES,
)


def rows_of(warehouse: Warehouse, table: Table) -> list[dict[str, Any]]:
    """Return a table's rows in a fixed order, without what depends on commit batches."""
    rows = warehouse.tables.read(table).to_pylist()
    for row in rows:
        row.pop("shard", None)
        row.pop("first_tick", None)
        row.pop("file_mtime_ns", None)
    return sorted(rows, key=lambda row: (row["episode_id"], row.get("window", 0)))


def grids_of(warehouse: Warehouse) -> dict[str, str]:
    """Return episode id -> hash of its grid, read through the shards."""
    found: dict[str, str] = {}
    for row in warehouse.tables.read(Table.EPISODES).to_pylist():
        if row["shard"] is None:
            found[row["episode_id"]] = "no ticks"
            continue
        x_TC = open_shard(warehouse.layout.shard(row["shard"]))
        part = x_TC[row["first_tick"] : row["first_tick"] + row["n_ticks"]]
        assert len(part) == row["n_ticks"]
        found[row["episode_id"]] = hashlib.sha256(np.ascontiguousarray(part)).hexdigest()
    return found


def content_of(root: Path) -> dict[str, Any]:
    """Return everything that a user of the tables can see."""
    warehouse = Warehouse(root)
    tables = {table.value: rows_of(warehouse, table) for table in _TABLES}
    return {**tables, "grids": grids_of(warehouse)}
