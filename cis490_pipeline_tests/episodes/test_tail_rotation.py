"""Following the index through rotations: section H of the field notes, items 1 to 3 and 13."""

import os
from pathlib import Path

import pytest

from cis490_pipeline.episodes import tail
from cis490_pipeline.episodes.tail_files import OlderFile, find_older
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


# 1: rename and create


def test_renamed_file_is_read_to_its_end_before_the_new_one(path, follower):
    append(path, lines(0, 1))
    follower.drain()
    append(path, lines(2, 3))
    rotate(path)
    append(path, lines(4))
    old = follower.step()
    assert (numbers_of(old), old.generation, old.rotated, old.at_end) == ([2, 3], 0, False, False)
    assert old.bytes_behind == len(lines(4))
    new = follower.step()
    assert (numbers_of(new), new.generation, new.rotated, new.gap) == ([4], 1, True, False)
    assert new.at_end
    assert (new.entries[0].offset, new.entries[0].line) == (0, 1)


def test_renamed_file_that_was_read_to_its_end_costs_no_step(path, follower):
    append(path, lines(0))
    follower.drain()
    rotate(path)
    append(path, lines(1))
    step = follower.step()
    assert (numbers_of(step), step.rotated, step.gap, step.generation) == ([1], True, False, 1)


def test_writer_that_still_has_the_renamed_file_open_is_followed(path, follower):
    with path.open("ab", buffering=0) as writer:
        writer.write(lines(0))
        follower.drain()
        rotate(path)
        writer.write(lines(1))
        assert follower.drain() == [1]  # renamed, not yet created
        path.touch()
        writer.write(lines(2))
        assert follower.drain() == [2]  # created, not yet written to
        writer.write(lines(3))
    append(path, lines(4))
    assert follower.drain() == [3, 4]


def test_files_that_came_and_went_between_two_steps_are_read_in_order(path, follower):
    append(path, lines(0))
    follower.drain()
    append(path, lines(1))
    for number in (2, 3):
        if number == 3:
            path.with_name("index.jsonl.1").rename(path.with_name("index.jsonl.2"))
        rotate(path)
        append(path, lines(number))
    assert follower.drain() == [1, 2, 3]
    assert follower.steps[-1].generation == 2


def test_dated_rotation_is_followed_in_order(path, follower):
    append(path, lines(0))
    follower.drain()
    for number, date in ((1, "-20261101"), (2, "-20261102"), (3, "-20261103")):
        rotate(path, date)
        append(path, lines(number))
    assert follower.drain() == [1, 2, 3]


def test_rotated_files_may_be_named(path, follower, tmp_path):
    append(path, lines(0))
    follower.drain()
    append(path, lines(1))
    (tmp_path / "old").mkdir()
    kept = [tmp_path / "old" / "one", tmp_path / "old" / "two"]
    path.rename(kept[0])
    kept[1].write_bytes(lines(2))
    append(path, lines(3))
    assert follower.drain(previous=kept) == [1, 2, 3]


def test_full_row_without_newline_in_a_left_file_is_a_row_and_a_part_is_damage(path, follower):
    append(path, row(0))
    assert follower.drain() == []
    rotate(path)
    append(path, lines(1) + row(2)[:-1])
    assert follower.drain() == [0, 1]
    rotate(path, ".0")
    append(path, lines(3))
    assert follower.drain() == [3]
    assert [d.kind.value for s in follower.steps for d in s.damage] == ["partial"]


def test_rotation_in_the_middle_of_a_step_loses_nothing(path, follower, monkeypatch):
    append(path, lines(0))
    follower.drain()
    first = rotate(path)
    append(path, lines(1))

    def find_then_rotate(*arguments: object) -> OlderFile | None:
        found = find_older(*arguments)
        first.rename(path.with_name("index.jsonl.2"))
        rotate(path)
        append(path, lines(2))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(tail, "find_older", find_then_rotate)
        step = follower.step()
    assert (step.entries, step.at_end, step.rotated) == ((), False, False)
    assert follower.drain() == [1, 2]


# 2: copytruncate


@pytest.mark.parametrize("anew", [(), (4,), (4, 5, 6, 7)], ids=["empty", "shorter", "longer"])
def test_cut_file_is_read_from_its_beginning(path, follower, anew):
    append(path, lines(0, 1))
    follower.drain()
    os.truncate(path, 0)
    append(path, lines(*anew))
    step = follower.step()
    assert numbers_of(step) == list(anew)
    assert (step.generation, step.rotated, step.gap, step.at_end) == (1, True, True, True)
    assert follower.drain() == []


