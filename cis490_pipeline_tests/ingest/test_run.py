"""Ingest processes what is new, replaces what changed, and survives its own death."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import SchemaMismatchError
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.ingest.journal import journal_of
from cis490_pipeline.ingest.run import IngestOptions, ingest_host
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.content import content_of, rows_of

TWO_AT_ONCE = IngestOptions(threads=2, episodes_per_commit=2)


@pytest.fixture
def store(tmp_path: Path) -> EpisodeStore:
    return EpisodeStore(build_store(tmp_path / "store", {"lab-a": 5, "lab-b": 2}).root)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "data")


def test_a_second_run_finds_nothing_new(store: EpisodeStore, warehouse: Warehouse) -> None:
    first = ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    before = warehouse.tables.version(Table.VALIDATION_INDEX)
    second = ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    assert (first.episodes_new, second.episodes_new) == (5, 0)
    assert second.data_versions == first.data_versions
    assert second.windows_total == first.windows_total > 0
    assert warehouse.tables.version(Table.VALIDATION_INDEX) == before


def test_hosts_are_ingested_apart(store: EpisodeStore, warehouse: Warehouse) -> None:
    report = ingest_host(store, warehouse, "lab-b")
    assert report.episodes_new == report.episodes_indexed == 2
    assert {row["host_id"] for row in rows_of(warehouse, Table.EPISODES)} == {"lab-b"}


def test_one_more_episode_is_one_more(store: EpisodeStore, warehouse: Warehouse) -> None:
    first = ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    add_episode(store.root, "lab-a", episode_id(90), build_episode(seconds=40))
    second = ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    assert (second.episodes_new, second.episodes_total) == (1, 6)
    assert second.data_versions["window_features"] != first.data_versions["window_features"]


def test_batches_and_threads_do_not_change_the_content(store: EpisodeStore, tmp_path: Path) -> None:
    ingest_host(store, Warehouse(tmp_path / "one"), "lab-a")
    ingest_host(store, Warehouse(tmp_path / "many"), "lab-a", TWO_AT_ONCE)
    assert content_of(tmp_path / "one") == content_of(tmp_path / "many")


def test_a_re_ship_from_another_host_replaces(store: EpisodeStore, warehouse: Warehouse) -> None:
    ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    moved = episode_id(0)
    add_episode(store.root, "lab-b", moved, build_episode(seconds=50, host_id="lab-b"))
    ingest_host(store, warehouse, "lab-b", TWO_AT_ONCE)
    for table in (Table.VALIDATION_INDEX, Table.EPISODES, Table.EPISODE_FEATURES):
        owners = [r["host_id"] for r in rows_of(warehouse, table) if r["episode_id"] == moved]
        assert owners == ["lab-b"], table
    windows = [r for r in rows_of(warehouse, Table.WINDOW_FEATURES) if r["episode_id"] == moved]
    assert {row["host_id"] for row in windows} == {"lab-b"}
    assert [row["window"] for row in windows] == list(range(len(windows)))


def test_a_missing_tarball_is_looked_for_again(store: EpisodeStore, warehouse: Warehouse) -> None:
    path = store.root / "episodes" / "lab-a" / f"{episode_id(1)}.tar.zst"
    blob = path.read_bytes()
    path.unlink()
    first = ingest_host(store, warehouse, "lab-a")
    assert first.status["missing"] == 1
    again = ingest_host(store, warehouse, "lab-a")
    assert again.episodes_new == 0  # still missing: nothing to say, nothing committed
    path.write_bytes(blob)
    healed = ingest_host(store, warehouse, "lab-a")
    assert (healed.episodes_new, healed.status["missing"], healed.status["accepted"]) == (1, 0, 5)


def test_a_shrunken_index_takes_nothing_away(store: EpisodeStore, warehouse: Warehouse) -> None:
    ingest_host(store, warehouse, "lab-a")
    lines = store.index_path.read_bytes().splitlines(keepends=True)
    store.index_path.write_bytes(b"".join(lines[:2]))
    report = ingest_host(store, warehouse, "lab-a")
    assert (report.episodes_new, report.episodes_total) == (0, 5)


def test_an_episode_shorter_than_a_window_is_held_without_windows(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    store = EpisodeStore(build_store(tmp_path / "short", {"lab-a": 1}, seconds=5).root)
    report = ingest_host(store, warehouse, "lab-a")
    assert (report.episodes_total, report.windows_total) == (1, 0)
    assert rows_of(warehouse, Table.EPISODES)[0]["n_ticks"] > 0


def test_tables_of_another_schema_are_not_mixed(store: EpisodeStore, warehouse: Warehouse) -> None:
    ingest_host(store, warehouse, "lab-a")
    path = warehouse.layout.feature_schema
    path.write_text(path.read_text("utf-8").replace('"fingerprint": "', '"fingerprint": "0'))
    with pytest.raises(SchemaMismatchError, match=r"feature_schema\.json"):
        ingest_host(store, warehouse, "lab-a")


def test_shards_hold_what_the_statistics_say(store: EpisodeStore, warehouse: Warehouse) -> None:
    from cis490_pipeline.features.shards import open_shard

    ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    row = warehouse.tables.read(Table.EPISODES).to_pylist()[0]
    path = warehouse.layout.shard(row["shard"])
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()
    x_TC = open_shard(path)
    stats = window_statistics(x_TC[row["first_tick"] : row["first_tick"] + row["n_ticks"]])
    windows = [
        r for r in rows_of(warehouse, Table.WINDOW_FEATURES) if r["episode_id"] == row["episode_id"]
    ]
    for window in windows:
        assert window["proc_rss_bytes_mean"] == stats[window["window"], 2, 0]


_INGEST = """
import sys
from pathlib import Path
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest import run
from cis490_pipeline.warehouse.warehouse import Warehouse
store, data = EpisodeStore(Path(sys.argv[1])), Warehouse(Path(sys.argv[2]))
print("ready", flush=True)
run.ingest_host(store, data, "lab-a", run.IngestOptions(threads=2, episodes_per_commit=1))
print("done", flush=True)
"""


def _killed_after(seconds: float, store: Path, data: Path) -> bool:
    """Start an ingest, kill it after so long; say whether it was still at work."""
    command = [sys.executable, "-c", _INGEST, str(store), str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        return process.stdout.read() == b""


def test_kill_in_mid_ingest_ends_with_the_undisturbed_content(tmp_path: Path) -> None:
    root = build_store(tmp_path / "store", {"lab-a": 6}).root
    ingest_host(EpisodeStore(root), Warehouse(tmp_path / "calm"), "lab-a")
    data = tmp_path / "killed"
    interrupted = [_killed_after(0.15 + 0.2 * n, root, data) for n in range(5)]
    assert any(interrupted)
    ingest_host(EpisodeStore(root), Warehouse(data), "lab-a")
    assert content_of(data) == content_of(tmp_path / "calm")
    assert not journal_of(Warehouse(data).layout, "lab-a").pending()


@pytest.mark.parametrize("n_commits", range(4))
def test_death_between_two_commits_is_healed(
    n_commits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every commit boundary of a batch: the run dies after so many of its four tables."""
    from cis490_pipeline.ingest import commit

    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 3}).root)
    ingest_host(store, Warehouse(tmp_path / "calm"), "lab-a")
    warehouse = Warehouse(tmp_path / "data")
    real, calls = commit._write_table, []

    def dying(*arguments: object) -> None:
        if len(calls) == n_commits:
            raise KeyboardInterrupt
        calls.append(arguments)
        real(*arguments)

    monkeypatch.setattr(commit, "_write_table", dying)
    with pytest.raises(KeyboardInterrupt):
        ingest_host(store, warehouse, "lab-a")
    assert len(journal_of(warehouse.layout, "lab-a").pending()) == 3
    monkeypatch.undo()
    ingest_host(store, warehouse, "lab-a")
    assert content_of(tmp_path / "data") == content_of(tmp_path / "calm")


