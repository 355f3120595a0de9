"""Reading up to a follower's position, wherever rotation put the file that it is in."""

import os
from pathlib import Path

import pytest

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline_tests.episodes.tailing import append, lines, rotate, row
from cis490_pipeline_tests.episodes.test_received import compress, kinds, numbers, position


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.jsonl"


def test_rows_behind_the_position_are_left_to_the_next_reading(path):
    append(path, lines(1, 2) + b"\n")
    upto = position(path)
    append(path, lines(3) + b"\n\n" + row(4)[:20])
    reading = read_received(path, upto)
    assert (numbers(reading), kinds(reading), reading.everything) == ([1, 2], ["blank"], False)
    assert read_received(path).everything


def test_the_files_before_the_position_are_read_and_those_after_it_are_not(path):
    append(path, lines(1))
    rotate(path)
    append(path, lines(2))
    upto = position(path)
    path.with_name("index.jsonl.1").rename(path.with_name("index.jsonl.2"))
    append(path, lines(3))
    rotate(path)
    append(path, lines(4))
    assert numbers(read_received(path, upto)) == [1, 2]


def test_an_episode_that_is_shipped_again_behind_the_position_is_left_to_the_next_reading(path):
    append(path, lines(1, 2))
    upto = position(path)
    append(path, row(1, host_id="lab-b") + b"\n")
    reading = read_received(path, upto)
    assert (numbers(reading), kinds(reading)) == ([2], [])


def test_the_position_is_found_in_the_copy_of_a_file_that_was_cut(path):
    append(path, lines(1, 2))
    upto = position(path)
    append(path, lines(3))
    path.with_name("index.jsonl.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)
    append(path, lines(4))
    reading = read_received(path, upto)
    assert (numbers(reading), reading.everything) == ([1, 2], False)


def test_the_position_is_found_while_the_copy_is_not_yet_cut(path):
    append(path, lines(1, 2))
    upto = position(path)
    path.with_name("index.jsonl.1").write_bytes(path.read_bytes())
    append(path, lines(3))
    assert numbers(read_received(path, upto)) == [1, 2]


def test_the_position_is_found_under_a_name_that_is_no_rotations(path):
    append(path, lines(1, 2))
    upto = position(path)
    append(path, lines(3))
    rotate(path, ".moved-by-hand")
    append(path, lines(4))
    assert numbers(read_received(path, upto)) == [1, 2]
    assert numbers(read_received(path)) == [4]


def test_the_last_line_of_a_left_file_counts_without_its_newline(path):
    append(path, lines(1) + row(2))
    rotate(path)
    append(path, lines(3))
    upto = position(path)
    assert numbers(read_received(path, upto)) == [1, 2, 3]


def test_everything_is_read_where_the_file_of_the_position_was_compressed(path):
    append(path, lines(1, 2))
    upto = position(path)
    compress(rotate(path))
    append(path, lines(3))
    reading = read_received(path, upto)
    assert (numbers(reading), reading.everything) == ([1, 2, 3], True)


def test_everything_is_read_where_another_file_took_the_place(path):
    append(path, lines(1, 2))
    upto = position(path)
    os.truncate(path, 0)
    append(path, lines(8, 9, 10))
    reading = read_received(path, upto)
    assert (numbers(reading), reading.everything) == ([8, 9, 10], True)
