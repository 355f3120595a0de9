"""Which rows of the tables a set of members is, and their statistics, a few thousand at a time.

Shape suffixes: N rows in the order of (episode, window), B rows of a batch, F statistics.

Not here: what becomes of the statistics (``loading``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.channels import CHANNELS, Mode, visible_channels
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import STATS, STRIDE_TICKS, WINDOW_TICKS
from cis490_pipeline.warehouse.warehouse import Warehouse

_IDENTITY: Final = ("episode_id", "window", "sha256")
_MOST_WINDOWS: Final = 2**32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowRows:
    """The rows of ``window_features`` of some members, sorted by episode and window.

    Attributes
    ----------
    members
        Sorted by episode id.
    cluster_N, window_N
        Position of each row's episode among the members, and the window's index in it.
    """

    members: tuple[Member, ...]
    cluster_N: NDArray[np.int64]
    window_N: NDArray[np.int64]

    @classmethod
    def of(cls, keys: pa.Table, members: Sequence[Member]) -> "WindowRows":
        """Take the rows of a table that is sorted.

        Raises
        ------
        WarehouseError
            Where a row is of another content than the set names.
        """
        by_id = tuple(sorted(members))
        require_windows_of(keys, members)
        return cls(
            members=by_id,
            cluster_N=_clusters(keys, by_id),
            window_N=column_of(keys, "window").astype(np.int64),
        )

    @property
    def n_rows(self) -> int:
        """N."""
        return int(self.cluster_N.shape[0])

    def positions(self, rows: pa.Table) -> NDArray[np.int64]:
        """Return which of these rows the rows of a table are.

        Raises
        ------
        WarehouseError
            Where the table changed meanwhile.
        """
        require_windows_of(rows, self.members)
        code_N = self.cluster_N * _MOST_WINDOWS + self.window_N
        window_B = column_of(rows, "window").astype(np.int64)
        code_B = _clusters(rows, self.members) * _MOST_WINDOWS + window_B
        position_B = np.searchsorted(code_N, code_B)
        if bool((np.append(code_N, -1)[position_B] != code_B).any()):
            raise _changed()
        return position_B


def statistics_of(
    warehouse: Warehouse, rows: WindowRows, mode: Mode
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield positions among the rows and their statistics ``[B, F]`` of the visible channels.

    Channel-major as in the table, float32, NaN = missing; each row once, in no order.

    Raises
    ------
    WarehouseError
        Where the table changed since the rows were read.
    """
    columns = [
        f"{CHANNELS[c].column}_{stat.value}" for c in visible_channels(mode) for stat in STATS
    ]
    n_seen = 0
    for batch in warehouse.tables.batches(
        Table.WINDOW_FEATURES, columns=[*_IDENTITY, *columns], where=is_one_of(rows.members)
    ):
        x_BF = np.empty((batch.num_rows, len(columns)), dtype=np.float32)
        for position, name in enumerate(columns):
            x_BF[:, position] = column_of(batch, name)
        n_seen += batch.num_rows
        yield rows.positions(batch), x_BF
    if n_seen != rows.n_rows:
        raise _changed()


def is_one_of(members: Sequence[Member]) -> pc.Expression:
    """Return the condition that a row is of one of the members."""
    # typed: of an empty list (the test set of ``deploy``) Arrow would infer the type null
    ids = pa.array([member.episode_id for member in members], pa.string())
    return pc.field("episode_id").isin(ids)


def column_of(rows: pa.Table, name: str) -> NDArray[np.generic]:
    """Return a column as an array; a null number is NaN."""
    return rows[name].combine_chunks().to_numpy(zero_copy_only=False)


def require_windows_of(keys: pa.Table, members: Sequence[Member]) -> None:
    """Refuse windows of another content: a re-ship commits its windows before its episode.

    Raises
    ------
    WarehouseError
        Naming the episode.
    """
    wanted = {member.episode_id: member.sha256 for member in members}
    found = keys.group_by(["episode_id", "sha256"]).aggregate([]).to_pylist()
    for row in found:
        if row["sha256"] != wanted[row["episode_id"]]:
            raise other_content(row["episode_id"], wanted[row["episode_id"]], row["sha256"])


def require_within(keys: pa.Table, episodes: pa.Table) -> None:
    """Refuse a window that ends after its episode: the ticks there are of the next one.

    In a shard episodes of every role lie side by side.

    Raises
    ------
    WarehouseError
        Naming the first such episode.
    """
    n_ticks = dict(zip(*(episodes[n].to_pylist() for n in ("episode_id", "n_ticks")), strict=True))
    last = keys.group_by("episode_id").aggregate([("window", "max")])
    for row in last.sort_by("episode_id").to_pylist():
        end = row["window_max"] * STRIDE_TICKS + WINDOW_TICKS
        if end > n_ticks[row["episode_id"]]:
            raise WarehouseError(
                "a window reaches beyond its episode",
                where=f"episode {row['episode_id']}, window {row['window_max']}",
                expected=f"an end within {n_ticks[row['episode_id']]} ticks",
                found=f"tick {end}",
                todo="ingest the episodes of this split again",
            )


def other_content(episode_id: str, expected: str, found: str | None) -> WarehouseError:
    """Return what to say where the tables hold another content of an episode."""
    return WarehouseError(
        "the tables no longer hold the content that the set names",
        where=f"episode {episode_id}",
        expected=expected[:12],
        found=str(found)[:12],
        todo="materialize training_set and test_set of this split again",
    )


def _changed() -> WarehouseError:
    return WarehouseError(
        "the windows changed while they were read",
        where="table window_features",
        todo="run again once the ingest or compaction under way has ended",
    )


def _clusters(rows: pa.Table, members: Sequence[Member]) -> NDArray[np.int64]:
    ids = pa.array([member.episode_id for member in members], pa.string())
    names = rows["episode_id"].combine_chunks()
    codes = pc.call_function("index_in", [names], pc.SetLookupOptions(ids))
    return codes.to_numpy(zero_copy_only=False).astype(np.int64)
