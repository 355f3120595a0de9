"""A mirror: the same episodes, verified, however often it is interrupted."""

from pathlib import Path

import pytest

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.errors import StoreError, TransferError
from cis490_pipeline.receiver.keeper import open_keeper
from cis490_pipeline.receiver.pulling import Mirrored, pull
from cis490_pipeline_tests.drills.small_disk import small_disk
from cis490_pipeline_tests.episodes.building import add_episode, build_store, episode_id
from cis490_pipeline_tests.receiver.doors import rows_of, sha256_of
from cis490_pipeline_tests.receiver.living import Living, living


def mirror(served: Living, root: Path, host: str | None = None, source: str = "") -> Mirrored:
    """Pull all that a reader may see."""
    with open_keeper(root) as keeper:
        client = served.client(served.reader_token)
        said: list[str] = []
        return pull(keeper, client, source or served.url, host, said.append)


def entries_of(root: Path) -> dict[str, tuple[str, str, int, float | None]]:
    reading = read_received(root / "index.jsonl")
    assert [one for one in reading.damage if one.kind != "duplicate"] == []
    return {
        one.episode_id: (one.host_id, one.sha256, one.size_bytes, one.received_at_s)
        for one in reading.entries
    }


def check_mirrors(root: Path, source: Path) -> None:
    """Assert that both stores say the same, and that the mirror's files are what it says."""
    assert entries_of(root) == entries_of(source)
    for episode, (host, sha256, _, _) in entries_of(root).items():
        data = (root / "episodes" / host / f"{episode}.tar.zst").read_bytes()
        assert sha256_of(data) == sha256
    assert list((root / "receiver" / "incoming").iterdir()) == []


def test_a_mirror_holds_what_the_receiver_does_and_a_second_pull_nothing_new(
    tmp_path: Path,
) -> None:
    source = build_store(tmp_path / "source", {"lab-a": 3, "lab-b": 2}, seconds=4).root
    with living(source) as served:
        first = mirror(served, tmp_path / "mirror")
        check_mirrors(tmp_path / "mirror", source)
        assert (first.pulled, first.missing, first.gap) == (5, 0, False)
        again = mirror(served, tmp_path / "mirror")
        assert again == Mirrored()
        add_episode(source, "lab-a", episode_id(9), b"later")
    with living(source) as served:
        assert mirror(served, tmp_path / "mirror", source="s").pulled == 1
        check_mirrors(tmp_path / "mirror", source)
        assert len(rows_of(tmp_path / "mirror")) == 6


def test_rotation_between_two_pulls_is_followed(tmp_path: Path) -> None:
    source = build_store(tmp_path / "source", {"lab-a": 2}, seconds=4).root
    with living(source) as served:
        mirror(served, tmp_path / "mirror")
        (source / "index.jsonl").rename(source / "index.jsonl.1")
        add_episode(source, "lab-a", episode_id(5), b"after the rotation")
    with living(source) as served:
        found = mirror(served, tmp_path / "mirror", source="same")
        assert (found.pulled, found.gap) == (1, False)
        check_mirrors(tmp_path / "mirror", source)


def test_a_reship_replaces_what_is_mirrored(tmp_path: Path) -> None:
    source = build_store(tmp_path / "source", {"lab-a": 2}, seconds=4).root
    with living(source) as served:
        mirror(served, tmp_path / "mirror")
    add_episode(source, "lab-a", episode_id(0), b"shipped again")
    add_episode(source, "lab-b", episode_id(1), b"and again, by another host")
    with living(source) as served:
        assert mirror(served, tmp_path / "mirror").pulled == 2
        check_mirrors(tmp_path / "mirror", source)
        fresh = mirror(served, tmp_path / "fresh")
        assert (fresh.pulled, fresh.superseded) == (2, 2)
        check_mirrors(tmp_path / "fresh", source)


def test_an_interrupted_download_is_gone_on_with(tmp_path: Path) -> None:
    source, data = build_store(tmp_path / "source", {}).root, bytes(range(256)) * 1000
    add_episode(source, "lab-a", episode_id(0), data)
    partial = f"{episode_id(0)}.{sha256_of(data)}.pull"
    for n, half in enumerate(
        (data[:100_000], b"wrong" * 100, data, data + b"x", b"wrong" * 99_999)
    ):
        root = tmp_path / f"mirror-{n}"
        with open_keeper(root):
            pass
        (root / "receiver" / "incoming" / partial).write_bytes(half)
        with living(source) as served:
            assert mirror(served, root).pulled == 1
        check_mirrors(root, source)


def test_what_does_not_verify_is_never_filed_and_tried_again_next_time(tmp_path: Path) -> None:
    source = build_store(tmp_path / "source", {"lab-a": 2}, seconds=4).root
    add_episode(source, "lab-a", episode_id(8), b"damaged", sha256="1" * 64)
    add_episode(source, "lab-a", episode_id(9), b"lost")
    lost = source / "episodes" / "lab-a" / f"{episode_id(9)}.tar.zst"
    lost.unlink()
    with living(source) as served:
        first = mirror(served, tmp_path / "mirror")
        assert (first.pulled, first.missing) == (2, 2)
        assert sorted(entries_of(tmp_path / "mirror")) == [episode_id(0), episode_id(1)]
        lost.write_bytes(b"lost")
        second = mirror(served, tmp_path / "mirror")
        assert (second.pulled, second.held, second.missing) == (1, 2, 1)


def test_a_lost_file_of_a_mirror_is_had_again(tmp_path: Path) -> None:
    source = build_store(tmp_path / "source", {"lab-a": 2}, seconds=4).root
    with living(source) as served:
        mirror(served, tmp_path / "mirror")
        (tmp_path / "mirror" / "episodes" / "lab-a" / f"{episode_id(1)}.tar.zst").unlink()
        assert mirror(served, tmp_path / "mirror", source="anew").pulled == 1
        check_mirrors(tmp_path / "mirror", source)
        assert len(rows_of(tmp_path / "mirror")) == 2


def test_one_host_can_be_had_alone(tmp_path: Path) -> None:
    source = build_store(tmp_path / "source", {"lab-a": 2, "lab-b": 2}, seconds=4).root
    with living(source) as served:
        assert mirror(served, tmp_path / "mirror", "lab-b").pulled == 2
        assert {host for host, *_ in entries_of(tmp_path / "mirror").values()} == {"lab-b"}


def test_a_full_mirror_is_said_at_once_and_goes_on_with_more_space(tmp_path: Path) -> None:
    source, data = build_store(tmp_path / "source", {}).root, b"0123456789abcdef" * 65_536
    add_episode(source, "lab-a", episode_id(0), data)
    with small_disk(tmp_path / "disk", 512 << 10) as disk, living(source) as served:
        with pytest.raises(StoreError, match="free space"):
            mirror(served, disk.root / "mirror")
        disk.resize(8 << 20)
        assert mirror(served, disk.root / "mirror").pulled == 1
        check_mirrors(disk.root / "mirror", source)


def test_something_else_at_the_address_is_said_so(tmp_path: Path) -> None:
    with living(tmp_path / "source") as served, open_keeper(tmp_path / "mirror") as keeper:
        client = served.client(served.reader_token)
        with pytest.raises(TransferError, match="answer like a receiver"):
            pull(keeper, client, "x", "..", str)