@pytest.mark.parametrize("anew", [(), (4,), (4, 5, 6, 7)], ids=["empty", "shorter", "longer"])
def test_copy_that_copytruncate_kept_is_read_to_its_end_first(path, follower, anew):
    append(path, lines(0, 1))
    follower.drain()
    append(path, lines(2, 3))
    path.with_name("index.jsonl.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)
    append(path, lines(*anew))
    assert follower.drain() == [2, 3, *anew]
    append(path, lines(9))
    assert follower.drain() == [9]
    assert not any(step.gap for step in follower.steps)
    assert follower.steps[-1].generation == 1


def test_copies_that_were_kept_between_two_steps_are_read_in_order(path, follower):
    append(path, lines(0))
    follower.drain()
    for number in range(1, 6):
        append(path, lines(number))
        if number == 3:
            assert numbers_of(follower.step()) == [1]  # the others wait, under names only
        path.with_name(f"index.jsonl-2026110{number}").write_bytes(path.read_bytes())
        os.truncate(path, 0)
    assert follower.drain() == [2, 3, 4, 5]
    assert not any(step.gap for step in follower.steps)


def test_next_file_is_not_begun_before_it_has_a_whole_line(path, follower):
    append(path, lines(0, 1))
    follower.drain()
    old = rotate(path)
    append(path, row(2)[:50])
    assert follower.drain() == []
    assert follower.steps[-1].position.identity.inode == old.stat().st_ino
    assert follower.steps[-1].bytes_behind == 50
    path.with_name("index.jsonl.0").write_bytes(row(2) + b"\n")
    os.truncate(path, 0)
    append(path, lines(3))
    assert follower.drain() == [2, 3]


# 3: identity


def test_file_with_another_beginning_on_the_same_inode_is_read_from_its_beginning(path, follower):
    append(path, lines(0, 1))
    follower.drain()
    inode = path.stat().st_ino
    path.write_bytes(lines(5, 6, 7))
    assert path.stat().st_ino == inode
    assert follower.drain() == [5, 6, 7]


def test_file_with_the_same_first_kilobyte_but_other_rows_behind_is_noticed(path, follower):
    head = lines(*range(10))
    assert len(head) > 1024
    append(path, head + lines(10, 11))
    follower.drain()
    path.write_bytes(head + lines(20, 21, 22))
    assert follower.drain() == [*range(10), 20, 21, 22]


def test_file_with_the_same_last_kilobyte_but_another_beginning_is_noticed(path, follower):
    rest = lines(*range(10, 20))
    assert len(rest) > 1024
    append(path, lines(1) + rest)
    follower.drain()
    path.write_bytes(lines(2) + rest + lines(3))
    assert follower.drain() == [2, *range(10, 20), 3]


def test_position_far_behind_the_end_is_one_in_a_cut_file(path, follower):
    append(path, lines(*range(10)))
    follower.drain()
    end = f'"offset":{path.stat().st_size},'
    assert end in follower.cursor
    follower.cursor = follower.cursor.replace(end, f'"offset":{10**30},')
    assert follower.drain() == list(range(10))
    assert follower.steps[-1].gap


def test_longer_file_moved_over_the_old_one_is_read_from_its_beginning(path, follower):
    append(path, lines(0, 1))
    follower.drain()
    other = path.with_name("incoming")
    other.write_bytes(lines(5, 6, 7))
    other.rename(path)
    step = follower.step()
    assert (numbers_of(step), step.generation, step.gap) == ([5, 6, 7], 1, True)


def test_rotated_file_on_a_used_inode_is_not_taken_for_the_old_one(path, follower):
    append(path, lines(0, 1))
    follower.drain()
    rotate(path).write_bytes(lines(7, 8, 9))  # the inode of what was followed, other rows
    append(path, lines(2))
    step = follower.step()
    assert (numbers_of(step), step.gap) == ([2], True)


def test_touched_file_is_the_same_one(path, follower):
    append(path, lines(0))
    follower.drain()
    os.utime(path, ns=(0, 0))
    path.chmod(0o600)
    append(path, lines(1))
    step = follower.step()
    assert (numbers_of(step), step.rotated, step.generation) == ([1], False, 0)


# 13: neighbours


def test_compressed_file_is_not_read_and_what_it_hides_is_a_gap(path, follower):
    append(path, lines(0))
    follower.drain()
    append(path, lines(1))
    path.rename(path.with_name("index.jsonl.1.gz"))  # the very inode, so only the name says it
    append(path, lines(2))
    step = follower.step()
    assert (numbers_of(step), step.gap, step.rotated) == ([2], True, True)


def test_strangers_beside_the_index_are_left_alone(path, follower):
    append(path, lines(0))
    follower.drain()
    for suffix, data in ((".lock", b""), (".swp", b"\0\1"), (".9", lines(9)), (".dir", None)):
        other = path.with_name(path.name + suffix)
        other.mkdir() if data is None else other.write_bytes(data)
    rotate(path)
    append(path, lines(1))
    assert follower.drain() == [1]
    assert not any(step.gap or step.damage for step in follower.steps)