def _dies_in_the_second_commit(
    store: EpisodeStore, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, *, after: int = 1
) -> None:
    """Ingest lab-a two episodes a batch, and die after so many table commits."""
    from cis490_pipeline.ingest import commit

    real, calls = commit._write_table, []

    def dying(*arguments: object) -> None:
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(arguments)
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(commit, "_write_table", dying)
        with pytest.raises(KeyboardInterrupt):
            ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)


def _windows(warehouse: Warehouse) -> list[tuple[str, int]]:
    return [(r["episode_id"], r["window"]) for r in rows_of(warehouse, Table.WINDOW_FEATURES)]


def test_half_written_rows_go_when_their_episode_has_moved(
    store: EpisodeStore, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its old host never visits it again, and the new one finds it new and appends."""
    _dies_in_the_second_commit(store, warehouse, monkeypatch)
    blob = build_episode(seconds=50, host_id="lab-b")
    add_episode(store.root, "lab-b", episode_id(0), blob)
    for host in ("lab-a", "lab-b"):
        ingest_host(store, warehouse, host, TWO_AT_ONCE)
    found = _windows(warehouse)
    assert len(found) == len(set(found))
    assert not journal_of(warehouse.layout, "lab-a").pending()


def test_a_finished_batch_leaves_the_rest_of_an_older_one_pending(
    store: EpisodeStore, warehouse: Warehouse
) -> None:
    journal = journal_of(warehouse.layout, "lab-a")
    journal.begin(["a", "b"])
    journal.begin(["b", "c"])
    journal.finish(["b", "c"])
    assert journal.pending() == {"a"}
    journal.finish(["a"])
    assert not journal.path.exists()


def test_two_deaths_in_a_row_are_healed(
    store: EpisodeStore, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run's batches are cut elsewhere, since one tarball is missing and looked for."""
    from cis490_pipeline.ingest import run

    (store.root / "episodes" / "lab-a" / f"{episode_id(0)}.tar.zst").unlink()
    lines = store.index_path.read_bytes().splitlines(keepends=True)
    store.index_path.write_bytes(lines[0])
    ingest_host(store, warehouse, "lab-a")
    store.index_path.write_bytes(b"".join(lines))
    _dies_in_the_second_commit(store, warehouse, monkeypatch, after=5)
    real = run.commit_batch

    def dying_after(*arguments: object) -> int:
        real(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "commit_batch", dying_after)
        with pytest.raises(KeyboardInterrupt):
            ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)
    found = _windows(warehouse)
    assert len(found) == len(set(found))
    assert {name for name, _ in found} == {episode_id(n) for n in range(1, 5)}


