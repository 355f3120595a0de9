"""The pure core of the tailer: how the bytes are cut into steps changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes.tail_lines import Lines, take_lines
from cis490_pipeline.episodes.tail_position import FILE_START, Place
from cis490_pipeline_tests.episodes.tailing import lines, row

LIMIT = 400

PIECES = st.sampled_from(
    [
        *(row(number) for number in range(5)),
        row(5, note="ü😀"),
        *(b"\n",) * 6,
        b"\r",
        b"\0" * 30,
        b"\0" * 500,
        b"x" * 390,
        row(6)[:50],
        b"\xff",
        b"{",
        b"}",
        b'"',
    ]
)


def take(data: bytes, place: Place = FILE_START, *, finished: bool = False) -> Lines:
    return take_lines(data, place, max_line_bytes=LIMIT, finished=finished)


def in_steps(data: bytes, sizes: list[int]) -> Lines:
    """Show a growing file, ``sizes`` bytes more each time, to a follower that reads it all."""
    place, entries, damage, shown = FILE_START, (), (), 0
    for size in [*sizes, len(data)]:
        shown = min(len(data), shown + size)
        found = take(data[place.next_byte : shown], place)
        entries, damage, place = entries + found.entries, damage + found.damage, found.place
    return Lines(entries=entries, damage=damage, place=place)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25), st.lists(st.integers(1, 600), max_size=30))
def test_any_division_into_steps_finds_the_same(pieces, sizes):
    data = b"".join(pieces)
    assert in_steps(data, sizes) == take(data)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25), st.booleans())
def test_place_is_a_line_start_and_every_row_stands_at_its_offset(pieces, finished):
    data = b"".join(pieces)
    found = take(data, finished=finished)
    place = found.place
    if not finished:
        assert data[: place.offset].endswith(b"\n") or place.offset == 0
        assert data.count(b"\n") == place.line - 1
        assert len(data) - place.next_byte <= LIMIT or place.passed_bytes
    for entry in found.entries:
        assert data[: entry.offset].count(b"\n") == entry.line - 1
        note = {"note": "ü😀"} if entry.size_bytes == 5 else {}
        assert data[entry.offset :].lstrip(b"\r").startswith(row(entry.size_bytes, **note))


@pytest.mark.parametrize("length", [LIMIT, LIMIT + 1])
def test_limit_is_the_longest_line_that_is_read(length):
    line = row(0, note="x" * (length - len(row(0, note=""))))
    assert len(line) == length
    found = take(line + b"\n" + lines(1))
    assert [entry.size_bytes for entry in found.entries] == ([0, 1] if length == LIMIT else [1])
    assert len(found.damage) == (0 if length == LIMIT else 1)


def test_rest_is_read_only_where_nothing_follows():
    assert take(row(0)).entries == ()
    finished = take(row(0), finished=True)
    assert [entry.size_bytes for entry in finished.entries] == [0]
    assert finished.place.offset == len(row(0))
    assert [one.kind.value for one in take(row(0)[:9], finished=True).damage] == ["partial"]


def test_rest_behind_zeros_is_read_where_nothing_follows():
    found = take(b"\0" * 1000 + row(0), finished=True)
    assert [(entry.size_bytes, entry.offset) for entry in found.entries] == [(0, 1000)]
    assert [one.kind.value for one in found.damage] == ["not_json"]
