"""Members of a set and a warehouse → ``Cases`` for one channel mode and context.

The mask of the mode is applied here: of a channel that the mode must not see, neither a column nor
a byte of a shard reaches a model.

Not here: who the members are (``training_sets``, ``test_sets``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.gap_windows import Gaps, blocks_for, gaps_of
from cis490_pipeline.datasets.in_context import StatisticsInContext
from cis490_pipeline.datasets.levels import Levels, levels_of_groups
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.shard_view import ShardSequences
from cis490_pipeline.datasets.window_rows import (
    WindowRows,
    column_of,
    is_one_of,
    other_content,
    require_within,
    statistics_of,
)
from cis490_pipeline.features.past import level_of, signed_log
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.schema.channels import N_CHANNELS, Mode, visible_channels
from cis490_pipeline.schema.context import STRETCHES, Context, Stretch
from cis490_pipeline.schema.phases import N_PHASES, NOT_A_CLASS
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import N_STATS, STRIDE_S, WINDOW_S, WINDOW_TICKS
from cis490_pipeline.warehouse.mapped import PageBudget, scratch_matrix
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

    ``keys`` has one row per case that has a label, in the order of the cases.
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
    every_window: bool = False,
) -> LoadedCases:
    """Load every row of the members' windows, sorted by episode and window.

    In a context, each window comes with its past within its own episode, never with its future;
    in the transductive one also with the level of its host, from all windows of the members.

    Parameters
    ----------
    every_window
        Whether windows come along whose label is no class (``failed``) and that a row of the same
        episode follows: a device sees them too, and its phase filter remembers them. Their label is
        ``NOT_A_CLASS``: cases to predict, and not to fit on.

    Raises
    ------
    WarehouseError
        Where the tables no longer hold exactly the content that the set names, or a window does not
        lie in its episode.
    """
    held = _require_content(warehouse, members)
    keys = warehouse.tables.read(
        Table.WINDOW_FEATURES, columns=_KEYS, where=is_one_of(members)
    ).sort_by([("episode_id", "ascending"), ("window", "ascending")])
    require_within(keys, held)
    episodes = _Episodes(warehouse, keys, members, mode, every_window=every_window)
    alone = context is Context.NONE
    cases = Cases(
        y_N=episodes.labels(column_of(keys, "phase").astype(np.int64)),
        cluster_N=episodes.cluster_N,
        t_center_s_N=(STRIDE_S * episodes.window_N + WINDOW_S / 2).astype(np.float64),
        summary_NF=episodes.statistics() if summary and alone else None,
        sequences=episodes.sequences(context) if sequences else None,
        n_classes=N_PHASES,
        in_context=episodes.in_context(context) if summary and not alone else None,
    )
    return LoadedCases(cases=cases, keys=keys)


def _require_content(warehouse: Warehouse, members: Sequence[Member]) -> pa.Table:
    """Return the members' rows of ``episodes``, whose content is the one that was meant."""
    held = warehouse.tables.read(
        Table.EPISODES,
        columns=["episode_id", "sha256", "n_ticks"],
        where=is_one_of(members),
    )
    by_id = dict(zip(held["episode_id"].to_pylist(), held["sha256"].to_pylist(), strict=True))
    for member in members:
        if by_id.get(member.episode_id) != member.sha256:
            raise other_content(member.episode_id, member.sha256, by_id.get(member.episode_id))
    return held


def _host_of_episodes(keys: pa.Table, rows: WindowRows) -> NDArray[np.int64]:
    """Return a number for the host of each member; of one without windows it means nothing."""
    host_E = np.zeros(len(rows.members), dtype=np.int64)
    names_N = np.asarray(keys["host_id"].to_pylist(), dtype=np.str_)
    host_E[rows.cluster_N] = np.unique(names_N, return_inverse=True)[1]
    return host_E


