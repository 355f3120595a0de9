"""Following the index: section H of the field notes, items 4 to 12 and 14.

Not here: rotations (``test_tail_rotation``), a writer beside (``test_tail_live``, item 15).
"""

import errno
import os
from pathlib import Path

import pytest

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.tail import read_new
from cis490_pipeline.errors import ConfigurationError, StoreError
from cis490_pipeline_tests.episodes.tailing import (
    Follower,
    append,
    lines,
    numbers_of,
    rotate,
    row,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.jsonl"


@pytest.fixture
def follower(path: Path) -> Follower:
    return Follower(path)


# 4: half lines and long lines


def test_half_a_line_waits_for_its_newline(path, follower):
    append(path, lines(0) + row(1)[:30])
    assert follower.drain() == [0]
    assert follower.steps[-1].bytes_behind == 30
    append(path, row(1)[30:])
    assert follower.drain() == []  # whole, but nobody knows
    append(path, b"\n")
    assert follower.drain() == [1]
    entry = follower.steps[-1].entries[0]
    assert (entry.offset, entry.line) == (len(lines(0)), 2)


@pytest.mark.parametrize("max_bytes", [1, 100, 700, 1 << 20])
def test_line_over_the_limit_is_quarantined_once(path, follower, max_bytes):
    append(path, lines(0) + b"[" + b"1," * 2000 + b"\n" + lines(1))
    assert follower.drain(max_bytes=max_bytes, max_line_bytes=500) == [0, 1]
    damage = [one for step in follower.steps for one in step.damage]
    assert [(d.kind.value, d.line, d.offset) for d in damage] == [("not_json", 2, len(lines(0)))]
    assert damage[0].excerpt.startswith("[1,1,")
    entry = follower.steps[-1].entries[-1]
    assert (entry.line, entry.offset) == (3, len(lines(0)) + 4002)


def test_endless_line_is_passed_over_in_bounded_steps_and_never_read_again(path, follower):
    append(path, b"x" * 5000)
    follower.drain(max_bytes=600, max_line_bytes=500)
    assert len(follower.steps) == 9
    assert len([one for step in follower.steps for one in step.damage]) == 1
    append(path, b"y" * 300)
    step = follower.step(max_bytes=600, max_line_bytes=500)
    assert (step.position.offset, step.position.place.passed_bytes) == (0, 5300)
    append(path, b"\n" + lines(1))
    assert follower.drain(max_bytes=600, max_line_bytes=500) == [1]


def test_step_is_bounded(path, follower):
    append(path, lines(*range(100)))
    step = follower.step(max_bytes=1000)
    assert sum(len(row(n)) + 1 for n in numbers_of(step)) <= 1000
    assert len(step.entries) >= 5
    assert not step.at_end


# 5 to 8: bytes


def test_torn_line_gives_both_rows_and_their_places(path, follower):
    append(path, lines(0) + row(1) + lines(2) + row(3)[:40] + lines(4))
    assert follower.drain() == [0, 1, 2, 4]
    step = follower.steps[-1]
    assert [d.kind.value for d in step.damage] == ["torn", "torn"]
    data = path.read_bytes()
    for entry in step.entries:
        assert data[entry.offset :].startswith(row(entry.size_bytes))


@pytest.mark.parametrize("character", ["\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_a_newline_ends_a_line(path, follower, character):
    append(path, row(0, note="\u2028") + b"\r\n" + b"x%sy\n" % character.encode() + lines(1))
    assert follower.drain() == [0, 1]
    step = follower.steps[-1]
    assert [entry.line for entry in step.entries] == [1, 3]
    assert [(d.kind.value, d.line) for d in step.damage] == [("not_json", 2)]


def test_character_that_is_split_between_two_writes_is_whole(path, follower):
    data = row(0, note="Gerät 😀") + b"\n"
    found = []
    for byte in data:
        append(path, bytes([byte]))
        found += follower.drain()
    assert found == [0]
    assert not any(step.damage for step in follower.steps)


@pytest.mark.parametrize("n_zeros", [3, 499, 500, 501, 3000])
@pytest.mark.parametrize("max_bytes", [1, 64, 1 << 20])
def test_row_behind_a_tail_of_zeros_is_found(path, follower, n_zeros, max_bytes):
    append(path, lines(0) + b"\0" * n_zeros)
    assert follower.drain(max_bytes=max_bytes, max_line_bytes=500) == [0]
    append(path, lines(1, 2))
    assert follower.drain(max_bytes=max_bytes, max_line_bytes=500) == [1, 2]
    assert len([one for step in follower.steps for one in step.damage]) == 1
    places = {e.size_bytes: (e.line, e.offset) for s in follower.steps for e in s.entries}
    assert places[1] == (2, len(lines(0)) + n_zeros)
    assert places[2][0] == 3


# 9 to 11: positions


def test_step_whose_position_was_not_kept_is_repeated_whole(path, follower):
    append(path, lines(0))
    follower.drain()
    before = follower.cursor
    append(path, lines(1, 2))
    lost = follower.step()
    follower.cursor = before
    assert follower.step() == lost


def test_rows_of_one_episode_are_all_delivered_in_order(path, follower):
    again, conflict = row(0), row(0, sha256="f" * 64)
    append(path, again + b"\n" + again + b"\n" + conflict + b"\n")
    step = follower.step()
    assert len({entry.episode_id for entry in step.entries}) == 1
    assert [entry.sha256[0] == "f" for entry in step.entries] == [False, False, True]
    assert [entry.line for entry in step.entries] == [1, 2, 3]


def test_follower_begins_at_the_first_row_and_goes_on_where_it_stopped(path, follower):
    append(path, lines(0, 1))
    assert follower.drain() == [0, 1]
    append(path, lines(2, 3))
    assert Follower(path, cursor=follower.cursor).drain() == [2, 3]


def test_small_file_is_read(path, follower):
    append(path, b"{}\n")
    assert [d.kind.value for d in follower.step().damage] == ["missing_key"]
    append(path, lines(0))
    assert follower.drain() == [0]


def test_whole_file_in_small_steps_is_what_the_reader_of_the_whole_file_finds(path, follower):
    append(path, lines(3, 1) + b"\n[]\n\xff\n" + row(5) + lines(2) + b'{"a":1,}\n')
    follower.drain(max_bytes=1)
    entries = [entry for step in follower.steps for entry in step.entries]
    reading = read_received(path)
    assert tuple(sorted(entries, key=lambda one: one.episode_id)) == reading.entries
    assert tuple(one for step in follower.steps for one in step.damage) == reading.damage


# 12: absence and refusal


def test_absent_file_is_nothing_yet(path, follower):
    step = follower.step()
    assert (step.entries, step.position, step.at_end) == ((), None, True)
    append(path, lines(0))
    assert follower.drain() == [0]
    assert follower.steps[-1].generation == 0


def test_file_that_vanished_keeps_the_position(path, follower):
    append(path, lines(0))
    follower.drain()
    cursor = follower.cursor
    hidden = path.rename(path.with_name("hidden"))
    step = follower.step()
    assert (step.entries, step.at_end, step.rotated, step.gap) == ((), True, False, False)
    assert follower.cursor == cursor
    hidden.rename(path)
    append(path, lines(1))
    assert follower.drain() == [1]


def test_absent_store_is_nothing_yet(tmp_path, path, follower):
    assert Follower(tmp_path / "no" / "index.jsonl").drain() == []
    append(path, lines(0))
    follower.drain()
    gone = Follower(tmp_path / "no" / "index.jsonl", cursor=follower.cursor)
    assert gone.drain() == []
    assert gone.cursor == follower.cursor


@pytest.mark.parametrize("what", ["loop", "directory", "pipe", "not a directory"])
def test_what_cannot_be_read_is_a_store_error_that_names_it(path, what):
    if what == "loop":
        path.symlink_to(path)
    elif what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.touch()
        path = path / "index.jsonl"
    with pytest.raises(StoreError, match=path.name):
        read_new(path, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_without_permission_is_a_store_error(path, follower):
    append(path, lines(0))
    path.chmod(0)
    with pytest.raises(StoreError, match="Permission denied"):
        follower.step()


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EACCES])
def test_fault_of_the_file_system_loses_nothing(path, follower, monkeypatch, number):
    append(path, lines(0))
    follower.drain()
    append(path, lines(1))
    with monkeypatch.context() as patch:

        def fail(*_: object) -> bytes:
            raise OSError(number, os.strerror(number))

        patch.setattr(os, "pread", fail)
        with pytest.raises(StoreError, match=os.strerror(number)):
            follower.step()
    assert follower.drain() == [1]


def test_file_system_may_give_less_than_asked_for(path, follower, monkeypatch):
    append(path, lines(*range(20)))
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda handle, n, start: pread(handle, min(n, 7), start))
    assert follower.drain() == list(range(20))
    assert len(follower.steps) == 1


def test_no_handle_stays_open(path, follower):
    append(path, lines(0))
    follower.drain()
    rotate(path)
    append(path, lines(1))
    before = len(list(Path("/proc/self/fd").iterdir()))
    follower.drain()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("limits", [{"max_bytes": 0}, {"max_line_bytes": 0}])
def test_limits_that_would_stand_still_are_refused(path, limits):
    with pytest.raises(ConfigurationError, match="at least 1"):
        read_new(path, None, **limits)


# 14: lag


def test_lag_counts_every_file_that_is_still_to_be_read(path, follower):
    append(path, lines(0))
    follower.drain()
    assert follower.steps[-1].bytes_behind == 0
    append(path, lines(1, 2))
    rotate(path)
    append(path, lines(3, 4))
    step = follower.step(max_bytes=len(lines(1)))
    assert (numbers_of(step), step.bytes_behind, step.at_end) == ([1], len(lines(2, 3, 4)), False)
    assert follower.drain() == [2, 3, 4]
    assert follower.steps[-1].bytes_behind == 0
