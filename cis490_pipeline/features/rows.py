"""Statistics as Arrow tables: ``window_features`` and ``episode_features``.

Shape suffixes: N windows, C channels, S statistics, F features (C × S, channel-major).

Not here: the statistics themselves (``statistics``), committing tables (``warehouse``).
Source: episode format, *From rows to windows*, steps 4 and 6; column types are those of
``schema.tables``.

A missing statistic (NaN) is an Arrow null: missing is missing in SQL and polars too, where NaN
would be a number that compares and averages. Whoever turns columns back into arrays gets NaN
again from a null.

Several episodes make one table, because a commit holds many and 276 columns are built once each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.schema.phases import NOT_A_CLASS
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.schema.windows import FEATURE_NAMES, STRIDE_S, WINDOW_S
from cis490_pipeline.telemetry.labelling import WindowLabels

_Number = TypeVar("_Number", bound=np.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeKeys:
    """The columns that are the same in every row of an episode; None where metadata has none."""

    episode_id: str
    host_id: str
    profile: str | None
    sample_name: str | None
    sample_kind: str | None
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowPiece:
    """One episode's share of a window table; ``stats_NCS`` is float32 ``[n_windows, 46, 6]``."""

    keys: EpisodeKeys
    labels: WindowLabels
    stats_NCS: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpisodePiece:
    """One episode's row of the episode table; ``stats_CS`` is float32 ``[46, 6]``."""

    keys: EpisodeKeys
    stats_CS: NDArray[np.float32]


def window_table(
    keys: EpisodeKeys, labels: WindowLabels, stats_NCS: NDArray[np.float32]
) -> pa.Table:
    """Return the rows of one episode; see ``window_table_of``."""
    return window_table_of([WindowPiece(keys=keys, labels=labels, stats_NCS=stats_NCS)])


def window_table_of(pieces: Sequence[WindowPiece]) -> pa.Table:
    """Return the training rows of several episodes, in the order given.

    A window whose label is no class is not a row; ``window`` keeps its index on the episode's
    grid, so it may have gaps.

    Returns
    -------
    pa.Table
        With the schema of ``Table.WINDOW_FEATURES``.
    """
    rows = [np.flatnonzero(piece.labels.phase_N != NOT_A_CLASS) for piece in pieces]
    window_N = _joined(rows, np.int64)
    phases = [piece.labels.phase_N[row] for piece, row in zip(pieces, rows, strict=True)]
    purities = [piece.labels.purity_N[row] for piece, row in zip(pieces, rows, strict=True)]
    stats = [piece.stats_NCS[row] for piece, row in zip(pieces, rows, strict=True)]
    columns = _key_columns([piece.keys for piece in pieces], [len(row) for row in rows])
    columns |= {
        "window": pa.array(window_N.astype(np.int32)),
        "t_center_s": pa.array((STRIDE_S * window_N + WINDOW_S / 2).astype(np.float32)),
        "phase": pa.array(_joined(phases, np.int8)),
        "label_purity": pa.array(_joined(purities, np.float32)),
    }
    columns |= _statistic_columns(stats, len(window_N))
    return _table(columns, TABLE_SCHEMAS[Table.WINDOW_FEATURES])


def episode_table(keys: EpisodeKeys, stats_CS: NDArray[np.float32]) -> pa.Table:
    """Return the one row of an episode; see ``episode_table_of``."""
    return episode_table_of([EpisodePiece(keys=keys, stats_CS=stats_CS)])


def episode_table_of(pieces: Sequence[EpisodePiece]) -> pa.Table:
    """Return one row per episode, with the schema of ``Table.EPISODE_FEATURES``."""
    columns = _key_columns([piece.keys for piece in pieces], [1] * len(pieces))
    columns |= _statistic_columns([piece.stats_CS[np.newaxis] for piece in pieces], len(pieces))
    return _table(columns, TABLE_SCHEMAS[Table.EPISODE_FEATURES])


def _key_columns(keys: Sequence[EpisodeKeys], counts: Sequence[int]) -> dict[str, pa.Array]:
    """Return the columns of ``EpisodeKeys``, each value repeated for its episode's rows."""
    which_N = pa.array(np.repeat(np.arange(len(keys)), counts))
    return {
        name: pa.array([getattr(key, name) for key in keys], pa.string()).take(which_N)
        for name in EpisodeKeys.__slots__
    }


def _statistic_columns(stats: Sequence[NDArray[np.float32]], n_rows: int) -> dict[str, pa.Array]:
    """Return the 276 columns; all share one block of memory, column after column."""
    x_FN = np.empty((len(FEATURE_NAMES), n_rows), dtype=np.float32)
    first = 0
    for stats_NCS in stats:
        last = first + len(stats_NCS)
        x_FN[:, first:last] = stats_NCS.reshape(len(stats_NCS), len(FEATURE_NAMES)).T
        first = last
    return {
        name: pa.array(x_FN[column], pa.float32(), from_pandas=True)
        for column, name in enumerate(FEATURE_NAMES)
    }


def _joined(parts: Sequence[NDArray[_Number]], dtype: type[_Number]) -> NDArray[_Number]:
    return np.concatenate([np.empty(0, dtype=dtype), *parts])


def _table(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