class _Episodes:
    """The shards and statistics of some episodes' windows.

    Cases (N) are the rows of the table, or every window held (M): ``row_N`` is the place of each
    among those, ``cluster_N`` and ``window_N`` which window it is.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        keys: pa.Table,
        members: Sequence[Member],
        mode: Mode,
        *,
        every_window: bool,
    ) -> None:
        self.rows = rows = WindowRows.of(keys, members)
        self._warehouse, self._mode = warehouse, mode
        self._host_E = _host_of_episodes(keys, rows)
        self._blocks = blocks_for(rows.cluster_N, rows.window_N, len(rows.members))
        self.row_N = np.arange(self._blocks.n_rows) if every_window else self._blocks.row_N
        self.cluster_N = self._blocks.episodes()[self.row_N]
        self.window_N = self.row_N - self._blocks.first_E[self.cluster_N]

    def labels(self, phase_R: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the label of each case from those of the rows."""
        label_M = np.full(self._blocks.n_rows, NOT_A_CLASS, dtype=np.int64)
        label_M[self._blocks.row_N] = phase_R
        return label_M[self.row_N]

    def sequences(self, context: Context) -> ShardSequences:
        """Return the cases' windows, or the stretches that end with them."""
        channels, stretch = visible_channels(self._mode), STRETCHES[context]
        view = self._views(self.cluster_N, self.window_N, channels, stretch)
        now = Stretch(ticks=WINDOW_TICKS, step=stretch.step)
        match context:
            case Context.COMMISSIONED:
                return replace(view, levels=self._first_levels(now))
            case Context.TRANSDUCTIVE:
                return replace(view, levels=self._host_levels(now))
            case Context.NONE | Context.RECENT:
                return view

    def statistics(self) -> NDArray[np.float32]:
        """Return the cases' statistics, ``[N, F]``."""
        n_rows = self.rows.n_rows
        if n_rows < self.row_N.size:
            return self._held(lambda x_BF: x_BF)
        return self._matrix(np.arange(n_rows), n_rows, lambda x_BF: x_BF)

    def in_context(self, context: Context) -> StatisticsInContext:
        """Return the cases' statistics beside those of their past."""
        z_MF = self._held(signed_log)
        return StatisticsInContext(
            z_MF=z_MF,
            row_N=self.row_N,
            window_N=self.window_N,
            context=context,
            channels=visible_channels(self._mode),
            room=self._room,
            levels=levels_of_groups(self._host_M(), lambda row_V: z_MF[row_V])
            if context is Context.TRANSDUCTIVE
            else None,
        )

    def _host_M(self) -> NDArray[np.int64]:  # noqa: N802 - the suffix is its shape
        return self._host_E[self._blocks.episodes()]

    def _first_levels(self, now: Stretch) -> Levels:
        """Return the level of each episode's first window, by case."""
        episode_G, group_N = np.unique(self.cluster_N, return_inverse=True)
        channels = visible_channels(self._mode)
        view = self._views(episode_G, np.zeros_like(episode_G), channels, now)
        centre_GC = level_of(view.gather(np.arange(episode_G.size)))
        return Levels(centre_GF=centre_GC, scale_GF=np.ones_like(centre_GC), group_R=group_N)

    def _host_levels(self, now: Stretch) -> Levels:
        """Return the level of each host's ticks, by case."""
        episode_M = self._blocks.episodes()
        window_M = np.arange(episode_M.size) - self._blocks.first_E[episode_M]
        view = self._views(episode_M, window_M, visible_channels(self._mode), now)

        def ticks(row_V: NDArray[np.int64]) -> NDArray[np.float32]:
            return signed_log(view.gather(row_V).transpose(0, 2, 1).reshape(-1, view.n_channels))

        held = levels_of_groups(self._host_M(), ticks)
        return replace(held, group_R=held.group_R[self.row_N])

    def _room(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        return scratch_matrix(self._warehouse.layout.training_work, shape)

    def _held(
        self, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return the changed statistics of every window up to an episode's last row, ``[M, F]``."""
        blocks = self._blocks
        out_MF = self._matrix(blocks.row_N, blocks.n_rows, change)
        self._fill_gaps(out_MF, gaps_of(blocks), change)
        return out_MF

    def _matrix(
        self,
        row_N: NDArray[np.int64],
        n_rows: int,
        change: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Return a matrix that has the changed statistics of row number i in ``row_N[i]``."""
        n_columns = len(visible_channels(self._mode)) * N_STATS
        out_MF = self._room((n_rows, n_columns))
        pages = PageBudget()
        for position_B, x_BF in statistics_of(self._warehouse, self.rows, self._mode):
            out_MF[row_N[position_B]] = change(x_BF)
            pages.spend(out_MF, row_N[position_B], 1)
        return out_MF

    def _fill_gaps(
        self,
        out_MF: NDArray[np.float32],
        gaps: Gaps,
        change: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> None:
        """Put in the changed statistics of windows that are no rows of the table."""
        every, alone = tuple(range(N_CHANNELS)), STRETCHES[Context.NONE]
        view = self._views(gaps.episode_G, gaps.window_G, every, alone)
        visible, pages = list(visible_channels(self._mode)), PageBudget()
        for gap, row in enumerate(gaps.row_G.tolist()):
            x_CT = view.gather(np.array([gap]))[0]
            out_MF[row] = change(window_statistics(x_CT.T)[0, visible].ravel())
            pages.spend(out_MF, np.array([row]), 1)

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
            where=is_one_of(self.rows.members),
        ).sort_by("episode_id")
        return ShardSequences.open(
            self._warehouse.layout,
            shards=episodes["shard"].to_pylist(),
            first_ticks=column_of(episodes, "first_tick").astype(np.int64),
            n_ticks=column_of(episodes, "n_ticks").astype(np.int64),
            episode_N=episode_N,
            window_N=window_N,
            channels=channels,
            stretch=stretch,
        )
