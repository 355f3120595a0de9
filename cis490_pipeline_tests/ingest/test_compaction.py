"""Compaction changes where bytes lie, never what they say, and nobody is cut off."""

import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.features.shards import open_shard
from cis490_pipeline.ingest.compaction import CompactionOptions, compact
from cis490_pipeline.ingest.journal import host_lock
from cis490_pipeline.ingest.run import IngestOptions, ingest_host
from cis490_pipeline.ingest.shard_merging import ShardsMerged
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.tables import Tables
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.content import content_of, grids_of, rows_of

ONE_AT_ONCE = IngestOptions(episodes_per_commit=1)
AT_ONCE = CompactionOptions(retention_hours=0)
SECOND_BYTES = 10 * 46 * 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hosts, a commit and a shard for each episode.

    Grids of different lengths: commits of equal ones would name one shard.
    """
    root = tmp_path_factory.mktemp("made")
    store = build_store(root / "store", {"lab-a": 4, "lab-b": 2}).root
    for number, host in enumerate(("lab-a",) * 4 + ("lab-b",) * 2):
        add_episode(store, host, episode_id(number), build_episode(seconds=30 + number))
    for host in ("lab-a", "lab-b"):
        ingest_host(EpisodeStore(store), Warehouse(root / "data"), host, ONE_AT_ONCE)
    return root


@pytest.fixture
def store(made: Path, tmp_path: Path) -> EpisodeStore:
    return EpisodeStore(Path(shutil.copytree(made / "store", tmp_path / "store")))


@pytest.fixture
def warehouse(made: Path, tmp_path: Path) -> Warehouse:
    return Warehouse(Path(shutil.copytree(made / "data", tmp_path / "data")))


def shards_of(warehouse: Warehouse, host: str) -> list[str]:
    return sorted(path.name for path in warehouse.layout.shards(host).iterdir())


def test_content_and_data_versions_stay_the_same(store: EpisodeStore, warehouse: Warehouse) -> None:
    before = content_of(warehouse.root)
    versions = ingest_host(store, warehouse, "lab-a").data_versions
    report = compact(warehouse, AT_ONCE)
    assert (report.shards_merged.before, report.shards_merged.after) == (6, 2)
    assert report.files_merged.before > report.files_merged.after
    assert content_of(warehouse.root) == before
    after = ingest_host(store, warehouse, "lab-a")
    assert (after.episodes_new, after.data_versions) == (0, versions)
    assert after.shard_bytes == sum(
        path.stat().st_size for path in warehouse.layout.shards("lab-a").iterdir()
    )


def test_a_second_run_finds_nothing_to_do(warehouse: Warehouse) -> None:
    compact(warehouse, AT_ONCE)
    versions = [warehouse.tables.version(table) for table in Table]
    again = compact(warehouse, AT_ONCE)
    assert again.shards_merged == ShardsMerged()
    assert (again.files_merged.before, again.removed.files, again.waiting.files) == (0, 0, 0)
    assert [warehouse.tables.version(table) for table in Table] == versions


def test_filtered_reads_find_every_row_afterwards(warehouse: Warehouse) -> None:
    before = {table: rows_of(warehouse, table) for table in Table}
    compact(warehouse, AT_ONCE)
    for table in (Table.WINDOW_FEATURES, Table.EPISODE_FEATURES, Table.EPISODES):
        for host in ("lab-a", "lab-b"):
            wanted = [row for row in before[table] if row["host_id"] == host]
            assert warehouse.tables.rows_in_partition(table, host) == len(wanted)
            for key in ("host_id", "episode_id"):
                chosen = pc.field(key) == wanted[0][key]
                assert warehouse.tables.count(table, where=chosen) == sum(
                    row[key] == wanted[0][key] for row in before[table]
                )
    high = pc.field("proc_rss_bytes_mean") > 0
    n_high = sum((row["proc_rss_bytes_mean"] or 0) > 0 for row in before[Table.WINDOW_FEATURES])
    assert warehouse.tables.count(Table.WINDOW_FEATURES, where=high) == n_high > 0


def test_ticks_of_a_re_ship_are_dropped(store: EpisodeStore, warehouse: Warehouse) -> None:
    add_episode(store.root, "lab-a", episode_id(1), build_episode(seconds=90))
    ingest_host(store, warehouse, "lab-a", ONE_AT_ONCE)
    compact(warehouse, AT_ONCE)
    episodes = warehouse.tables.read(Table.EPISODES, where=pc.field("host_id") == "lab-a")
    (name,) = shards_of(warehouse, "lab-a")
    n_ticks = len(open_shard(warehouse.layout.shards("lab-a") / name))
    assert n_ticks == sum(episodes["n_ticks"].to_pylist())


def test_a_shard_that_is_mostly_dead_is_written_again_however_large(
    store: EpisodeStore, tmp_path: Path
) -> None:
    warehouse = Warehouse(tmp_path / "another")
    ingest_host(store, warehouse, "lab-a")  # one shard of four
    for number in range(3):
        add_episode(store.root, "lab-b", episode_id(number), build_episode(seconds=40 + number))
    ingest_host(store, warehouse, "lab-b")
    before = content_of(warehouse.root)
    options = CompactionOptions(retention_hours=0, shard_bytes=1)
    assert compact(warehouse, options).shards_merged.bytes_written == 33 * SECOND_BYTES
    assert content_of(warehouse.root) == before
    assert compact(warehouse, options).shards_merged == ShardsMerged()


def test_shards_grow_to_the_target_and_are_then_left_alone(warehouse: Warehouse) -> None:
    options = CompactionOptions(retention_hours=0, shard_bytes=75 * SECOND_BYTES)
    grids = grids_of(warehouse)
    compact(warehouse, options)
    sizes = [p.stat().st_size for p in warehouse.layout.shards("lab-a").iterdir()]
    assert sorted(sizes) == [61 * SECOND_BYTES, 65 * SECOND_BYTES]
    assert compact(warehouse, options).shards_merged.before == 0
    assert grids_of(warehouse) == grids


def test_a_reader_of_old_rows_has_the_whole_retention(warehouse: Warehouse) -> None:
    rows = warehouse.tables.read(Table.EPISODES).to_pylist()
    grids = grids_of(warehouse)
    now = max(p.stat().st_mtime for p in warehouse.layout.tensor.rglob("*.f32")) + 1
    compact(warehouse, CompactionOptions(retention_hours=2), clock=lambda: now)
    mapped = open_shard(warehouse.layout.shard(rows[0]["shard"]))
    for hours in (1.0, 1.99):
        report = compact(
            warehouse, CompactionOptions(retention_hours=2), clock=lambda h=hours: now + h * 3600
        )
        assert report.waiting.files == len({row["shard"] for row in rows})
    for row in rows:
        x_TC = open_shard(warehouse.layout.shard(row["shard"]))
        assert len(x_TC) >= row["first_tick"] + row["n_ticks"]
    copy = np.array(mapped)
    late = compact(warehouse, CompactionOptions(retention_hours=2), clock=lambda: now + 3 * 3600)
    assert late.hosts[0].sweep.removed.files + late.hosts[1].sweep.removed.files > 0
    with pytest.raises(WarehouseError):
        open_shard(warehouse.layout.shard(rows[0]["shard"]))
    assert np.array_equal(np.asarray(mapped), copy, equal_nan=True)  # what is mapped stays
    assert grids_of(warehouse) == grids


def test_garbage_that_was_written_once_more_is_young_again(warehouse: Warehouse) -> None:
    old = warehouse.tables.read(Table.EPISODES)["shard"].unique().to_pylist()
    path = warehouse.layout.shard(old[0])
    now = path.stat().st_mtime - 5000
    os.utime(path, (now, now))
    options = CompactionOptions(retention_hours=2)
    compact(warehouse, options, clock=lambda: now)
    write_bytes(path, path.read_bytes())  # what an ingest does that died before its commit
    again = path.stat().st_mtime
    compact(warehouse, options, clock=lambda: again + 7199)
    assert path.is_file()
    compact(warehouse, options, clock=lambda: again + 7201)
    assert not path.is_file()


def test_what_no_commit_names_goes_and_what_one_names_stays(warehouse: Warehouse) -> None:
    orphan = warehouse.layout.shards("lab-b") / f"{'0' * 64}.f32"
    write_bytes(orphan, b"x" * 184)
    named = set(warehouse.tables.read(Table.EPISODES)["shard"].to_pylist())
    kept = CompactionOptions(shard_bytes=1)  # nothing is merged
    compact(warehouse, kept)
    assert orphan.is_file()
    removed = compact(warehouse, CompactionOptions(shard_bytes=1, retention_hours=0)).hosts
    assert [host.sweep.removed.bytes for host in removed] == [0, 184]
    assert all(warehouse.layout.shard(name).is_file() for name in named)


def test_a_damaged_garbage_file_only_delays(warehouse: Warehouse) -> None:
    compact(warehouse)
    path = warehouse.layout.ingest / "lab-a.garbage.json"
    n_waiting = compact(warehouse).waiting.files
    for text in ("", "[]", '{"unnamed_since": {"a": "b"}}', '{"unnamed_since": 5}'):
        path.write_text(text)
        assert compact(warehouse).waiting.files == n_waiting > 0


def test_an_episode_that_moves_meanwhile_does_not_come_back(
    store: EpisodeStore, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another host's run replaces it between the reading of ``episodes`` and the commit."""
    from cis490_pipeline.ingest import shard_merging

    real, moved = shard_merging._pointed_at, episode_id(0)

    def overtaken(*arguments: object) -> object:
        monkeypatch.undo()
        add_episode(store.root, "lab-b", moved, build_episode(seconds=50, host_id="lab-b"))
        ingest_host(store, warehouse, "lab-b")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(shard_merging, "_pointed_at", overtaken)
    compact(warehouse, AT_ONCE)
    owners = [r["host_id"] for r in rows_of(warehouse, Table.EPISODES) if r["episode_id"] == moved]
    assert owners == ["lab-b"]
    assert set(grids_of(warehouse)) == {r["episode_id"] for r in rows_of(warehouse, Table.EPISODES)}


