"""One batch of outcomes into a shard and four tables, in an order that a crash cannot spoil.

Shard → fsync → rename → window_features → episode_features → episodes → validation_index. The last
one is what says that an episode is held; before it, the journal says which rows may be half there.

Not here: computing the outcomes (``one_pass``).
"""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from cis490_pipeline.features.rows import episode_table_of, window_table_of
from cis490_pipeline.features.shards import encode_shard
from cis490_pipeline.ingest.journal import Journal
from cis490_pipeline.ingest.one_pass import Content, Outcome
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.validation.record import ValidationRow, rows_to_table
from cis490_pipeline.warehouse.atomic import write_hashed
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.tables import Tables, sql_text
from cis490_pipeline.warehouse.warehouse import Warehouse

_BATCH_TABLES: Final = (
    Table.WINDOW_FEATURES,
    Table.EPISODE_FEATURES,
    Table.EPISODES,
    Table.VALIDATION_INDEX,
)


def commit_batch(
    warehouse: Warehouse,
    journal: Journal,
    host_id: str,
    outcomes: Sequence[Outcome],
    replaced: frozenset[str],
) -> pa.Table:
    """Write a batch; replaces whatever the tables hold of ``replaced`` ids, whichever host has it.

    Returns
    -------
    pa.Table
        Its rows of the validation index.
    """
    ids = [outcome.row.episode_id for outcome in outcomes]
    held = [(o.row, o.content) for o in outcomes if o.content is not None]
    contents = [content for _, content in held]
    journal.begin(ids)
    places = _write_shard(warehouse.layout, host_id, contents)
    touched = [episode_id for episode_id in ids if episode_id in replaced]
    batch = {
        Table.WINDOW_FEATURES: window_table_of([content.windows for content in contents]),
        Table.EPISODE_FEATURES: episode_table_of([content.episode for content in contents]),
        Table.EPISODES: _episodes_table(held, places),
        Table.VALIDATION_INDEX: rows_to_table([outcome.row for outcome in outcomes]),
    }
    for table, rows in batch.items():
        _write_table(warehouse.tables, table, rows, ids if touched else [])
    journal.finish(ids)
    return batch[Table.VALIDATION_INDEX]


def undo(warehouse: Warehouse, journal: Journal, host_id: str, ids: frozenset[str]) -> None:
    """Take back what an interrupted batch left of episodes that now are another host's.

    This host never visits them again, and the other one may find them new and append.
    """
    if not ids:
        return
    listed = ", ".join(sql_text(episode_id) for episode_id in sorted(ids))
    predicate = f"host_id = {sql_text(host_id)} AND episode_id IN ({listed})"
    for table in _BATCH_TABLES:
        warehouse.tables.replace_where(table, predicate, TABLE_SCHEMAS[table].empty_table())
    journal.finish(ids)


def _write_table(tables: Tables, table: Table, rows: pa.Table, replaced: Sequence[str]) -> None:
    if replaced:
        tables.replace_episodes(table, replaced, rows)
    else:
        tables.append(table, rows)


def _write_shard(
    layout: Layout, host_id: str, contents: Sequence[Content]
) -> list[tuple[str | None, int]]:
    """Return each content's (shard, first tick); no shard where an episode has no tick."""
    chunks, first_ticks = encode_shard([content.x_TC for content in contents])
    if not any(len(content.x_TC) for content in contents):
        return [(None, 0) for _ in contents]
    # also where it is there already: it may be garbage, whose age counts from its last write
    name = write_hashed(layout.shards(host_id), chunks, suffix=".f32")
    relative = f"host={host_id}/{name}"
    return [
        (relative if len(content.x_TC) else None, first)
        for content, first in zip(contents, first_ticks, strict=True)
    ]


def _episodes_table(
    held: Sequence[tuple[ValidationRow, Content]], places: Sequence[tuple[str | None, int]]
) -> pa.Table:
    rows = [
        {
            "episode_id": row.episode_id,
            "host_id": row.host_id,
            "sha256": row.sha256,
            "profile": row.profile,
            "sample_name": row.sample_name,
            "sample_kind": row.sample_kind,
            "status": row.status,
            "received_at_s": row.received_at_s,
            "t0_wall_ns": content.t0_wall_ns,
            "t_end_wall_ns": content.t_end_wall_ns,
            "shard": shard,
            "first_tick": first_tick,
            "n_ticks": len(content.x_TC),
            "transitions": [{"t_s": t.t_s, "phase": t.phase} for t in content.transitions],
        }
        for (row, content), (shard, first_tick) in zip(held, places, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=TABLE_SCHEMAS[Table.EPISODES])
