"""Shards that no row of ``episodes`` names: found, aged, and deleted when nobody can need them.

An interrupted commit, a re-ship and a compaction leave such shards. Their age counts from when
they were first *seen* to be named by nothing, or written after that: a training run that read the
table just before has the whole retention to map them, and what it has mapped it keeps.

Not here: the host's lock (``compaction``), temporary files (``warehouse.maintenance``).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow.compute as pc

from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.maintenance import Removed, remove_file
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSweep:
    """Shards that were deleted, and shards that wait for the end of their retention."""

    removed: Removed
    waiting: Removed


def sweep_shards(
    warehouse: Warehouse, host_id: str, *, now_s: float, retention_s: float
) -> ShardSweep:
    """Delete a host's shards that nothing has named for so long; its lock must be held.

    Raises
    ------
    WarehouseError
        Where the machine refuses.
    """
    directory = warehouse.layout.shards(host_id)
    files = _shard_files(directory)
    path = warehouse.layout.ingest / f"{host_id}.garbage.json"
    seen = _read_seen(path)
    unnamed = sorted(set(files) - _named(warehouse, host_id))
    # an ingest that was interrupted after this run may have written such a shard once more
    since = {n: max(min(seen.get(n, now_s), now_s), files[n].st_mtime) for n in unnamed}
    waiting = {n: since_s for n, since_s in since.items() if now_s - since_s < retention_s}
    if waiting != seen:
        write_bytes(path, json.dumps({"unnamed_since": waiting}, indent=2).encode())
    expired = (remove_file(directory / n) for n in unnamed if n not in waiting)
    removed = sum(expired, start=Removed())
    kept = Removed(files=len(waiting), bytes=sum(files[n].st_size for n in waiting))
    return ShardSweep(removed=removed, waiting=kept)


def _shard_files(directory: Path) -> dict[str, os.stat_result]:
    try:
        with os.scandir(directory) as found:
            return {e.name: e.stat() for e in found if e.name.endswith(".f32")}
    except FileNotFoundError:
        return {}


def _named(warehouse: Warehouse, host_id: str) -> set[str]:
    rows = warehouse.tables.read(
        Table.EPISODES, columns=["shard"], where=pc.field("shard").is_valid()
    )
    prefix = f"host={host_id}/"
    names = cast("list[str]", rows["shard"].unique().to_pylist())
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _read_seen(path: Path) -> Mapping[str, float]:
    """Return shard → Unix seconds; nothing where the file is damaged: that only delays."""
    try:
        read = json.loads(path.read_bytes())["unnamed_since"]
        return {str(name): float(seconds) for name, seconds in read.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def known_hosts(layout: Layout) -> tuple[str, ...]:
    """Return the hosts that have a directory of shards, sorted."""
    return tuple(sorted(p.name.removeprefix("host=") for p in layout.tensor.glob("host=*")))
