"""Arrow schema of every persisted table.

Not here: reading and writing them (``warehouse``).
Source: episode format (columns of the validation index, names of the statistics); README,
section *Storage*.
"""

from enum import StrEnum
from typing import Final

import pyarrow as pa

from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.windows import FEATURE_NAMES


class Table(StrEnum):
    """A Delta table of the warehouse; the value is its directory below ``tables/``."""

    VALIDATION_INDEX = "validation_index"
    EPISODES = "episodes"
    WINDOW_FEATURES = "window_features"
    EPISODE_FEATURES = "episode_features"
    PREDICTIONS = "predictions"
    TEST_LEDGER = "test_ledger"
    SHADOW_SCORES = "shadow_scores"


VALIDATION_COLUMNS: Final = pa.schema(
    [
        ("episode_id", pa.string()),
        ("host_id", pa.string()),
        ("sha256", pa.string()),
        ("size_bytes", pa.int64()),
        ("status", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("soft_reasons", pa.list_(pa.string())),
        ("profile", pa.string()),
        ("sample_name", pa.string()),
        ("sample_kind", pa.string()),
        ("schema_version", pa.int32()),
        ("duration_observed_s", pa.float64()),
        ("rows_proc", pa.int32()),
        ("rows_guest", pa.int32()),
        ("rows_qmp", pa.int32()),
        ("rows_netflow", pa.int32()),
        ("n_labels", pa.int32()),
        ("phases_observed", pa.string()),
        ("has_done_marker", pa.bool_()),
        ("has_pcap", pa.bool_()),
    ]
)
"""Exactly the spec's columns: what ``validation_v1.parquet`` has."""

_VALIDATION_INDEX: Final = pa.schema(
    [
        *VALIDATION_COLUMNS,
        ("received_at_s", pa.float64()),
        ("code_commit", pa.string()),
        ("code_dirty", pa.bool_()),
        # What the retry rule compares: a verdict stands until these or the sha256 change.
        ("file_size_bytes", pa.int64()),
        ("file_mtime_ns", pa.int64()),
    ]
)

TRANSITION: Final = pa.struct([("t_s", pa.float64()), ("phase", pa.string())])

_EPISODES: Final = pa.schema(
    [
        ("episode_id", pa.string()),
        ("host_id", pa.string()),
        ("sha256", pa.string()),
        ("profile", pa.string()),
        ("sample_name", pa.string()),
        ("sample_kind", pa.string()),
        ("status", pa.string()),
        ("received_at_s", pa.float64()),
        ("t0_wall_ns", pa.int64()),
        ("t_end_wall_ns", pa.int64()),
        ("shard", pa.string()),
        ("first_tick", pa.int64()),
        ("n_ticks", pa.int64()),
        ("transitions", pa.list_(TRANSITION)),
    ]
)

_STATISTICS: Final = [(name, pa.float32()) for name in FEATURE_NAMES]

_WINDOW_FEATURES: Final = pa.schema(
    [
        ("episode_id", pa.string()),
        ("host_id", pa.string()),
        ("profile", pa.string()),
        ("sample_name", pa.string()),
        ("sample_kind", pa.string()),
        ("window", pa.int32()),
        ("t_center_s", pa.float32()),
        ("phase", pa.int8()),
        ("label_purity", pa.float32()),
        ("sha256", pa.string()),
        *_STATISTICS,
    ]
)

_EPISODE_FEATURES: Final = pa.schema(
    [
        ("episode_id", pa.string()),
        ("host_id", pa.string()),
        ("profile", pa.string()),
        ("sample_name", pa.string()),
        ("sample_kind", pa.string()),
        ("sha256", pa.string()),
        *_STATISTICS,
    ]
)

PROBABILITY_COLUMNS: Final[tuple[str, ...]] = tuple(f"p_{phase.value}" for phase in PHASES)

_PREDICTIONS: Final = pa.schema(
    [
        ("split", pa.string()),
        ("family", pa.string()),
        ("mode", pa.string()),
        ("context", pa.string()),
        ("seed", pa.int64()),
        ("bundle", pa.string()),
        ("role", pa.string()),
        ("episode_id", pa.string()),
        ("host_id", pa.string()),
        ("profile", pa.string()),
        ("sample_name", pa.string()),
        ("window", pa.int32()),
        ("t_center_s", pa.float32()),
        ("phase", pa.int8()),
        *[(name, pa.float64()) for name in PROBABILITY_COLUMNS],
    ]
)

_TEST_LEDGER: Final = pa.schema(
    [
        ("when", pa.string()),
        ("split", pa.string()),
        ("bundle", pa.string()),
        ("identity", pa.string()),
        ("why", pa.string()),
        ("code_commit", pa.string()),
    ]
)

# One row an arrival. What an alarm has to say is null where the model has none, and all figures of
# windows where the episode has no labelled one.
_SHADOW_SCORES: Final = pa.schema(
    [
        ("episode_id", pa.string()),
        ("host_id", pa.string()),
        ("sha256", pa.string()),
        ("bundle", pa.string()),
        ("profile", pa.string()),
        ("sample_name", pa.string()),
        ("received_at_s", pa.float64()),
        ("scored_at_s", pa.float64()),
        ("n_windows", pa.int64()),
        ("n_right", pa.int64()),
        ("onset_s", pa.float64()),
        ("watched_s", pa.float64()),
        ("n_alarms", pa.int64()),
        ("clean_s", pa.float64()),
        ("n_false_alarms", pa.int64()),
        ("first_alarm_s", pa.float64()),
        ("detected_s", pa.float64()),
    ]
)

TABLE_SCHEMAS: Final[dict[Table, pa.Schema]] = {
    Table.VALIDATION_INDEX: _VALIDATION_INDEX,
    Table.EPISODES: _EPISODES,
    Table.WINDOW_FEATURES: _WINDOW_FEATURES,
    Table.EPISODE_FEATURES: _EPISODE_FEATURES,
    Table.PREDICTIONS: _PREDICTIONS,
    Table.TEST_LEDGER: _TEST_LEDGER,
    Table.SHADOW_SCORES: _SHADOW_SCORES,
}

PARTITION_COLUMNS: Final[dict[Table, tuple[str, ...]]] = {
    Table.VALIDATION_INDEX: ("host_id",),
    Table.EPISODES: ("host_id",),
    Table.WINDOW_FEATURES: ("host_id",),
    Table.EPISODE_FEATURES: ("host_id",),
    Table.PREDICTIONS: ("split",),
    Table.TEST_LEDGER: (),
    Table.SHADOW_SCORES: ("host_id",),
}
