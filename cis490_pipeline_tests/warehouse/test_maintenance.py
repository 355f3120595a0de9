"""Upkeep of tables: fewer files, the same rows, written the same way; leftovers go by age."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.maintenance import (
    FilesMerged,
    Removed,
    merge_small_files,
    sweep_temporaries,
    tidy_log,
    vacuum,
)
from cis490_pipeline.warehouse.tables import Tables
from cis490_pipeline_tests.warehouse.test_tables import window_rows

WIDE = Table.WINDOW_FEATURES
MIB = 1 << 20


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    """Four commits of one host, one of another."""
    made = Tables(Layout(tmp_path))
    for name in ("e1", "e2", "e3", "e4"):
        made.append(WIDE, window_rows("lab-a", [name]))
    made.append(WIDE, window_rows("lab-b", ["e5"]))
    return made


def files_of(tables: Tables, table: Table = WIDE) -> list[Path]:
    return [p for p in tables.path(table).rglob("*.parquet") if "_delta_log" not in p.parts]


def make_old(path: Path, *, hours: float) -> None:
    then = path.stat().st_mtime - hours * 3600
    os.utime(path, (then, then))


def test_one_partition_is_merged_and_written_as_before(tables: Tables) -> None:
    before, old = tables.read(WIDE).sort_by("episode_id"), set(files_of(tables))
    merged = merge_small_files(tables, WIDE, "lab-a", target_bytes=MIB)
    assert merged == FilesMerged(before=4, after=1)
    assert tables.read(WIDE).sort_by("episode_id").equals(before)
    (new,) = set(files_of(tables)) - old
    group = pq.ParquetFile(new).metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert columns["episode_id"].statistics is not None
    assert columns["proc_rss_bytes_mean"].statistics is None
    assert not columns["proc_rss_bytes_mean"].has_dictionary_page


def test_vacuum_waits_for_the_retention(tables: Tables) -> None:
    merge_small_files(tables, WIDE, "lab-a", target_bytes=MIB)
    assert vacuum(tables, WIDE, retention_hours=1) == Removed()
    assert len(files_of(tables)) == 6
    sizes = sorted(path.stat().st_size for path in files_of(tables))
    gone = vacuum(tables, WIDE, retention_hours=0)
    assert (gone.files, len(files_of(tables))) == (4, 2)
    assert gone.bytes == sum(sizes) - sum(path.stat().st_size for path in files_of(tables))
    version = tables.version(WIDE)
    assert vacuum(tables, WIDE, retention_hours=0) == Removed()
    assert tables.version(WIDE) == version


def test_an_open_reader_goes_on_where_it_is(tables: Tables) -> None:
    dataset = tables._dataset(WIDE)
    merge_small_files(tables, WIDE, "lab-a", target_bytes=MIB)
    vacuum(tables, WIDE, retention_hours=1)
    assert dataset.to_table(columns=["episode_id"]).num_rows == 10


def test_a_data_file_that_was_never_committed_goes_when_it_is_old(tables: Tables) -> None:
    stray = files_of(tables)[0].with_name("part-stray.parquet")
    stray.write_bytes(b"what a killed writer left")
    assert vacuum(tables, WIDE, retention_hours=1) == Removed()
    make_old(stray, hours=2)
    assert vacuum(tables, WIDE, retention_hours=0) == Removed()  # may be a live writer's
    assert vacuum(tables, WIDE, retention_hours=1) == Removed(files=1, bytes=25)
    assert not stray.exists()
    assert tables.count(WIDE) == 10


def test_partitions_whose_name_is_escaped_on_disk_are_counted(tmp_path: Path) -> None:
    tables = Tables(Layout(tmp_path))
    schema = TABLE_SCHEMAS[Table.PREDICTIONS]
    for seed in range(3):
        row = {"split": "host=lab-b", "seed": seed, "episode_id": "e1"}
        tables.append(Table.PREDICTIONS, pa.Table.from_pylist([row], schema=schema))
    assert tables.partitions(Table.PREDICTIONS) == ("host=lab-b",)
    merged = merge_small_files(tables, Table.PREDICTIONS, "host=lab-b", target_bytes=MIB)
    assert merged == FilesMerged(before=3, after=1)
    assert vacuum(tables, Table.PREDICTIONS, retention_hours=0).files == 3
    assert tables.rows_in_partition(Table.PREDICTIONS, "host=lab-b") == 3


def test_a_checkpoint_sums_the_log_up(tables: Tables) -> None:
    tidy_log(tables, WIDE)
    assert (tables.path(WIDE) / "_delta_log" / "_last_checkpoint").is_file()
    assert tables.count(WIDE) == tables.rows_in_partition(WIDE, "lab-a") + 2 == 10


def test_a_table_that_was_never_written_needs_nothing(tmp_path: Path) -> None:
    tables = Tables(Layout(tmp_path))
    tidy_log(tables, WIDE)
    assert merge_small_files(tables, WIDE, None, target_bytes=MIB) == FilesMerged()
    assert vacuum(tables, WIDE, retention_hours=0) == Removed()
    assert list(tmp_path.iterdir()) == []


def test_a_host_without_rows_has_none(tables: Tables) -> None:
    assert tables.rows_in_partition(WIDE, "lab-z") == 0
    tables.replace_where(WIDE, "host_id = 'lab-b'", TABLE_SCHEMAS[WIDE].empty_table())
    tables.replace_where(WIDE, "host_id = 'lab-a'", TABLE_SCHEMAS[WIDE].empty_table())
    assert tables.partitions(WIDE) == ()
    assert tables.rows_in_partition(WIDE, "lab-a") == 0


def test_a_change_of_a_partition_sees_what_another_writer_took_away(tables: Tables) -> None:
    seen: list[int] = []

    def change(rows: pa.Table) -> pa.Table:
        if not seen:
            tables.replace_episodes(WIDE, ["e2"], window_rows("lab-b", ["e2"]))
        seen.append(rows.num_rows)
        return rows

    tables.change_partition(WIDE, "lab-a", change)
    assert seen == [8, 6]
    assert tables.rows_in_partition(WIDE, "lab-a") == 6
    assert tables.rows_in_partition(WIDE, "lab-b") == 4


def test_temporaries_go_when_nobody_has_written_to_them_for_long(tmp_path: Path) -> None:
    old_file = tmp_path / "tensor" / "host=lab-a" / ".tmp-abc"
    old_bundle, live_bundle = tmp_path / "models" / ".tmp-old", tmp_path / "models" / ".tmp-live"
    real = tmp_path / "models" / "bundle" / "weights"
    for path in (old_file, old_bundle / "weights", live_bundle / "weights", real):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    now = real.stat().st_mtime
    for path in (old_file, old_bundle / "weights", old_bundle, live_bundle, real):
        make_old(path, hours=30)
    removed = sweep_temporaries(Layout(tmp_path), before_s=now - 24 * 3600)
    assert removed.files == 2
    assert removed.bytes >= 10
    assert not old_file.exists()
    assert not old_bundle.exists()
    assert (live_bundle / "weights").is_file()  # its writer was at work an hour ago
    assert real.is_file()


def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"x")
    link = tmp_path / "data" / "models" / ".tmp-link"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    sweep_temporaries(Layout(tmp_path / "data"), before_s=link.lstat().st_mtime + 9)
    assert not link.is_symlink()
    assert (outside / "kept").is_file()


def test_a_table_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tables").write_bytes(b"in the way")
    tables = Tables(Layout(tmp_path))
    with pytest.raises(WarehouseError, match="tables"):
        tables.append(WIDE, window_rows("lab-a", ["e1"]))
