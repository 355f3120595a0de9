"""The index from a place on, through rotation."""

import gzip
from pathlib import Path

import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.receiver.index_pages import IndexPage, read_page
from cis490_pipeline_tests.episodes.tailing import append, lines, rotate, row
from cis490_pipeline_tests.receiver.doors import Door


def follow(path: Path, cursor: str | None = None, **options: int) -> tuple[list[int], IndexPage]:
    """Read pages until one is at the end; return the rows' numbers and the last page."""
    found: list[int] = []
    for _ in range(1000):
        page = read_page(path, cursor, **options)
        found += [one.size_bytes for one in page.entries]
        cursor = page.cursor
        if page.at_end:
            return found, page
    raise AssertionError("the pages never come to an end")


def test_every_row_comes_once_in_bounded_pages(tmp_path: Path) -> None:
    index = tmp_path / "index.jsonl"
    append(index, lines(*range(50)))
    page = read_page(index, None, max_bytes=1000)
    assert 0 < len(page.entries) < 8
    assert not page.at_end
    assert page.offset <= 1000
    assert follow(index, max_bytes=1000)[0] == list(range(50))


def test_a_row_that_is_still_being_written_comes_whole_with_a_later_page(tmp_path: Path) -> None:
    index = tmp_path / "index.jsonl"
    append(index, lines(0) + row(1)[:50])
    found, page = follow(index)
    assert found == [0]
    append(index, row(1)[50:] + b"\n")
    assert follow(index, page.cursor)[0] == [1]


def test_rotation_between_two_pages_loses_nothing_and_counts_the_generation_up(
    tmp_path: Path,
) -> None:
    index = tmp_path / "index.jsonl"
    append(index, lines(0, 1))
    _, page = follow(index)
    assert page.generation == 0
    append(index, lines(2))
    rotate(index)
    append(index, lines(3))
    found, page = follow(index, page.cursor)
    assert (found, page.generation, page.gap) == ([2, 3], 1, False)


def test_whoever_begins_gets_what_was_rotated_away_before(tmp_path: Path) -> None:
    index = tmp_path / "index.jsonl"
    for number, name in enumerate((".2", ".1", "")):
        append(tmp_path / f"index.jsonl{name}", lines(2 * number, 2 * number + 1))
    found, page = follow(index)
    assert found == list(range(6))
    assert not page.gap


def test_what_was_compressed_is_a_gap_and_not_silence(tmp_path: Path) -> None:
    (tmp_path / "index.jsonl.2.gz").write_bytes(gzip.compress(lines(0)))
    append(tmp_path / "index.jsonl.1", lines(1))
    append(tmp_path / "index.jsonl", lines(2))
    first = read_page(tmp_path / "index.jsonl", None)
    assert first.gap
    assert follow(tmp_path / "index.jsonl")[0] == [1, 2]


def test_without_an_index_there_is_nothing_and_no_error(tmp_path: Path) -> None:
    page = read_page(tmp_path / "index.jsonl", None)
    assert (page.entries, page.cursor, page.at_end) == ((), None, True)


@pytest.mark.parametrize("cursor", ["", "0", "{}", '{"version": 9}', "\ud800", "x" * 1000])
def test_a_cursor_that_is_none_is_refused(tmp_path: Path, cursor: str) -> None:
    with pytest.raises(ConfigurationError):
        read_page(tmp_path / "index.jsonl", cursor)


def test_a_hostile_cursor_is_refused_or_begins_anew(door: Door) -> None:
    door.put(b"x")
    good = door.ask("GET", "/v1/index", "box").json()["cursor"]
    for bad in (good.replace('"offset":', '"offset":9'), good.replace("0", "1"), good[:-2]):
        answer = door.ask("GET", "/v1/index", "box", params={"cursor": bad})
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            assert answer.json()["gap"]
    again = door.ask("GET", "/v1/index", "box", params={"cursor": good}).json()
    assert (again["rows"], again["at_end"]) == ([], True)
