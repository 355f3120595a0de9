"""Members of a set and a warehouse → ``Cases`` for one channel mode and context.

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
from cis490_pipeline.datasets.gap_windows import blocks_for, with_gaps_filled
from cis490_pipeline.datasets.in_context import StatisticsInContext, take_logarithm
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.shard_view import ShardSequences
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.schema.channels import CHANNELS, N_CHANNELS, Mode, visible_channels
from cis490_pipeline.schema.context import STRETCHES, Context, Stretch
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
    context: Context = Context.NONE,
) -> LoadedCases:
    """Load every window of the members, sorted by episode and window.

    In a context, each window comes with its past within its own episode, never with its future.

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
    episodes = _Episodes(warehouse, keys, tuple(sorted(ids)), mode)
    matrix_NF = _matrix(rows, columns) if summary else None
    cases = Cases(
        y_N=_column(keys, "phase").astype(np.int64),
        cluster_N=episodes.cluster_N,
        t_center_s_N=_column(keys, "t_center_s").astype(np.float64),
        summary_NF=matrix_NF if context is Context.NONE else None,
        sequences=episodes.sequences(context) if sequences else None,
        n_classes=N_PHASES,
        in_context=None
        if matrix_NF is None or context is Context.NONE
        else episodes.in_context(matrix_NF, context),
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


class _Episodes:
    """The shards of some episodes, and which of their windows the rows of a table are."""

    def __init__(
        self, warehouse: Warehouse, keys: pa.Table, ids: tuple[str, ...], mode: Mode
    ) -> None:
        names = keys["episode_id"].to_numpy().astype(str)
        self.cluster_N = np.searchsorted(np.array(ids, dtype=np.str_), names).astype(np.int64)
        self._window_N = _column(keys, "window").astype(np.int64)
        self._warehouse, self._ids, self._mode = warehouse, ids, mode

    def sequences(self, context: Context) -> ShardSequences:
        """Return the rows' windows, or the stretches that end with them."""
        channels = visible_channels(self._mode)
        return self._views(self.cluster_N, self._window_N, channels, STRETCHES[context])

    def in_context(self, matrix_NF: NDArray[np.float32], context: Context) -> StatisticsInContext:
        """Return the rows' statistics beside those of their past; takes over the matrix."""
        blocks = blocks_for(self.cluster_N, self._window_N, len(self._ids))
        z_MF = with_gaps_filled(matrix_NF, blocks, self._statistics)
        take_logarithm(z_MF)
        return StatisticsInContext(
            z_MF=z_MF,
            row_N=blocks.row_N,
            window_N=self._window_N,
            context=context,
            channels=visible_channels(self._mode),
        )

    def _statistics(self, episode: int, windows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the statistics ``[n, F]`` of windows that are no rows of the table."""
        every = tuple(range(N_CHANNELS))
        alone = STRETCHES[Context.NONE]
        view = self._views(np.full_like(windows, episode), windows, every, alone)
        visible = list(visible_channels(self._mode))
        x_BCT = view.gather(np.arange(len(windows)))
        rows = [window_statistics(x_CT.T)[0, visible].ravel() for x_CT in x_BCT]
        return np.stack(rows)

    def _views(
        self,
        episode_N: NDArray[np.int64],
        window_N: NDArray[np.int64],
        channels: tuple[int, ...],
        stretch: Stretch,
    ) -> ShardSequences:
        episodes = self._warehouse.tables.read(
            Table.EPISODES,
            columns=["episode_id", "shard", "first_tick", "n_ticks"],
            where=_is_one_of(self._ids),
        ).sort_by("episode_id")
        return ShardSequences.open(
            self._warehouse.layout,
            shards=episodes["shard"].to_pylist(),
            first_ticks=_column(episodes, "first_tick").astype(np.int64),
            n_ticks=_column(episodes, "n_ticks").astype(np.int64),
            episode_N=episode_N,
            window_N=window_N,
            channels=channels,
            stretch=stretch,
        )
