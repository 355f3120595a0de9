"""Members of a set and a warehouse → ``Cases`` for one channel mode.

The mask of the mode is applied here: of a channel that the mode must not see, neither a column nor
a byte of a shard reaches a model.

Not here: who the members are (``training_sets``, ``test_sets``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.shard_view import ShardSequences
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.channels import CHANNELS, Mode, visible_channels
from cis490_pipeline.schema.phases import N_PHASES
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import STATS
from cis490_pipeline.warehouse.warehouse import Warehouse

_KEYS: Final = (
    "episode_id",
    "host_id",
    "profile",
    "sample_name",
    "window",
    "t_center_s",
    "phase",
    "sha256",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedCases:
    """Cases together with the rows that they are: what a predictions table needs.

    ``keys`` has one row per case, in the order of the cases.
    """

    cases: Cases
    keys: pa.Table


def load_cases(
    warehouse: Warehouse,
    members: Sequence[Member],
    mode: Mode,
    *,
    summary: bool,
    sequences: bool,
) -> LoadedCases:
    """Load every window of the members, sorted by episode and window.

    Raises
    ------
    WarehouseError
        Where the tables no longer hold exactly the content that the set names.
    """
    ids = [member.episode_id for member in members]
    _require_content(warehouse, members)
    columns = _summary_columns(mode) if summary else []
    rows = warehouse.tables.read(
        Table.WINDOW_FEATURES,
        columns=[*_KEYS, *columns],
        where=_is_one_of(ids),
    ).sort_by([("episode_id", "ascending"), ("window", "ascending")])
    keys = rows.select(list(_KEYS))
    _require_windows_of(keys, members)
    cases = Cases(
        y_N=_column(keys, "phase").astype(np.int64),
        cluster_N=_cluster(keys, ids),
        t_center_s_N=_column(keys, "t_center_s").astype(np.float64),
        summary_NF=_matrix(rows, columns) if summary else None,
        sequences=_sequences(warehouse, keys, ids, mode) if sequences else None,
        n_classes=N_PHASES,
    )
    return LoadedCases(cases=cases, keys=keys)


def _summary_columns(mode: Mode) -> list[str]:
    """Return the statistics of the visible channels, channel-major as in the table."""
    return [f"{CHANNELS[c].column}_{stat.value}" for c in visible_channels(mode) for stat in STATS]


def _require_content(warehouse: Warehouse, members: Sequence[Member]) -> None:
    held = warehouse.tables.read(
        Table.EPISODES,
        columns=["episode_id", "sha256"],
        where=_is_one_of([m.episode_id for m in members]),
    )
    by_id = dict(zip(held["episode_id"].to_pylist(), held["sha256"].to_pylist(), strict=True))
    for member in members:
        if by_id.get(member.episode_id) != member.sha256:
            raise _other_content(member.episode_id, member.sha256, by_id.get(member.episode_id))


def _require_windows_of(keys: pa.Table, members: Sequence[Member]) -> None:
    """Refuse windows of another content: a re-ship commits its windows before its episode."""
    wanted = {member.episode_id: member.sha256 for member in members}
    found = keys.group_by(["episode_id", "sha256"]).aggregate([]).to_pylist()
    for row in found:
        if row["sha256"] != wanted[row["episode_id"]]:
            raise _other_content(row["episode_id"], wanted[row["episode_id"]], row["sha256"])


def _other_content(episode_id: str, expected: str, found: str | None) -> WarehouseError:
    return WarehouseError(
        "the tables no longer hold the content that the set names",
        where=f"episode {episode_id}",
        expected=expected[:12],
        found=str(found)[:12],
        todo="materialize training_set and test_set of this split again",
    )


def _is_one_of(ids: Sequence[str]) -> pc.Expression:
    # typed: of an empty list (the test set of ``deploy``) Arrow would infer the type null
    return pc.field("episode_id").isin(pa.array(ids, pa.string()))


def _column(rows: pa.Table, name: str) -> NDArray[np.generic]:
    return rows[name].combine_chunks().to_numpy(zero_copy_only=False)


def _matrix(rows: pa.Table, columns: Sequence[str]) -> NDArray[np.float32]:
    """Return the columns as float32 ``[N, F]``; a null is NaN (missing)."""
    matrix = np.empty((rows.num_rows, len(columns)), dtype=np.float32)
    for position, name in enumerate(columns):
        matrix[:, position] = _column(rows, name)
    return matrix


def _cluster(keys: pa.Table, ids: Sequence[str]) -> NDArray[np.int64]:
    """Return each case's episode as a position in the sorted ids."""
    names = keys["episode_id"].to_numpy().astype(str)
    return np.searchsorted(np.array(sorted(ids), dtype=np.str_), names).astype(np.int64)


def _sequences(
    warehouse: Warehouse, keys: pa.Table, ids: Sequence[str], mode: Mode
) -> ShardSequences:
    episodes = warehouse.tables.read(
        Table.EPISODES,
        columns=["episode_id", "shard", "first_tick", "n_ticks"],
        where=_is_one_of(ids),
    ).sort_by("episode_id")
    cluster_N = _cluster(keys, ids)
    return ShardSequences.open(
        warehouse.layout,
        shards=episodes["shard"].to_pylist(),
        first_ticks=_column(episodes, "first_tick").astype(np.int64),
        n_ticks=_column(episodes, "n_ticks").astype(np.int64),
        episode_N=cluster_N,
        window_N=_column(keys, "window").astype(np.int64),
        channels=visible_channels(mode),
    )
