"""Tables give back what was put in, whole commits only."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.warehouse.layout import Layout, slug
from cis490_pipeline.warehouse.tables import Tables

WIDE = TABLE_SCHEMAS[Table.WINDOW_FEATURES]


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(Layout(tmp_path))


def window_rows(host: str, episode_ids: list[str], value: float = 1.5) -> pa.Table:
    """Two windows an episode; every statistic is ``value``, the first one missing."""
    ids = [name for name in episode_ids for _ in range(2)]
    texts = {"episode_id": ids, "host_id": [host] * len(ids)}
    columns: list[pa.Array] = []
    for field in WIDE:
        if field.name in texts:
            columns.append(pa.array(texts[field.name], field.type))
        elif pa.types.is_string(field.type):
            columns.append(pa.array(["x"] * len(ids), field.type))
        elif pa.types.is_floating(field.type):
            first = None if field.name == "proc_utime_ticks_mean" else value
            columns.append(pa.array([first] * len(ids), field.type))
        else:
            columns.append(pa.array(np.zeros(len(ids)), field.type, safe=False))
    return pa.table(columns, schema=WIDE)


def test_a_table_that_was_never_written_is_empty(tables: Tables) -> None:
    assert tables.read(Table.EPISODES).schema == TABLE_SCHEMAS[Table.EPISODES]
    assert tables.count(Table.EPISODES) == 0
    assert tables.version(Table.EPISODES) is None


def test_rows_come_back_equal(tables: Tables) -> None:
    rows = window_rows("lab-a", ["e1", "e2"])
    tables.append(Table.WINDOW_FEATURES, rows)
    back = tables.read(Table.WINDOW_FEATURES)
    assert back.sort_by("episode_id").equals(rows)


def test_a_filter_finds_what_a_full_read_finds(tables: Tables) -> None:
    """Columns without statistics once made every filtered read come back empty, silently."""
    tables.append(Table.WINDOW_FEATURES, window_rows("lab-a", ["e1", "e2"]))
    tables.append(Table.WINDOW_FEATURES, window_rows("lab-b", ["e3"]))
    tables.replace_episodes(Table.WINDOW_FEATURES, ["e2"], window_rows("lab-a", ["e2"], 7.0))
    for ids in (["e1"], ["e2", "e3"], ["e1", "e2", "e3"], ["nobody"]):
        found = tables.read(Table.WINDOW_FEATURES, where=pc.field("episode_id").isin(ids))
        assert sorted(set(found["episode_id"].to_pylist())) == [i for i in ids if i != "nobody"]
    by_host = tables.read(Table.WINDOW_FEATURES, where=pc.field("host_id") == "lab-b")
    assert by_host.num_rows == tables.count(
        Table.WINDOW_FEATURES, where=pc.field("host_id") == "lab-b"
    )
    assert by_host.num_rows == 2
    by_value = tables.read(Table.WINDOW_FEATURES, where=pc.field("proc_rss_bytes_mean") > 5)
    assert set(by_value["episode_id"].to_pylist()) == {"e2"}


def test_polars_reads_the_same_in_two_lines(tables: Tables) -> None:
    tables.append(Table.WINDOW_FEATURES, window_rows("lab-a", ["e1", "e2"]))
    frame = pl.scan_delta(str(tables.path(Table.WINDOW_FEATURES)))
    assert frame.filter(pl.col("episode_id") == "e2").collect().height == 2


def test_replacing_an_episode_moves_it_from_another_host(tables: Tables) -> None:
    tables.append(Table.WINDOW_FEATURES, window_rows("lab-a", ["e1", "e2"]))
    tables.replace_episodes(Table.WINDOW_FEATURES, ["e1"], window_rows("lab-b", ["e1"]))
    rows = tables.read(Table.WINDOW_FEATURES, columns=["episode_id", "host_id"]).to_pylist()
    assert {(row["episode_id"], row["host_id"]) for row in rows} == {
        ("e1", "lab-b"),
        ("e2", "lab-a"),
    }
    assert len(rows) == 4


def test_replacing_by_nothing_removes(tables: Tables) -> None:
    tables.append(Table.WINDOW_FEATURES, window_rows("lab-a", ["e1", "o'brien"]))
    tables.replace_episodes(Table.WINDOW_FEATURES, ["o'brien"], WIDE.empty_table())
    assert set(tables.read(Table.WINDOW_FEATURES)["episode_id"].to_pylist()) == {"e1"}


def test_missing_stays_null(tables: Tables) -> None:
    tables.append(Table.WINDOW_FEATURES, window_rows("lab-a", ["e1"]))
    back = tables.read(Table.WINDOW_FEATURES, columns=["proc_utime_ticks_mean"])
    assert back["proc_utime_ticks_mean"].null_count == 2


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tables").write_bytes(b"in the way")
    with pytest.raises((WarehouseError, FileExistsError), match="tables"):
        Tables(Layout(tmp_path)).append(Table.WINDOW_FEATURES, window_rows("lab-a", ["e1"]))


def test_slugs_are_safe_and_unique() -> None:
    keys = ["host=lab-b", "hosts:a/b", "hosts:a_b", "hosts:../x", "sample", ".hidden"]
    slugs = [slug(key) for key in keys]
    assert len(set(slugs)) == len(keys)
    assert all("/" not in s and ":" not in s and not s.startswith(".") for s in slugs)


def prediction_rows(split: str, episode_id: str) -> pa.Table:
    schema = TABLE_SCHEMAS[Table.PREDICTIONS]
    texts = {"split": split, "episode_id": episode_id}
    return pa.table(
        [
            pa.array([texts.get(field.name, "x" if pa.types.is_string(field.type) else 0)])
            for field in schema
        ],
        names=schema.names,
    ).cast(schema)


@pytest.mark.parametrize("split", ["host=lab-b", "hosts:naïve 100% / b", "a+b&c", "%3D"])
def test_a_partition_may_be_called_anything(tables: Tables, split: str) -> None:
    for episode_id in ("e1", "e2", "e3"):
        tables.append(Table.PREDICTIONS, prediction_rows(split, episode_id))
    tables.append(Table.PREDICTIONS, prediction_rows("time", "e9"))
    tables.replace_episodes(Table.PREDICTIONS, ["e2"], prediction_rows(split, "e2"))
    here = tables.read(Table.PREDICTIONS, where=pc.field("split") == split)
    assert sorted(here["episode_id"].to_pylist()) == ["e1", "e2", "e3"]
    seen = pl.scan_delta(str(tables.path(Table.PREDICTIONS))).filter(pl.col("split") == split)
    assert sorted(seen.collect()["episode_id"].to_list()) == ["e1", "e2", "e3"]


def test_one_append_may_hold_rows_of_several_partitions(tables: Tables) -> None:
    tables.append(Table.PREDICTIONS, prediction_rows("time", "e1"))
    both = [prediction_rows(split, "e2") for split in ("time", "host=a")]
    tables.append(Table.PREDICTIONS, pa.concat_tables(both))
    assert tables.rows_in_partition(Table.PREDICTIONS, "time") == 2
    assert tables.rows_in_partition(Table.PREDICTIONS, "host=a") == 1


def test_appending_from_several_threads_loses_nothing(tables: Tables) -> None:
    tables.append(Table.PREDICTIONS, prediction_rows("time", "e0"))
    ids = [f"e{number}" for number in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        rows = (prediction_rows("time", episode_id) for episode_id in ids)
        list(pool.map(lambda one: tables.append(Table.PREDICTIONS, one), rows))
    found = tables.read(Table.PREDICTIONS, columns=["episode_id"])["episode_id"].to_pylist()
    assert sorted(found) == ["e0", *ids]


def test_readers_skip_files_by_the_bounds_of_what_was_appended(tables: Tables) -> None:
    for episode_id in ("e1", "e2", "e3"):
        tables.append(Table.WINDOW_FEATURES, window_rows("lab-a", [episode_id]))
    added = pa.table(
        DeltaTable(str(tables.path(Table.WINDOW_FEATURES))).get_add_actions(flatten=True)
    )
    names = ("min.episode_id", "max.episode_id", "num_records", "null_count.episode_id")
    bounds = set(zip(*(added[name].to_pylist() for name in names), strict=True))
    assert bounds == {("e1", "e1", 2, 0), ("e2", "e2", 2, 0), ("e3", "e3", 2, 0)}
