"""GET and HEAD of an episode: whole, a range, what is not there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.receiver.downloads import wanted_range
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.receiver.doors import HOST, Door, address, sha256_of

DATA = bytes(range(200))
TAG = f'"{sha256_of(DATA)}"'


def test_an_episode_comes_back_with_its_sha256_as_tag(door: Door) -> None:
    door.put(DATA)
    for who in ("lab-a", "box"):
        answer = door.ask("GET", address(0), who)
        assert (answer.status_code, answer.content) == (200, DATA)
        assert answer.headers["etag"] == TAG
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "application/zstd"


def test_head_says_which_bytes_are_there_and_sends_none(door: Door) -> None:
    door.put(DATA)
    answer = door.ask("HEAD", address(0), headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == TAG
    assert answer.headers["content-length"] == "200"
    assert door.ask("HEAD", address(1)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "content", "said"),
    [
        ("bytes=0-9", DATA[:10], "bytes 0-9/200"),
        ("bytes=150-", DATA[150:], "bytes 150-199/200"),
        ("bytes=-5", DATA[-5:], "bytes 195-199/200"),
        ("bytes=199-9999", DATA[199:], "bytes 199-199/200"),
    ],
)
def test_a_range_is_sent_alone(door: Door, asked: str, content: bytes, said: str) -> None:
    door.put(DATA)
    answer = door.ask("GET", address(0), headers={"Range": asked, "If-Range": TAG})
    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == said
    assert answer.headers["etag"] == TAG


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,5-9"},
        {"Range": "bytes=9-1"},
        {"Range": "bytes=-"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=0x1-"},
        {"Range": "bytes=" + "9" * 40 + "-"},
        {"Range": "bytes=10-", "If-Range": '"other"'},
        {"Range": "bytes=10-", "If-Range": f"W/{TAG}"},
    ],
)
def test_what_is_no_single_range_of_these_bytes_brings_all_of_them(
    door: Door, headers: dict[str, str]
) -> None:
    door.put(DATA)
    answer = door.ask("GET", address(0), headers=headers)
    assert (answer.status_code, answer.content) == (200, DATA)


@pytest.mark.parametrize("asked", ["bytes=200-", "bytes=-0", "bytes=999-1000"])
def test_a_range_behind_the_end_cannot_be_had(door: Door, asked: str) -> None:
    door.put(DATA)
    answer = door.ask("GET", address(0), headers={"Range": asked})
    assert (answer.status_code, answer.json()["error"]) == (416, "bad-range")
    assert answer.headers["content-range"] == "bytes */200"


@given(
    st.tuples(st.one_of(st.none(), st.integers(0, 30)), st.one_of(st.none(), st.integers(0, 30))),
    st.integers(1, 20),
)
@settings(derandomize=True, max_examples=200)
def test_a_range_is_what_slicing_would_give(ends: tuple[int | None, int | None], size: int) -> None:
    first, last = ends
    text = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    data = bytes(range(size))
    found = wanted_range(text, size)
    backwards = first is not None and last is not None and last < first
    if (first, last) == (None, None) or backwards:
        assert found is None
    else:
        if first is None and last is not None:
            expected = data[-last:] if last else b""
        else:
            expected = data[first : None if last is None else last + 1]
        assert found is not None
        assert data[found[0] : found[1] + 1] == expected
        assert (found == (size, size)) == (not expected)


@given(st.text(max_size=30), st.integers(0, 20))
@settings(derandomize=True, max_examples=200)
def test_any_header_is_an_answer_inside_the_file(text: str, size: int) -> None:
    found = wanted_range(text, size)
    assert found is None or 0 <= found[0] <= found[1] < size or found == (size, size)


def test_nothing_is_served_that_is_not_what_the_index_says(door: Door) -> None:
    door.put(DATA)
    path = door.root / "episodes" / HOST / f"{episode_id(0)}.tar.zst"
    path.write_bytes(DATA + b"more")
    assert door.ask("GET", address(0)).status_code == 404
    path.unlink()
    assert door.ask("GET", address(0)).status_code == 404
    path.symlink_to("/etc/passwd")
    assert door.ask("GET", address(0)).status_code == 404


def test_a_file_without_a_row_is_no_episode(door: Door) -> None:
    path = door.root / "episodes" / HOST / f"{episode_id(0)}.tar.zst"
    path.parent.mkdir()
    path.write_bytes(DATA)
    assert door.ask("GET", address(0)).status_code == 404
