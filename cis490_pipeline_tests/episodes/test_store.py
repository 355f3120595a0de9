"""Paths and files of the store, and what is never followed."""

import os
from pathlib import Path

import pytest

from cis490_pipeline.episodes.store import EpisodeStore, FileStamp
from cis490_pipeline_tests.episodes.building import add_episode, build_store, episode_id

HOST, EPISODE = "lab-a", episode_id(0)


@pytest.fixture
def store(tmp_path: Path) -> EpisodeStore:
    add_episode(tmp_path, HOST, EPISODE, b"12345")
    return EpisodeStore(tmp_path)


def test_layout_is_the_formats(store, tmp_path):
    assert store.index_path == tmp_path / "index.jsonl"
    assert EpisodeStore(tmp_path, "other.jsonl").index_path == tmp_path / "other.jsonl"
    expected = tmp_path / "episodes" / HOST / f"{EPISODE}.tar.zst"
    assert store.tarball_path(HOST, EPISODE) == expected


def test_read_returns_the_bytes(store):
    assert store.read(HOST, EPISODE) == b"12345"


def test_stamp_has_size_and_mtime(store):
    os.utime(store.tarball_path(HOST, EPISODE), ns=(1, 1_700_000_000_123_456_789))
    assert store.stamp(HOST, EPISODE) == FileStamp(size_bytes=5, mtime_ns=1_700_000_000_123_456_789)


def test_stamp_of_nothing_is_none(store):
    assert store.stamp(HOST, episode_id(1)) is None
    assert store.stamp("no-such-host", EPISODE) is None


def test_stamp_below_a_file_is_none(store, tmp_path):
    (tmp_path / "episodes" / "lab-b").write_bytes(b"")
    assert store.stamp("lab-b", EPISODE) is None


def test_reading_nothing_is_an_oserror(store):
    with pytest.raises(FileNotFoundError):
        store.read(HOST, episode_id(1))


def test_directory_is_not_read(store):
    store.tarball_path(HOST, episode_id(1)).mkdir()
    with pytest.raises(OSError, match=r"regular file|directory"):
        store.read(HOST, episode_id(1))


def test_pipe_is_not_waited_for(store):
    os.mkfifo(store.tarball_path(HOST, episode_id(1)))
    with pytest.raises(OSError, match="not a regular file"):
        store.read(HOST, episode_id(1))


def test_symbolic_link_is_not_followed(store, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    store.tarball_path(HOST, episode_id(1)).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic"):
        store.read(HOST, episode_id(1))
    assert store.stamp(HOST, episode_id(1)) is not None  # there is something, but nothing to read


def test_host_directory_that_leads_out_is_not_followed(store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{EPISODE}.tar.zst").write_bytes(b"secret")
    (tmp_path / "episodes" / "lab-x").symlink_to(outside)
    with pytest.raises(PermissionError, match="out of the store"):
        store.read("lab-x", EPISODE)


def test_store_that_is_itself_behind_a_link_is_read(store, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert EpisodeStore(tmp_path / "link").read(HOST, EPISODE) == b"12345"


def test_episodes_directory_on_another_disk_is_read(store, tmp_path):
    (tmp_path / "episodes").rename(tmp_path / "disk2")
    (tmp_path / "episodes").symlink_to(tmp_path / "disk2")
    assert store.read(HOST, EPISODE) == b"12345"


def test_built_store_holds_what_its_index_says(tmp_path):
    built = build_store(tmp_path / "s", {"lab-a": 2, "lab-b": 1}, seconds=1)
    assert [row["host_id"] for row in built.rows] == ["lab-a", "lab-a", "lab-b"]
    assert len({row["sha256"] for row in built.rows}) == 3
    store = EpisodeStore(built.root)
    for row in built.rows:
        assert len(store.read(row["host_id"], row["episode_id"])) == row["size_bytes"]
