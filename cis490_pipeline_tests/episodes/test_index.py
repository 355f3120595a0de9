"""The index: every known damage, and nothing readable lost."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes.index import (
    Damage,
    DamageKind,
    IndexReading,
)
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.errors import StoreError
from cis490_pipeline_tests.episodes.building import episode_id, index_row, jsonl
from cis490_pipeline_tests.episodes.reading import read_index

CASES = settings(max_examples=150, deadline=None)


def row(number=0, **changes):
    return index_row("lab-a", episode_id(number), b"x" * number, **changes)


def line(number=0, **changes):
    return jsonl([row(number, **changes)])


def kinds(reading: IndexReading):
    return [one.kind.value for one in reading.damage]


def ids(reading: IndexReading):
    return [entry.episode_id for entry in reading.entries]


def only_damage(data: bytes) -> Damage:
    reading = read_index(data)
    assert len(reading.damage) == 1
    assert reading.entries == ()
    return reading.damage[0]


def test_empty_index_has_nothing():
    reading = read_index(b"")
    assert (reading.entries, reading.damage) == ((), ())


def test_well_formed_line_becomes_an_entry_with_its_place():
    first = line(0)
    reading = read_index(first + line(1))
    assert reading.damage == ()
    entry = reading.entries[1]
    assert (entry.host_id, entry.size_bytes, entry.line) == ("lab-a", 1, 2)
    assert entry.offset == len(first)
    assert entry.sha256 == row(1)["sha256"]


def test_entries_are_sorted_by_episode_id():
    assert ids(read_index(line(2) + line(0) + line(1))) == [episode_id(n) for n in (0, 1, 2)]


def test_crlf_and_extra_keys_are_fine():
    data = json.dumps({**row(), "note": {"a": [1]}}).encode() + b"\r\n"
    assert kinds(read_index(data)) == []


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "blank"),
        (b" \t\r", "blank"),
        (b"hello", "not_json"),
        (b"{", "not_json"),
        (b'{"a":1,}', "not_json"),
        (b"\0\0\0\0", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"a":' * 100_000, "not_json"),
        (b"\xff\xfe", "not_utf8"),
        (b'{"episode_id": "\xff"}', "not_utf8"),
        (b"[1, 2]", "not_object"),
        (b'"text"', "not_object"),
        (b"7", "not_object"),
        (b"null", "not_object"),
        (b"{}", "missing_key"),
        (b'{"a":1}{"b":2}', "torn"),
    ],
)
def test_damaged_line_is_one_damage_of_its_kind(raw, kind):
    reading = read_index(line(0) + raw + b"\n" + line(1))
    assert ids(reading) == [episode_id(0), episode_id(1)]
    assert kinds(reading)[0] == kind
    assert reading.damage[0].line == 2
    assert reading.damage[0].offset == len(line(0))
    assert kind == "torn" or len(reading.damage) == 1


@pytest.mark.parametrize(
    "host",
    ["", "..", "a..b", "../x", "/abs", ".hidden", "a/b", "a" * 64, "a\n", "läb", 5, True, []],
)
def test_bad_host_is_damage(host):
    assert only_damage(line(host_id=host)).kind is DamageKind.BAD_ID


@pytest.mark.parametrize(
    "episode",
    [
        "",
        "x",
        episode_id(0).lower(),
        episode_id(0)[:-1],
        episode_id(0) + "0",
        "I" * 26,
        "../" * 9,
        7,
    ],
)
def test_bad_episode_id_is_damage(episode):
    assert only_damage(line(episode_id=episode)).kind is DamageKind.BAD_ID


@pytest.mark.parametrize("key", ["episode_id", "host_id", "sha256", "size_bytes"])
@pytest.mark.parametrize("how", ["absent", "null"])
def test_required_key_must_be_there(key, how):
    changed = row()
    if how == "absent":
        del changed[key]
    else:
        changed[key] = None
    assert only_damage(jsonl([changed])).kind is DamageKind.MISSING_KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "a" * 63},
        {"sha256": "A" * 64},
        {"sha256": "a" * 64 + "\n"},
        {"sha256": 5},
        {"size_bytes": -1},
        {"size_bytes": True},
        {"size_bytes": "5"},
        {"size_bytes": 5.0},
        {"size_bytes": 1 << 63},
        {"size_bytes": [5]},
    ],
)
def test_unusable_value_of_a_required_key_is_missing_key(changes):
    assert only_damage(line(**changes)).kind is DamageKind.MISSING_KEY


def test_integer_of_5000_digits_is_only_an_unusable_size():
    huge = line().replace(b'"size_bytes":0', b'"size_bytes":' + b"9" * 5000)
    assert only_damage(huge).kind is DamageKind.MISSING_KEY


def test_of_duplicate_keys_the_last_counts():
    data = line(0)[:-2] + b',"host_id":"lab-z"}\n'
    assert [e.host_id for e in read_index(data).entries] == ["lab-z"]


@pytest.mark.parametrize(
    ("wall", "seconds"),
    [
        ("2026-11-22T04:45:11.653Z", 1795322711.653),
        ("2026-11-22T05:45:11.653+01:00", 1795322711.653),
        ("2026-11-22T04:45:11.653", 1795322711.653),
        (1795322711, 1795322711.0),
        (1795322711.5, 1795322711.5),
        (None, None),
        ("yesterday", None),
        (True, None),
        ({}, None),
        (1795322711653, None),
        (-1, None),
        (10**400, None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
    ],
)
def test_time_of_receipt(wall, seconds):
    (entry,) = read_index(line(received_at_wall=wall)).entries
    assert entry.received_at_s == seconds


def test_absent_time_of_receipt_is_no_damage():
    bare = row()
    del bare["received_at_wall"]
    reading = read_index(jsonl([bare]))
    assert (reading.damage, reading.entries[0].received_at_s) == ((), None)


def test_two_rows_on_one_line_are_both_entries_and_one_torn():
    torn = line(1)[:-1] + line(2)
    reading = read_index(line(0) + torn + line(3))
    assert ids(reading) == [episode_id(n) for n in range(4)]
    assert kinds(reading) == ["torn"]
    second = reading.entries[2]
    assert second.offset == len(line(0)) + len(line(1)) - 1
    assert second.line == 2


def test_half_a_row_before_a_whole_one_is_kept_in_the_excerpt():
    reading = read_index(line(0)[:30] + line(1))
    assert ids(reading) == [episode_id(1)]
    assert kinds(reading) == ["torn"]
    assert reading.damage[0].excerpt == line(0)[:30].decode()


def test_half_a_row_behind_a_whole_one_is_torn():
    reading = read_index(line(0)[:-1] + line(1)[:25] + b"\n")
    assert (ids(reading), kinds(reading)) == ([episode_id(0)], ["torn"])
    assert reading.damage[0].excerpt == line(1)[:25].decode()


def test_torn_line_with_a_bad_row_counts_both():
    reading = read_index(line(0)[:-1] + line(1, host_id="../x"))
    assert (ids(reading), kinds(reading)) == ([episode_id(0)], ["torn", "bad_id"])
    assert reading.damage[1].offset == len(line(0)) - 1


def test_nested_object_of_a_damaged_row_is_no_row():
    data = b'{"episode_id":"' + episode_id(0).encode() + b'","x":{"a":1},"y":{"b":1},"host\n'
    assert only_damage(data).kind is DamageKind.NOT_JSON


def test_row_behind_a_nul_filled_tail_is_salvaged():
    reading = read_index(line(0) + b"\0" * 4096 + line(1))
    assert (ids(reading), kinds(reading)) == ([episode_id(0), episode_id(1)], ["torn"])


def test_row_beside_bytes_that_are_not_utf8_is_salvaged():
    reading = read_index(line(0)[:-1] + b"\xff\xff" + line(1))
    assert (ids(reading), kinds(reading)) == ([episode_id(0), episode_id(1)], ["not_utf8"])
    assert reading.entries[1].offset == len(line(0)) + 1


def test_later_row_supersedes_whichever_host_it_names():
    reading = read_index(line(0) + line(1) + line(0, host_id="lab-b"))
    assert [(e.episode_id, e.host_id, e.line) for e in reading.entries] == [
        (episode_id(0), "lab-b", 3),
        (episode_id(1), "lab-a", 2),
    ]
    assert [(d.kind.value, d.line) for d in reading.damage] == [("duplicate", 1)]


def test_each_superseded_row_is_one_duplicate():
    assert kinds(read_index(line(0) * 4)) == ["duplicate"] * 3


def test_damaged_repetition_does_not_supersede():
    reading = read_index(line(0) + line(0, size_bytes=None))
    assert (ids(reading), kinds(reading)) == ([episode_id(0)], ["missing_key"])


@pytest.mark.parametrize("cut", range(1, len(line(1)) - 1))
def test_last_line_that_is_still_written_is_partial(cut):
    reading = read_index(line(0) + line(1)[:cut])
    assert (ids(reading), kinds(reading)) == ([episode_id(0)], ["partial"])
    assert (reading.damage[0].line, reading.damage[0].offset) == (2, len(line(0)))


def test_complete_row_without_its_newline_is_an_entry():
    reading = read_index(line(0) + line(1)[:-1])
    assert (ids(reading), kinds(reading)) == ([episode_id(0), episode_id(1)], [])


@pytest.mark.parametrize("tail", [b"\0" * 100, b"{}", b"\xff", b"[]", b"   ", b"{" * 99])
def test_anything_else_without_newline_is_partial(tail):
    assert kinds(read_index(line(0) + tail)) == ["partial"]


def test_whole_row_in_a_torn_unfinished_line_is_not_lost():
    reading = read_index(line(0)[:-1] + line(1)[:40])
    assert (ids(reading), kinds(reading)) == ([episode_id(0)], ["partial"])


def test_excerpt_is_short_and_printable():
    for raw in (b"\xff" * 500, b"\x1b[31m" * 100, "é".encode() * 200, b"a" * 500):
        damage = read_index(raw + b"\n").damage[0]
        assert len(damage.excerpt.encode()) <= 120
        assert damage.excerpt.isprintable()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"' * 200_000,
        b'{"a":' * 200_000,
        b"{" * 5_000_000,
        b"x" * 10_000_000,
        b'{"a":"' + b"y" * 10_000_000,
        b"{}" * 100_000,
        line(0)[:-1] * 3000,
    ],
    ids=["quotes", "nested", "braces", "text", "string", "empties", "no newlines at all"],
)
def test_hostile_long_line_neither_crashes_nor_hangs(raw):
    start = time.process_time()
    read_index(raw + b"\n" + line(1))  # in four ways; one that is quadratic takes minutes
    assert time.process_time() - start < 30


def test_ten_megabyte_row_is_an_entry():
    assert ids(read_index(line(0, note="z" * 10_000_000))) == [episode_id(0)]


def test_absent_index_says_what_to_do(tmp_path):
    with pytest.raises(StoreError, match=r"index\.jsonl.*check the store"):
        read_received(tmp_path / "index.jsonl")


def test_directory_in_place_of_the_index_is_a_store_error(tmp_path):
    with pytest.raises(StoreError):
        read_received(tmp_path)


@CASES
@given(st.binary(max_size=400))
def test_any_bytes_are_an_answer(data):
    reading = read_index(data)
    assert all(len(one.excerpt) <= 120 for one in reading.damage)


JUNK = st.one_of(
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from(
        [b"", b"{}", b"{", b'{"a":"', b"null", line(99)[:44], b'"', b"\\", b'{"x":{"y":']
    ),
)


@CASES
@given(st.lists(st.tuples(st.integers(0, 9), JUNK, st.booleans()), max_size=12))
def test_well_formed_lines_are_recovered_whatever_stands_between(parts):
    data = b"".join(line(n) + (junk + b"\n" if keep else b"") for n, junk, keep in parts)
    reading = read_index(data)
    assert ids(reading) == sorted({episode_id(n) for n, _, _ in parts})


@CASES
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.data())
def test_lost_newlines_lose_no_row(numbers, data):
    lost = [data.draw(st.booleans()) for _ in numbers]
    raw = b"".join(line(n)[: -1 if gone else None] for n, gone in zip(numbers, lost, strict=True))
    assert ids(read_index(raw)) == sorted({episode_id(n) for n in numbers})


@CASES
@given(st.lists(st.integers(0, 5), max_size=8), st.lists(st.integers(0, 5), max_size=8))
def test_reading_a_concatenation_is_reading_both(first, second):
    a, b = (b"".join(map(line, numbers)) for numbers in (first, second))
    assert ids(read_index(a + b)) == sorted({*ids(read_index(a)), *ids(read_index(b))})
    expected = len(first) + len(second) - len({*first, *second})
    assert kinds(read_index(a + b)) == ["duplicate"] * expected