def test_compaction_waits_while_the_host_is_being_ingested(warehouse: Warehouse) -> None:
    done = threading.Event()

    def work() -> None:
        compact(warehouse, AT_ONCE)
        done.set()

    worker = threading.Thread(target=work)
    with host_lock(warehouse.layout, "lab-a"):
        worker.start()
        assert not done.wait(0.3)
        assert len(shards_of(warehouse, "lab-a")) == 4
    worker.join()
    assert len(shards_of(warehouse, "lab-a")) == 1


def test_a_shard_that_vanished_is_named(warehouse: Warehouse) -> None:
    path = warehouse.layout.shard(warehouse.tables.read(Table.EPISODES)["shard"][0].as_py())
    path.unlink()
    with pytest.raises(WarehouseError, match=path.name):
        compact(warehouse)


STEPS = ("write_hashed", "change_partition", "sweep_shards", "merge_small_files", "vacuum", "tidy")


def _dies(step: str, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """Let compaction die right before or right after the second call of a step."""
    from cis490_pipeline.ingest import compaction, shard_merging

    owner, name = {
        "write_hashed": (shard_merging, "write_hashed"),
        "change_partition": (Tables, "change_partition"),
        "sweep_shards": (compaction, "sweep_shards"),
        "merge_small_files": (compaction, "merge_small_files"),
        "vacuum": (compaction, "vacuum"),
        "tidy": (compaction, "tidy_log"),
    }[step]
    real, calls = getattr(owner, name), []

    def dying(*arguments: object, **keywords: object) -> object:
        calls.append(name)
        if len(calls) == 2 and not after:
            raise KeyboardInterrupt
        result = real(*arguments, **keywords)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(owner, name, dying)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_death_at_any_step_loses_nothing_and_the_next_run_goes_on(
    step: str, after: bool, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(warehouse.root)
    with monkeypatch.context() as patch:
        _dies(step, patch, after=after)
        with pytest.raises(KeyboardInterrupt):
            compact(warehouse, AT_ONCE)
    assert content_of(warehouse.root) == before
    compact(warehouse, AT_ONCE)
    assert content_of(warehouse.root) == before
    for host in ("lab-a", "lab-b"):
        assert len(shards_of(warehouse, host)) == 1
