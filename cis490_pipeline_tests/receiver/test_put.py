"""PUT of an episode: acknowledged, refused, repeated, under a taken id."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline_tests.drills.small_disk import small_disk
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


def test_a_new_episode_is_on_disk_and_in_the_index_with_the_columns_of_the_format(
    door: Door,
) -> None:
    answer = door.put(b"tarball")
    assert answer.status_code == 201
    assert answer.headers["etag"] == f'"{sha256_of(b"tarball")}"'
    assert answer.json()["outcome"] == "new"
    check_filed_once(door.root, 0, b"tarball")
    row = rows_of(door.root)[0]
    columns = ["episode_id", "host_id", "sha256", "size_bytes", "received_at_wall"]
    assert list(row) == columns
    entry = read_received(door.root / "index.jsonl").entries[0]
    assert entry.received_at_s is not None
    assert half_received(door.root) == []


def test_the_same_again_is_no_second_row(door: Door) -> None:
    door.put(b"tarball")
    again = door.put(b"tarball")
    assert (again.status_code, again.json()["outcome"]) == (200, "same")
    check_filed_once(door.root, 0, b"tarball")


def test_other_bytes_under_a_taken_id_are_kept_aside_and_nothing_is_replaced(door: Door) -> None:
    door.put(b"first")
    answer = door.put(b"second")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    check_filed_once(door.root, 0, b"first")
    name = f"{HOST}/{episode_id(0)}.{sha256_of(b'second')}.tar.zst"
    assert kept_aside(door.root) == {name: b"second"}


def test_an_id_that_another_host_has_is_a_conflict(door: Door) -> None:
    door.put(b"mine")
    assert door.put(b"mine", host="lab-b", who="lab-b").status_code == 409
    check_filed_once(door.root, 0, b"mine")
    assert list(kept_aside(door.root).values()) == [b"mine"]


def test_a_lost_file_is_put_back_without_another_row(door: Door) -> None:
    door.put(b"tarball")
    path = door.root / "episodes" / HOST / f"{episode_id(0)}.tar.zst"
    path.unlink()
    assert door.put(b"tarball").status_code == 200
    check_filed_once(door.root, 0, b"tarball")


def test_many_puts_of_one_episode_at_the_same_time_file_it_once(door: Door) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: door.put(b"tarball").status_code, range(24)))
    assert sorted(found) == [200] * 23 + [201]
    check_filed_once(door.root, 0, b"tarball")
    assert half_received(door.root) == []


def test_different_bytes_at_the_same_time_are_one_episode_and_the_rest_kept(door: Door) -> None:
    contents = [b"content %d" % number for number in range(12)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda data: door.put(data).status_code, contents))
    assert sorted(found) == [201] + [409] * 11
    winner = contents[found.index(201)]
    check_filed_once(door.root, 0, winner)
    assert sorted([winner, *kept_aside(door.root).values()]) == sorted(contents)


@pytest.mark.parametrize(
    ("status", "error", "data", "headers"),
    [
        (400, "empty", b"", {}),
        (400, "other-sha256", b"x", {"X-Content-SHA256": "0" * 64}),
        (400, "bad-sha256", b"x", {"X-Content-SHA256": "0" * 63}),
        (400, "bad-sha256", b"x", {"X-Content-SHA256": sha256_of(b"x").upper()}),
        (400, "truncated", b"x", {"Content-Length": "2"}),
        (400, "bad-length", b"x", {"Content-Length": "1e3"}),
        (413, "too-large", b"x" * 1001, {}),
        (413, "too-large", b"x", {"Content-Length": "999999999999999999"}),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_reason(
    door: Door, status: int, error: str, data: bytes, headers: dict[str, str]
) -> None:
    answer = door.put(data, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["reason"]
    assert rows_of(door.root) == []
    assert half_received(door.root) == []


def test_a_body_without_a_length_has_the_same_limit(door: Door) -> None:
    pieces = (b"x" * 400 for _ in range(3))
    answer = door.ask("PUT", address(0), content=pieces)
    assert (answer.status_code, answer.json()["error"]) == (413, "too-large")
    assert half_received(door.root) == []


def test_the_largest_tarball_that_is_allowed_is_taken(door: Door) -> None:
    answer = door.put(b"x" * 1000, headers={"X-Content-SHA256": sha256_of(b"x" * 1000)})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/episodes/..%2f..%2fetc/{episode_id(0)}", 404),
        (f"/v1/episodes/a..b/{episode_id(0)}", 400),
        (f"/v1/episodes/-a/{episode_id(0)}", 400),
        (f"/v1/episodes/%2e%2e/{episode_id(0)}", 400),
        (f"/v1/episodes/lab-a%00/{episode_id(0)}", 400),
        (f"/v1/episodes/lab-a%0a/{episode_id(0)}", 400),
        ("/v1/episodes/lab-a/..%2f..%2fx", 404),
        ("/v1/episodes/lab-a/passwd", 400),
        (f"/v1/episodes/lab-a/{episode_id(0).lower()}", 400),
        (f"/v1/episodes/lab-a/{episode_id(0)}%0a", 400),
        (f"/v1/episodes/lab-a/{episode_id(0)}.tar.zst", 400),
    ],
)
def test_a_name_that_is_none_never_becomes_a_path(door: Door, path: str, status: int) -> None:
    before = sorted(door.root.rglob("*"))
    answer = door.ask("PUT", path, content=b"x")
    assert answer.status_code == status
    assert answer.json()["error"] in ("bad-host", "bad-episode", "no-route")
    assert sorted(door.root.rglob("*")) == before


def test_a_full_disk_is_507_its_path_is_the_operators_alone_and_space_heals_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path / "disk", 256 << 10) as disk, open_door(disk.root / "store") as door:
        caplog.set_level(logging.INFO)
        answer = door.put(b"x" * (512 << 10))
        assert (answer.status_code, answer.json()["error"]) == (507, "no-space")
        assert str(disk.root) not in answer.text
        assert str(door.root / "receiver" / "incoming") in caplog.text
        assert "No space left" in caplog.text
        assert half_received(door.root) == []
        disk.resize(8 << 20)
        assert door.put(b"x" * (512 << 10)).status_code == 201
        check_filed_once(door.root, 0, b"x" * (512 << 10))
