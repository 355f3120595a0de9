"""Channels, windows, phases and tables are those of the format, name for name."""

import pyarrow as pa
import pytest

from cis490_pipeline.schema.channels import (
    CHANNELS,
    N_CHANNELS,
    SOURCE_FACTS,
    Kind,
    Mode,
    Source,
    channel_slice,
    channels_of,
    visible_channels,
)
from cis490_pipeline.schema.phases import PHASES, phase_code
from cis490_pipeline.schema.tables import (
    PARTITION_COLUMNS,
    PROBABILITY_COLUMNS,
    TABLE_SCHEMAS,
    VALIDATION_COLUMNS,
    Table,
)
from cis490_pipeline.schema.windows import FEATURE_NAMES, STATS, window_center_s, window_count
from cis490_pipeline_tests.reference import channel_table as reference


def test_the_46_channels_are_those_of_the_format_in_its_order() -> None:
    ours = [(channel.source.value, channel.name, channel.kind.value) for channel in CHANNELS]
    theirs = [
        (source, name, kind) for source, block in reference.SOURCES.items() for name, kind in block
    ]
    assert ours == theirs
    assert N_CHANNELS == len(set(ours)) == 46
    assert [len(channels_of(source)) for source in Source] == [13, 14, 8, 11]


def test_a_device_in_the_field_has_the_25_of_guest_and_netflow() -> None:
    seen = visible_channels(Mode.REALISTIC)
    assert {CHANNELS[c].source for c in seen} == {Source.GUEST, Source.NETFLOW}
    assert seen == (*range(13, 27), *range(35, 46))
    assert len(seen) == 25
    assert visible_channels(Mode.ORACLE) == tuple(range(46))
    assert visible_channels(Mode.ANY) == ()


def test_each_kind_has_its_share() -> None:
    kinds = [channel.kind for channel in CHANNELS]
    assert [kinds.count(kind) for kind in (Kind.GAUGE, Kind.COUNTER, Kind.DELTA)] == [13, 25, 8]
    assert {c.source for c in CHANNELS if c.kind is Kind.DELTA} == {Source.NETFLOW}


@pytest.mark.parametrize("source", Source)
def test_a_sources_facts_and_columns_are_those_of_the_format(source: Source) -> None:
    facts = SOURCE_FACTS[source]
    assert facts.file_name == reference.FILES[source.value]
    assert facts.period_ns == reference.PERIOD_NS[source.value]
    assert facts.staleness_ns == reference.STALE_NS[source.value]
    assert CHANNELS[channel_slice(source)] == channels_of(source)
    assert channel_slice(source).start == reference.OFFSETS[source.value]


def test_feature_names_are_source_channel_stat_channel_by_channel() -> None:
    stats = ["mean", "std", "p50", "p95", "slope", "missing"]
    names = [
        f"{source}_{name}_{stat}"
        for source, block in reference.SOURCES.items()
        for name, _ in block
        for stat in stats
    ]
    assert list(FEATURE_NAMES) == names
    assert [stat.value for stat in STATS] == stats
    assert len(set(FEATURE_NAMES)) == 276
    assert FEATURE_NAMES[:2] == ("proc_utime_ticks_mean", "proc_utime_ticks_std")
    assert FEATURE_NAMES[-1] == "netflow_udp_packets_missing"


def test_phases_are_in_class_order_and_failed_is_no_class() -> None:
    assert tuple(phase.value for phase in PHASES) == reference.PHASES
    assert [phase_code(name) for name in reference.PHASES] == [0, 1, 2, 3, 4]
    assert [phase_code(name) for name in ("failed", "", "CLEAN", "clean ")] == [-1] * 4


@pytest.mark.parametrize("n_ticks", [0, 99, 100, 149, 150, 151, 1237])
def test_windows_are_those_that_fit(n_ticks: int) -> None:
    starts = [first for first in range(0, n_ticks, 50) if first + 100 <= n_ticks]
    assert window_count(n_ticks) == len(starts)
    assert [window_center_s(i) for i in range(len(starts))] == [s / 10 + 5 for s in starts]


def test_the_window_table_begins_with_the_columns_of_the_format() -> None:
    schema = TABLE_SCHEMAS[Table.WINDOW_FEATURES]
    keys = [
        "episode_id",
        "host_id",
        "profile",
        "sample_name",
        "sample_kind",
        "window",
        "t_center_s",
        "phase",
        "label_purity",
        "sha256",
    ]
    assert schema.names == [*keys, *FEATURE_NAMES]
    types = {"window": pa.int32(), "t_center_s": pa.float32(), "phase": pa.int8()}
    assert {name: schema.field(name).type for name in types} == types
    assert {schema.field(name).type for name in FEATURE_NAMES} == {pa.float32()}


def test_the_validation_export_has_exactly_the_columns_of_the_format() -> None:
    names = [
        "episode_id",
        "host_id",
        "sha256",
        "size_bytes",
        "status",
        "reasons",
        "soft_reasons",
        "profile",
        "sample_name",
        "sample_kind",
        "schema_version",
        "duration_observed_s",
        "rows_proc",
        "rows_guest",
        "rows_qmp",
        "rows_netflow",
        "n_labels",
        "phases_observed",
        "has_done_marker",
        "has_pcap",
    ]
    assert VALIDATION_COLUMNS.names == names
    assert VALIDATION_COLUMNS.field("phases_observed").type == pa.string()
    assert VALIDATION_COLUMNS.field("reasons").type == pa.list_(pa.string())
    assert TABLE_SCHEMAS[Table.VALIDATION_INDEX].names[: len(names)] == names


def test_every_table_has_a_schema_and_partitions_by_its_own_columns() -> None:
    assert set(TABLE_SCHEMAS) == set(PARTITION_COLUMNS) == set(Table)
    for table, columns in PARTITION_COLUMNS.items():
        assert set(columns) <= set(TABLE_SCHEMAS[table].names)
    assert tuple(f"p_{name}" for name in reference.PHASES) == PROBABILITY_COLUMNS
    assert TABLE_SCHEMAS[Table.PREDICTIONS].names[-5:] == list(PROBABILITY_COLUMNS)
