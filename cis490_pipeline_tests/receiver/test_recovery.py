"""What a crash leaves is healed exactly once; nothing acknowledged is lost."""

import os
from pathlib import Path

import pytest

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.errors import ConfigurationError, StoreError
from cis490_pipeline.receiver.index_file import IndexFile, Row
from cis490_pipeline.receiver.keeper import open_keeper
from cis490_pipeline.schema.ids import EpisodeId, HostId
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.receiver.doors import (
    HOST,
    Door,
    address,
    check_filed_once,
    half_received,
    kept_aside,
    open_door,
    rows_of,
    sha256_of,
)

ROW = Row(
    episode_id=EpisodeId(episode_id(9)),
    host_id=HostId(HOST),
    sha256="0" * 64,
    size_bytes=1,
    received_at_wall=1.5,
)


class _DiedError(Exception):
    """Stands for SIGKILL: nothing behind it is kept."""


def die_before_the_row(door: Door, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put an episode into a receiver that is killed after the rename."""

    def die(*_: object) -> None:
        raise _DiedError

    with monkeypatch.context() as patch:
        patch.setattr(IndexFile, "append", die)
        assert door.put(data).status_code == 500


def test_a_file_without_its_row_is_filed_once_when_it_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_door(tmp_path) as door:
        die_before_the_row(door, monkeypatch, b"tarball")
        assert rows_of(tmp_path) == []
    with open_door(tmp_path) as door:
        assert door.ask("GET", address(0)).status_code == 404
        assert [door.put(b"tarball").status_code for _ in range(2)] == [201, 200]
    check_filed_once(tmp_path, 0, b"tarball")
    assert kept_aside(tmp_path) == {}


def test_other_bytes_take_the_place_of_a_file_without_a_row_and_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_door(tmp_path) as door:
        die_before_the_row(door, monkeypatch, b"first")
        assert door.put(b"second").status_code == 201
    check_filed_once(tmp_path, 0, b"second")
    assert list(kept_aside(tmp_path).values()) == [b"first"]


def test_what_was_half_received_is_gone_at_the_next_start(tmp_path: Path) -> None:
    with open_door(tmp_path):
        pass
    (tmp_path / "receiver" / "incoming" / "x.part").write_bytes(b"half")
    with open_door(tmp_path):
        assert half_received(tmp_path) == []


def test_a_restarted_receiver_knows_everything_also_what_was_rotated_away(tmp_path: Path) -> None:
    with open_door(tmp_path) as door:
        door.put(b"old")
        (tmp_path / "index.jsonl").rename(tmp_path / "index.jsonl.1")
        assert door.put(b"new", number=1).status_code == 201
        assert door.put(b"old").status_code == 200
    assert [row["episode_id"] for row in rows_of(tmp_path)] == [episode_id(1)]
    with open_door(tmp_path) as door:
        assert [door.put(b"old").status_code, door.put(b"new", number=1).status_code] == [200, 200]
    reading = read_received(tmp_path / "index.jsonl")
    assert [one.episode_id for one in reading.entries] == [episode_id(0), episode_id(1)]
    assert reading.damage == ()


def test_a_torn_last_line_is_never_merged_with_a_row(tmp_path: Path) -> None:
    with open_door(tmp_path) as door:
        door.put(b"zero")
    index = tmp_path / "index.jsonl"
    whole = index.read_bytes()
    for cut in range(1, len(whole) - 1):
        index.write_bytes(whole + whole[:cut])
        with open_door(tmp_path) as door:
            assert door.put(b"one %d" % cut, number=1).status_code == 201
        lines = index.read_bytes().split(b"\n")
        assert lines[:2] == [whole[:-1], whole[:cut]]
        reading = read_received(index)
        assert [one.episode_id for one in reading.entries] == [episode_id(0), episode_id(1)]
        assert [one.line for one in reading.damage] == [2]
        (tmp_path / "episodes" / HOST / f"{episode_id(1)}.tar.zst").unlink()
        index.write_bytes(whole)


def test_a_row_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    with open_door(tmp_path) as door:
        door.put(b"tarball")
    index = tmp_path / "index.jsonl"
    index.write_bytes(index.read_bytes()[:-1])
    with open_door(tmp_path) as door:
        assert door.put(b"tarball").status_code == 200
    check_filed_once(tmp_path, 0, b"tarball")


def test_a_line_that_is_torn_while_the_receiver_runs_is_closed_too(door: Door) -> None:
    door.put(b"zero")
    with (door.root / "index.jsonl").open("ab") as index:
        index.write(b'{"episode_id": "01')
    door.put(b"one", number=1)
    assert (door.root / "index.jsonl").read_bytes().split(b"\n")[1] == b'{"episode_id": "01'
    reading = read_received(door.root / "index.jsonl")
    assert len(reading.entries) == 2
    assert len(reading.damage) == 1


def test_a_row_that_cannot_be_synced_is_taken_back_and_not_acknowledged(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.put(b"zero")
    before = (door.root / "index.jsonl").read_bytes()
    genuine, failed = os.fsync, []

    def fails_once(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        if name == "index.jsonl" and not failed:
            failed.append(name)
            raise OSError(5, "Input/output error")
        genuine(handle)

    monkeypatch.setattr(os, "fsync", fails_once)
    assert door.put(b"one", number=1).status_code == 503
    assert (door.root / "index.jsonl").read_bytes() == before
    assert door.put(b"one", number=1).status_code == 201
    check_filed_once(door.root, 1, b"one")


def test_an_index_in_doubt_takes_no_more_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = IndexFile(tmp_path / "index.jsonl")
    index.repair()
    with monkeypatch.context() as patch:

        def fails(_: int) -> None:
            raise OSError(5, "Input/output error")

        patch.setattr(os, "fsync", fails)
        with pytest.raises(StoreError, match="could not be written"):
            index.append(ROW)
    with pytest.raises(StoreError, match="start the receiver again"):
        index.append(ROW)


def test_a_row_that_was_written_in_part_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = IndexFile(tmp_path / "index.jsonl")
    index.append(ROW)
    before = (tmp_path / "index.jsonl").read_bytes()
    genuine = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: genuine(handle, data[:20]))
        with pytest.raises(OSError, match="only 20 of"):
            index.append(ROW)
    assert (tmp_path / "index.jsonl").read_bytes() == before


def test_a_row_is_written_in_one_piece_and_synced_before_it_is_acknowledged(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []
    write, fsync, replace = os.write, os.fsync, Path.replace

    def name_of(handle: int) -> str:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        return "temporary" if name.endswith(".part") else name

    def writes(handle: int, data: bytes) -> int:
        if name_of(handle) in ("temporary", "index.jsonl"):
            did.append(f"write {name_of(handle)}")
        return write(handle, data)

    def syncs(handle: int) -> None:
        did.append(f"sync {name_of(handle)}")
        fsync(handle)

    def renames(path: Path, target: Path) -> Path:
        did.append("rename")
        return replace(path, target)

    door.put(b"zero")
    monkeypatch.setattr(os, "write", writes)
    monkeypatch.setattr(os, "fsync", syncs)
    monkeypatch.setattr(Path, "replace", renames)
    assert door.put(b"one", number=1).status_code == 201
    assert did == [
        "write temporary",
        "sync temporary",
        "rename",
        f"sync {HOST}",
        "write index.jsonl",
        "sync index.jsonl",
    ]


def test_a_second_receiver_of_a_store_is_refused(door: Door) -> None:
    with pytest.raises(StoreError, match="another receiver"), open_keeper(door.root):
        pass


def test_episodes_on_another_file_system_are_refused(tmp_path: Path) -> None:
    if tmp_path.stat().st_dev == Path("/dev/shm").stat().st_dev:
        pytest.skip("the temporary directory is on /dev/shm itself")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "episodes").symlink_to("/dev/shm")
    with (
        pytest.raises(ConfigurationError, match="one file system"),
        open_keeper(tmp_path / "store"),
    ):
        pass


def test_a_digest_of_the_index_is_that_of_the_file(door: Door) -> None:
    door.put(b"tarball")
    held = door.keeper.held(EpisodeId(episode_id(0)))
    assert held is not None
    assert held.sha256 == sha256_of(b"tarball")
