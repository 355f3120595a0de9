"""Small tensor shards of a host into large ones, without the ticks that no episode names any more.

New shard → fsync → rename → one commit on ``episodes`` that points to it. The old shards stay
where they are: a training run may have mapped them, or be about to.

Not here: deleting what nothing names (``garbage``), the host's lock (``compaction``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from cis490_pipeline.features.shards import bytes_of_ticks, read_ticks
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.warehouse.atomic import write_hashed
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardsMerged:
    """Shards that were read, shards that were written in their place, and bytes of the latter."""

    before: int = 0
    after: int = 0
    bytes_written: int = 0

    def __add__(self, other: "ShardsMerged") -> "ShardsMerged":
        return ShardsMerged(
            before=self.before + other.before,
            after=self.after + other.after,
            bytes_written=self.bytes_written + other.bytes_written,
        )


@dataclass(frozen=True, slots=True)
class _Range:
    shard: str
    first_tick: int
    n_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shard:
    """A shard and the ranges in it that episodes name, in the order of their ticks."""

    name: str
    first_episode: str
    file_bytes: int
    ranges: tuple[_Range, ...]

    @property
    def live_bytes(self) -> int:
        return bytes_of_ticks(sum(part.n_ticks for part in self.ranges))


def merge_shards(warehouse: Warehouse, host_id: str, *, target_bytes: int) -> ShardsMerged:
    """Merge a host's small shards; its lock must be held.

    Raises
    ------
    WarehouseError
        Where a shard cannot be read or the machine refuses; what was committed stays, and every
        episode still has its grid.
    """
    done = ShardsMerged()
    for group in _groups(_held_shards(warehouse, host_id), target_bytes):
        done += _merge(warehouse, host_id, group)
    return done


def _held_shards(warehouse: Warehouse, host_id: str) -> list[_Shard]:
    """Return the shards that the host's episodes name, by their first episode."""
    rows = warehouse.tables.read(
        Table.EPISODES,
        columns=["episode_id", "shard", "first_tick", "n_ticks"],
        where=(pc.field("host_id") == host_id) & pc.field("shard").is_valid(),
    ).sort_by("episode_id")
    first: dict[str, str] = {}
    ranges: dict[str, set[_Range]] = {}
    columns = [rows[name].to_pylist() for name in rows.schema.names]
    for episode_id, shard, first_tick, n_ticks in zip(*columns, strict=True):
        first.setdefault(shard, episode_id)
        # a set: two commits of equal grids name one shard, and its ticks are needed once
        ranges.setdefault(shard, set()).add(_Range(shard, first_tick, n_ticks))
    return [
        _Shard(
            name=name,
            first_episode=episode_id,
            file_bytes=_file_bytes(warehouse.layout, name),
            ranges=tuple(sorted(ranges[name], key=lambda part: (part.first_tick, part.n_ticks))),
        )
        for name, episode_id in first.items()
    ]


def _file_bytes(layout: Layout, name: str) -> int:
    try:
        return layout.shard(name).stat().st_size
    except OSError:  # reading it will say what is wrong, where that is needed
        return 0


def _groups(shards: Sequence[_Shard], target_bytes: int) -> list[list[_Shard]]:
    """Return what becomes one shard each.

    A shard of half the target is left alone unless half of it is dead, so that a byte is written
    again only once or twice however often this runs.
    """
    groups: list[list[_Shard]] = [[]]
    size = 0
    for shard in shards:
        if 2 * shard.file_bytes >= target_bytes and not _half_dead(shard):
            continue
        if groups[-1] and size + shard.live_bytes > target_bytes:
            groups.append([])
            size = 0
        groups[-1].append(shard)
        size += shard.live_bytes
    return [g for g in groups if len(g) > 1 or (g and _half_dead(g[0]))]


def _half_dead(shard: _Shard) -> bool:
    return 2 * shard.live_bytes < shard.file_bytes


def _merge(warehouse: Warehouse, host_id: str, group: Sequence[_Shard]) -> ShardsMerged:
    layout = warehouse.layout
    parts = [part for shard in group for part in shard.ranges]
    name = write_hashed(layout.shards(host_id), _contents(layout, parts), suffix=".f32")
    ends = accumulate(part.n_ticks for part in parts)
    first_ticks = {part: end - part.n_ticks for part, end in zip(parts, ends, strict=True)}
    relative = f"host={host_id}/{name}"
    warehouse.tables.change_partition(
        Table.EPISODES, host_id, lambda rows: _pointed_at(relative, rows, first_ticks)
    )
    written = bytes_of_ticks(sum(part.n_ticks for part in parts))
    return ShardsMerged(before=len(group), after=1, bytes_written=written)


def _contents(layout: Layout, parts: Sequence[_Range]) -> Iterator[bytes]:
    for part in parts:
        yield from read_ticks(layout.shard(part.shard), part.first_tick, part.n_ticks)


def _pointed_at(name: str, rows: pa.Table, first_ticks: Mapping[_Range, int]) -> pa.Table:
    """Return rows of ``episodes``, those whose grid was copied with its new place."""
    columns = [rows[column].to_pylist() for column in ("shard", "first_tick", "n_ticks")]
    old = [_Range(*place) for place in zip(*columns, strict=True)]
    places = [
        (name, first_ticks[part]) if part in first_ticks else (part.shard, part.first_tick)
        for part in old
    ]
    moved = {"shard": [shard for shard, _ in places], "first_tick": [tick for _, tick in places]}
    schema = TABLE_SCHEMAS[Table.EPISODES]
    return pa.table([moved.get(column, rows[column]) for column in schema.names], schema=schema)
