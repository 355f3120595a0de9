"""Shipping: once, again, after an interruption, what is not taken."""

from pathlib import Path

import pytest

from cis490_pipeline.errors import ConfigurationError, TransferError
from cis490_pipeline.receiver.shipping import Fate, parcels, ship
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.receiver.doors import (
    HOST,
    check_filed_once,
    kept_aside,
    rows_of,
)
from cis490_pipeline_tests.receiver.living import living


def files(root: Path, n: int, host: str = HOST) -> list[Path]:
    """Make so many files of a host."""
    directory = root / host
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{episode_id(number)}.tar.zst" for number in range(n)]
    for number, path in enumerate(paths):
        path.write_bytes(b"content %d" % number * 1000)
    return paths


def fates(paths: list[Path], client: object) -> list[Fate]:
    return [one.fate for one in ship(parcels(paths, None), client)]


def test_every_file_is_shipped_once_and_asked_for_again(tmp_path: Path) -> None:
    paths = files(tmp_path / "from", 5)
    with living(tmp_path / "store") as served:
        assert fates(paths[:2], served.client()) == [Fate.SHIPPED] * 2
        assert fates(paths, served.client()) == [Fate.ALREADY] * 2 + [Fate.SHIPPED] * 3
        assert fates(paths, served.client()) == [Fate.ALREADY] * 5
        for number, path in enumerate(paths):
            check_filed_once(served.root, number, path.read_bytes())


def test_a_receiver_that_comes_back_gets_the_rest(tmp_path: Path) -> None:
    paths = files(tmp_path / "from", 4)
    with living(tmp_path / "store") as served:
        port, token = served.port, served.host_token
        assert fates(paths[:1], served.client()) == [Fate.SHIPPED]
        client = served.client()
    with pytest.raises(TransferError):
        fates(paths, client)
    with living(tmp_path / "store", port) as served:
        assert token != served.host_token
        assert fates(paths, served.client()) == [Fate.ALREADY] + [Fate.SHIPPED] * 3


def test_what_is_not_taken_does_not_stop_the_rest(tmp_path: Path) -> None:
    paths = files(tmp_path / "from", 4)
    with living(tmp_path / "store", max_bytes=100_000) as served:
        fates(paths[:1], served.client())
        paths[0].write_bytes(b"other")
        paths[1].write_bytes(b"x" * 3_000_000)
        paths[2].unlink()
        found = list(ship(parcels(paths, None), served.client()))
        expected = [Fate.CONFLICT, Fate.REFUSED, Fate.UNREADABLE, Fate.SHIPPED]
        assert [one.fate for one in found] == expected
        assert "409 conflict" in found[0].reason
        assert "413 too-large" in found[1].reason
        assert "No such file" in found[2].reason
        assert list(kept_aside(served.root).values()) == [b"other"]
        assert len(rows_of(served.root)) == 2


def test_a_token_of_another_host_ends_it_at_once(tmp_path: Path) -> None:
    paths = files(tmp_path / "from", 2, "lab-b")
    refused = pytest.raises(TransferError, match="does not accept the token")
    with living(tmp_path / "store") as served, refused:
        fates(paths, served.client())


def test_a_host_can_be_named(tmp_path: Path) -> None:
    named = parcels(files(tmp_path, 1, "elsewhere"), "lab-a")
    assert [one.host_id for one in named] == ["lab-a"]


@pytest.mark.parametrize("name", ["x.tar.zst", f"{'0' * 26}", f"{'0' * 26}.zst", "..tar.zst"])
def test_a_file_that_is_not_named_like_an_episode_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="not named like an episode"):
        parcels([tmp_path / name], "lab-a")
    with pytest.raises(ConfigurationError, match="not named like an episode"):
        parcels([tmp_path / f"{'0' * 26}.tar.zst"], "../x")
