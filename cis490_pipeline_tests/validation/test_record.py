"""Rows of the validation index: columns, types, and what is null."""

from dataclasses import fields

import pyarrow as pa
import pytest

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.decode import open_episode
from cis490_pipeline.episodes.episode import Episode
from cis490_pipeline.episodes.store import FileStamp
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, VALIDATION_COLUMNS, Table
from cis490_pipeline.validation.gate import judge, judge_missing, judge_unreadable
from cis490_pipeline.validation.record import (
    ValidationRow,
    rows_from_table,
    rows_to_table,
    spec_columns,
    validation_row,
)
from cis490_pipeline_tests.episodes.building import build_episode, episode_id, index_row, jsonl
from cis490_pipeline_tests.episodes.reading import read_index

STAMP = FileStamp(size_bytes=7, mtime_ns=1_795_000_000_123_456_789)
FROM_TARBALL = [
    "profile", "sample_name", "sample_kind", "schema_version", "duration_observed_s", "rows_proc",
    "rows_guest", "rows_qmp", "rows_netflow", "n_labels", "phases_observed", "has_done_marker",
    "has_pcap", "code_commit", "code_dirty",
]  # fmt: skip


def entry(number: int = 0, blob: bytes = b""):
    return read_index(jsonl([index_row("lab-a", episode_id(number), blob)])).entries[0]


def row(number: int = 0, **knobs) -> ValidationRow:
    blob = build_episode(**{"seconds": 4, **knobs})
    opened = open_episode(blob, ArchiveLimits())
    assert isinstance(opened, Episode)
    one = entry(number, blob)
    return validation_row(one, judge(one, one.sha256, one.size_bytes, opened), opened, STAMP)


def test_fields_are_the_tables_columns():
    names = [field.name for field in fields(ValidationRow)]
    assert names == TABLE_SCHEMAS[Table.VALIDATION_INDEX].names


def test_row_of_a_whole_episode():
    found = row(pcap=True)
    assert (found.status, found.reasons, found.soft_reasons) == ("accepted", (), ())
    assert (found.profile, found.sample_name, found.sample_kind) == (
        "io-walk",
        "walker-a",
        "emulated",
    )
    assert (found.schema_version, found.duration_observed_s) == (1, 4.0)
    assert (found.rows_proc, found.rows_guest, found.rows_qmp, found.rows_netflow) == (40, 8, 8, 4)
    assert (found.n_labels, found.phases_observed) == (
        5, "clean,armed,infecting,infected_running,dormant",
    )  # fmt: skip
    assert (found.has_done_marker, found.has_pcap) == (True, True)
    assert found.received_at_s == 1795322711.653
    assert (found.code_commit, found.code_dirty) == ("c0ffee", False)
    assert (found.file_size_bytes, found.file_mtime_ns) == (7, STAMP.mtime_ns)


def test_rows_are_those_that_meta_declares():
    assert row(result={"rows_proc": 7}).rows_proc == 7
    assert row(drop=["netflow.jsonl"]).rows_netflow is None


def test_reasons_are_rendered():
    found = row(drop=["done.marker", "netflow.jsonl"])
    assert found.reasons == ("missing-files:done.marker", "done-marker-missing")
    assert found.soft_reasons == ("missing-files:netflow.jsonl",)
    assert found.has_done_marker is False


def test_what_only_the_tarball_knows_is_null_where_it_was_not_opened():
    missing = validation_row(entry(), judge_missing(), None, None)
    unreadable = validation_row(entry(), judge_unreadable(PermissionError()), None, STAMP)
    for name in FROM_TARBALL:
        assert getattr(missing, name) is None
        assert getattr(unreadable, name) is None
    assert (missing.file_size_bytes, missing.file_mtime_ns) == (None, None)
    assert unreadable.file_size_bytes == 7


@pytest.mark.parametrize("version", ["1", True, 1.5, 2**31, -(2**31) - 1, None])
def test_version_that_is_no_int32_is_null(version):
    assert row(meta={"schema_version": version}).schema_version is None


def test_counts_that_do_not_fit_are_null():
    assert row(result={"rows_proc": 2**31}).rows_proc is None
    assert row(result={"rows_proc": 2**31 - 1}).rows_proc == 2**31 - 1
    assert row(result={"rows_proc": "7"}).rows_proc is None


def test_labels_of_an_opened_episode_are_counted_even_where_absent():
    found = row(drop=["labels.jsonl"])
    assert (found.n_labels, found.phases_observed) == (0, "")


def test_table_has_the_schema_and_keeps_the_values():
    rows = [row(1), validation_row(entry(0), judge_missing(), None, None)]
    table = rows_to_table(rows)
    assert table.schema.equals(TABLE_SCHEMAS[Table.VALIDATION_INDEX])
    back = list(rows_from_table(table))
    assert back == rows


def test_empty_table_has_the_schema():
    assert rows_to_table([]).schema.equals(TABLE_SCHEMAS[Table.VALIDATION_INDEX])
    assert spec_columns(rows_to_table([])).schema.equals(VALIDATION_COLUMNS)


def test_export_has_the_formats_columns_sorted_by_episode():
    exported = spec_columns(rows_to_table([row(2), row(0), row(1)]))
    assert exported.schema.equals(VALIDATION_COLUMNS)
    assert exported["episode_id"].to_pylist() == [episode_id(n) for n in range(3)]


def test_hostile_strings_can_be_stored():
    meta = {"sample": {"profile": "\ud800", "name": "a\0b", "kind": "\udfff"}}
    found = row(meta=meta, phases=["clean", "\ud83d"], result={"rows_proc": 2**70})
    table = rows_to_table([found])
    table.validate(full=True)
    assert table["profile"].to_pylist() == ["\\ud800"]
    assert table["sample_name"].to_pylist() == ["a\\x00b"]
    assert table["phases_observed"].to_pylist() == ["clean,\\ud83d"]
    assert isinstance(table, pa.Table)