def test_an_episode_that_two_hosts_committed_is_one_again(
    store: EpisodeStore, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was re-shipped, and ingested by its new host, while its old one was at work."""
    from cis490_pipeline.ingest import run

    real = run.commit_batch

    def overtaken(*arguments: object) -> int:
        monkeypatch.undo()
        blob = build_episode(seconds=50, host_id="lab-b")
        add_episode(store.root, "lab-b", episode_id(0), blob)
        ingest_host(store, warehouse, "lab-b")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "commit_batch", overtaken)
    ingest_host(store, warehouse, "lab-a")
    assert len(_windows(warehouse)) > len(set(_windows(warehouse)))  # the race did happen
    ingest_host(store, warehouse, "lab-b")
    for table in (Table.VALIDATION_INDEX, Table.EPISODES, Table.EPISODE_FEATURES):
        owners = [
            r["host_id"] for r in rows_of(warehouse, table) if r["episode_id"] == episode_id(0)
        ]
        assert owners == ["lab-b"], table
    assert len(_windows(warehouse)) == len(set(_windows(warehouse)))


@pytest.mark.parametrize("threads", [1, 2])
def test_long_grids_end_a_batch_early_and_change_nothing(
    threads: int, store: EpisodeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few rows can span a day of ticks: a hundred such grids at once would be 18 GB."""

    from cis490_pipeline.ingest import batches

    ingest_host(store, Warehouse(tmp_path / "whole"), "lab-a")
    monkeypatch.setattr(batches, "TICKS_PER_BATCH", 1)
    options = IngestOptions(threads=threads, episodes_per_commit=3)
    due = [e for e in read_received(store.index_path).entries if e.host_id == "lab-a"]
    sizes = [len(outcomes) for outcomes in batches.visit_in_batches(store, due, options)]
    assert max(sizes) <= threads
    assert sum(sizes) == len(due)
    ingest_host(store, Warehouse(tmp_path / "early"), "lab-a", options)
    assert content_of(tmp_path / "early") == content_of(tmp_path / "whole")
