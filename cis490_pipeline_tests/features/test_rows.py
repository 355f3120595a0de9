"""Rows of the feature tables."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.features.rows import (
    EpisodeKeys,
    EpisodePiece,
    WindowPiece,
    episode_table,
    episode_table_of,
    window_table,
    window_table_of,
)
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.schema.windows import FEATURE_NAMES
from cis490_pipeline.telemetry.labelling import WindowLabels

KEYS = EpisodeKeys(
    episode_id="01M80SQ03N6ZGP8NVFX5CZ9P1T",
    host_id="lab-a",
    profile="io-walk",
    sample_name=None,
    sample_kind="emulated",
    sha256="0" * 64,
)


def labels(*phases: int) -> WindowLabels:
    return WindowLabels(
        phase_N=np.array(phases, dtype=np.int8),
        purity_N=np.linspace(0.5, 1, len(phases), dtype=np.float32),
    )


def statistics(n_windows: int, seed: int = 0) -> NDArray[np.float32]:
    x = np.random.default_rng(seed).normal(size=(n_windows, 46, 6)).astype(np.float32)
    x[:, 3, 4] = np.nan
    return x


def features(table: pa.Table) -> NDArray[np.float32]:
    """The statistics as the loader sees them: null becomes NaN."""
    columns = [table[name].to_numpy() for name in FEATURE_NAMES]
    return np.stack(columns, axis=1).astype(np.float32)


def test_rows_have_the_schema_of_the_warehouse() -> None:
    windows = window_table(KEYS, labels(0, 1), statistics(2))
    assert windows.schema.equals(TABLE_SCHEMAS[Table.WINDOW_FEATURES])
    windows.validate(full=True)
    whole = episode_table(KEYS, statistics(1)[0])
    assert whole.schema.equals(TABLE_SCHEMAS[Table.EPISODE_FEATURES])
    whole.validate(full=True)


def test_window_without_a_class_is_no_row_and_leaves_a_gap() -> None:
    x = statistics(4)
    table = window_table(KEYS, labels(0, -1, 3, -1), x)
    assert table["window"].to_pylist() == [0, 2]
    assert table["t_center_s"].to_pylist() == [5.0, 15.0]
    assert table["phase"].to_pylist() == [0, 3]
    assert np.allclose(table["label_purity"].to_pylist(), [0.5, 0.5 + 1 / 3])
    assert np.array_equal(features(table), x[[0, 2]].reshape(2, 276), equal_nan=True)


def test_statistics_stand_channel_by_channel() -> None:
    x = np.arange(276, dtype=np.float32).reshape(1, 46, 6)
    table = window_table(KEYS, labels(0), x)
    assert table["proc_utime_ticks_mean"].to_pylist() == [0.0]
    assert table["proc_utime_ticks_missing"].to_pylist() == [5.0]
    assert table["netflow_udp_packets_slope"].to_pylist() == [274.0]


def test_missing_statistic_is_null() -> None:
    table = window_table(KEYS, labels(0, 0), statistics(2))
    name = FEATURE_NAMES[3 * 6 + 4]
    assert table[name].null_count == 2
    assert sum(table[name].null_count for name in FEATURE_NAMES) == 2
    assert episode_table(KEYS, statistics(1)[0])[name].to_pylist() == [None]


def test_keys_are_repeated_and_absent_ones_are_null() -> None:
    table = window_table(KEYS, labels(0, 0, 0), statistics(3))
    assert table["host_id"].to_pylist() == ["lab-a"] * 3
    assert table["sample_name"].null_count == 3


def test_many_episodes_make_the_table_of_each_one_after_the_other() -> None:
    other = replace(KEYS, episode_id="01M80VTB63H3F17P7R3YJ0WJT3", profile=None, sample_name="x")
    pieces = [
        WindowPiece(keys=KEYS, labels=labels(0, -1, 2), stats_NCS=statistics(3, 1)),
        WindowPiece(keys=other, labels=labels(), stats_NCS=statistics(0)),
        WindowPiece(keys=other, labels=labels(4), stats_NCS=statistics(1, 2)),
    ]
    alone = [window_table(p.keys, p.labels, p.stats_NCS) for p in pieces]
    together = window_table_of(pieces)
    assert together.num_rows == 3
    assert together.equals(pa.concat_tables(alone).combine_chunks())


def test_one_row_per_episode() -> None:
    x = statistics(2)
    other = replace(KEYS, host_id="lab-b")
    table = episode_table_of(
        [EpisodePiece(keys=KEYS, stats_CS=x[0]), EpisodePiece(keys=other, stats_CS=x[1])]
    )
    assert table["host_id"].to_pylist() == ["lab-a", "lab-b"]
    assert np.array_equal(features(table), x.reshape(2, 276), equal_nan=True)


def test_no_episodes_make_an_empty_table() -> None:
    assert window_table_of([]).num_rows == 0
    assert window_table_of([]).schema.equals(TABLE_SCHEMAS[Table.WINDOW_FEATURES])
    assert episode_table_of([]).num_rows == 0


def test_episode_of_failed_windows_alone_has_no_rows() -> None:
    assert window_table(KEYS, labels(-1, -1), statistics(2)).num_rows == 0
