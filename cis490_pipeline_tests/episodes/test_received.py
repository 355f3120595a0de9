"""Everything that was received, over all files: rotations, copies, compression, a place to stop."""

import bz2
import gzip
import lzma
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from cis490_pipeline.episodes import received, received_files
from cis490_pipeline.episodes.index import IndexReading
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.received_files import list_files
from cis490_pipeline.episodes.tail_position import TailPosition
from cis490_pipeline.errors import StoreError
from cis490_pipeline_tests.episodes.reading import strictly
from cis490_pipeline_tests.episodes.tailing import Follower, append, lines, rotate, row

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": lambda data: bz2.compress(data, 1),
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.jsonl"


@pytest.fixture
def small_chunks(monkeypatch) -> int:
    """Make a chunk so small that a test's files have several; return its bytes."""
    monkeypatch.setattr(received_files, "CHUNK_BYTES", 3000)
    monkeypatch.setattr(received_files, "_PIECE_BYTES", 1000)
    return 3000


def numbers(reading: IndexReading) -> list[int]:
    return [entry.size_bytes for entry in reading.entries]


def kinds(reading: IndexReading) -> list[str]:
    return [one.kind.value for one in reading.damage]


def position(path: Path) -> TailPosition:
    """Follow the index to its end; return where that is."""
    follower = Follower(path)
    follower.drain()
    return TailPosition.from_json(follower.cursor)


def compress(path: Path, suffix: str = ".gz", data: bytes | None = None) -> Path:
    packed = path.with_name(path.name + suffix)
    packed.write_bytes(PACK[suffix](path.read_bytes()) if data is None else data)
    path.unlink()
    return packed


# files and their order


def test_rotated_files_are_read_oldest_first_and_the_last_row_counts(path):
    append(path.with_name("index.jsonl.10"), lines(1) + row(2, host_id="lab-x") + b"\n")
    append(path.with_name("index.jsonl.9"), row(2, host_id="lab-y") + b"\n")
    append(path, lines(3))
    reading = read_received(path)
    assert [(e.size_bytes, e.host_id) for e in reading.entries] == [
        (1, "lab-a"),
        (2, "lab-y"),
        (3, "lab-a"),
    ]
    assert reading.files == ("index.jsonl.10", "index.jsonl.9", "index.jsonl")
    (damage,) = reading.damage
    assert (damage.kind.value, damage.part, damage.line, damage.offset) == (
        "duplicate",
        0,
        2,
        len(lines(1)),
    )
    assert damage.excerpt.startswith(row(2).decode()[:40])


def test_dated_files_are_in_the_order_of_their_dates(path):
    for date, host in (("-20261102", "lab-new"), ("-20261101", "lab-old")):
        append(path.with_name(f"index.jsonl{date}"), row(1, host_id=host) + b"\n")
    path.touch()
    (entry,) = read_received(path).entries
    assert entry.host_id == "lab-new"


@pytest.mark.parametrize("numbered_is_older", [True, False])
def test_numbered_and_dated_files_are_in_the_order_in_which_they_were_written(
    path, numbered_is_older
):
    numbered = path.with_name("index.jsonl.1")
    dated = path.with_name("index.jsonl-20261101")
    for file, host, older in (
        (numbered, "numbered", numbered_is_older),
        (dated, "dated", not numbered_is_older),
    ):
        append(file, row(1, host_id=host) + b"\n")
        os.utime(file, (1000, 1000) if older else (2000, 2000))
    path.touch()
    (entry,) = read_received(path).entries
    assert entry.host_id == ("dated" if numbered_is_older else "numbered")


@pytest.mark.parametrize("name", ["index.jsonl.bak", "index.jsonl.1.sha256", "index.jsonl~", "i.1"])
def test_a_file_with_another_name_is_not_read(path, name):
    append(path, lines(1))
    append(path.with_name(name), lines(2) + b"no row\n")
    assert (numbers(read_received(path)), kinds(read_received(path))) == ([1], [])


def test_an_index_that_is_a_link_is_read(path, tmp_path):
    append(tmp_path / "real", lines(1))
    path.symlink_to(tmp_path / "real")
    assert numbers(read_received(path)) == [1]


def test_rotated_files_without_an_index_are_an_index(path):
    append(path.with_name("index.jsonl.1"), lines(1))
    assert numbers(read_received(path)) == [1]


def test_a_rotated_file_that_cannot_be_opened_is_an_error_and_not_a_loss(path, monkeypatch):
    append(path, lines(1))
    old = path.with_name("index.jsonl.1")
    append(old, lines(2))
    opening = os.open

    def refuse(name, *arguments):
        if name == old:
            raise PermissionError(13, "Permission denied", str(name))
        return opening(name, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError, match=r"index\.jsonl\.1.*Permission denied"):
        read_received(path)


# damage


def test_damage_is_told_with_its_file_and_the_place_in_it(path):
    append(path.with_name("index.jsonl.1"), lines(1) + b"\n")
    append(path, b"[]\n" + lines(2) + row(3)[:30])
    reading = read_received(path)
    found = [(d.kind.value, reading.files[d.part], d.line, d.offset) for d in reading.damage]
    assert found == [
        ("blank", "index.jsonl.1", 2, len(lines(1))),
        ("not_object", "index.jsonl", 1, 0),
        ("partial", "index.jsonl", 3, 3 + len(lines(2))),
    ]


def test_the_torn_last_line_of_a_rotated_file_hides_nothing_behind_it(path):
    append(path.with_name("index.jsonl.2"), lines(1) + row(2))
    append(path.with_name("index.jsonl.1"), lines(3) + row(4)[:50])
    append(path, lines(5))
    assert numbers(read_received(path)) == [1, 2, 3, 5]
    assert kinds(read_received(path)) == ["partial"]


def test_the_same_row_in_two_files_is_no_reship_and_another_one_is(path):
    append(path.with_name("index.jsonl.2"), lines(9, 1, 2))
    append(path.with_name("index.jsonl.1"), lines(1, 2))
    append(path, lines(3) + row(2, received_at_wall=5) + b"\n")
    reading = read_received(path)
    assert (numbers(reading), kinds(reading)) == ([1, 2, 3, 9], ["duplicate"])
    assert reading.damage[0].part == 1


def test_the_same_row_twice_in_one_file_is_a_duplicate(path):
    append(path, lines(1, 1))
    assert kinds(read_received(path)) == ["duplicate"]


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_superseded_rows_are_quoted_wherever_they_stand_in_a_large_file(path, suffix, small_chunks):
    old = path.with_name("index.jsonl.1")
    fill = lines(*range(1000, 1030))
    assert len(fill) > 1.3 * small_chunks
    append(old, lines(1) + fill + lines(2) + fill.replace(b"01TEST", b"02TEST") + lines(3))
    if suffix:
        compress(old, suffix)
    append(path, b"".join(row(n, host_id="lab-z") + b"\n" for n in (1, 2, 3)))
    quoted = [one.excerpt for one in read_received(path).damage]
    assert quoted == [row(n).decode()[:120] for n in (1, 2, 3)]


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_chunks_of_any_size_say_the_same(path, monkeypatch, size):
    data = (
        row(1, note="Gerät 😀")
        + b"\n\n\xff{\n"
        + row(2)
        + row(3)  # torn
        + b"\n"
        + b"\0" * 2500
        + row(4)
        + b"\r\n"
        + row(1, host_id="lab-b")
        + b"\n[]\n"
        + row(5)[:-20]
    )
    path.write_bytes(data)
    monkeypatch.setattr(received_files, "CHUNK_BYTES", size)
    monkeypatch.setattr(received_files, "_PIECE_BYTES", size)
    reading = read_received(path)
    assert (reading.entries, reading.damage) == strictly(data)
    assert kinds(reading) == [
        "duplicate",
        "blank",
        "not_utf8",
        "torn",
        "torn",
        "not_object",
        "partial",
    ]


def test_a_line_over_the_limit_is_passed_over_and_named(path, monkeypatch, small_chunks):
    monkeypatch.setattr(received, "MAX_LINE_BYTES", 5000)
    append(path, lines(1) + row(2, note="x" * 20_000) + b"\n" + b"\0" * 20_000 + lines(3))
    reading = read_received(path)
    assert (numbers(reading), kinds(reading)) == ([1, 3], ["not_json", "not_json"])
    assert [one.line for one in reading.damage] == [2, 3]


# copies


def test_a_copy_that_is_not_yet_cut_counts_once(path):
    rows = lines(1, 2) + row(1, host_id="lab-b") + b"\n" + lines(3)
    append(path.with_name("index.jsonl.2"), rows[: len(lines(1, 2)) + 20])
    append(path.with_name("index.jsonl.1"), rows)
    append(path, rows + lines(4))
    reading = read_received(path)
    assert (numbers(reading), kinds(reading)) == ([1, 2, 3, 4], ["duplicate"])
    assert reading.files == ("index.jsonl",)


def test_a_copy_stays_when_the_index_was_cut(path):
    append(path.with_name("index.jsonl.1"), lines(1, 2))
    append(path, lines(3))
    assert numbers(read_received(path)) == [1, 2, 3]


def test_a_compressed_copy_of_the_index_as_it_was_counts_once(path):
    rows = lines(1) + row(1, host_id="lab-b") + b"\n"
    compress_to = path.with_name("index.jsonl.1")
    append(compress_to, rows)
    compress(compress_to)
    append(path, rows + lines(2))
    assert kinds(read_received(path)) == ["duplicate"]


# compression


@pytest.mark.parametrize("suffix", PACK)
def test_compressed_files_are_read(path, suffix):
    append(path, lines(1, 2))
    compress(rotate(path), suffix)
    append(path, lines(3))
    reading = read_received(path)
    assert (numbers(reading), kinds(reading)) == ([1, 2, 3], [])


def test_zstd_of_many_frames_is_read(path):
    pack = PACK[".zst"]
    path.with_name("index.jsonl.1.zst").write_bytes(pack(lines(1)) + pack(lines(2)))
    path.touch()
    assert numbers(read_received(path)) == [1, 2]


def test_a_file_that_is_being_compressed_is_read_once_and_whole(path):
    append(path, lines(1, 2))
    old = rotate(path)
    append(path, lines(3))
    old.with_name("index.jsonl.1.gz").write_bytes(gzip.compress(lines(1, 2))[:25])
    reading = read_received(path)
    assert (numbers(reading), kinds(reading)) == ([1, 2, 3], [])


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_a_compressed_file_that_breaks_off_keeps_what_stands_before_and_says_so(
    path, suffix, small_chunks
):
    rows = [row(n, note=random.Random(n).randbytes(200).hex()) + b"\n" for n in range(600)]
    append(path, b"".join(rows))
    old = rotate(path)
    compress(old, suffix, PACK[suffix](old.read_bytes())[:-500])
    append(path, lines(1000))
    reading = read_received(path)
    assert len(reading.entries) > 100
    assert numbers(reading)[-1] == 1000
    assert "not_json" in kinds(reading)
    assert any("breaks off" in one.excerpt for one in reading.damage)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip"])
def test_what_only_looks_compressed_is_damage(path, suffix):
    append(path, lines(1))
    path.with_name(f"index.jsonl.1{suffix}").write_bytes(b"\x04\x22nothing that can be unpacked")
    reading = read_received(path)
    assert numbers(reading) == [1]
    assert reading.damage


# rotation while it is read


def interrupt(monkeypatch, act: Callable[[], None], *, after: str) -> None:
    """Do something once, right after a function of the reader has returned for the first time."""
    function, done = getattr(received, after), []

    def wrapped(*arguments):
        answer = function(*arguments)
        if not done:
            done.append(True)
            act()
        return answer

    monkeypatch.setattr(received, after, wrapped)


@pytest.mark.parametrize("when", ["list_files", "open_files", "without_copies"])
@pytest.mark.parametrize("how", ["rename", "rename and create", "copytruncate", "compress"])
def test_a_rotation_at_any_moment_loses_no_row_and_doubles_none(path, monkeypatch, how, when):
    append(path.with_name("index.jsonl.1"), lines(1, 2))
    append(path, lines(3, 4))

    def act() -> None:
        old = path.with_name("index.jsonl.1")
        if how == "compress":
            compress(old)
            return
        old.rename(path.with_name("index.jsonl.2"))
        if how == "copytruncate":
            old.write_bytes(path.read_bytes())
            path.write_bytes(b"")
        else:
            rotate(path)
        if how != "rename":
            append(path, lines(5))

    interrupt(monkeypatch, act, after=when)
    reading = read_received(path)
    assert numbers(reading)[:4] == [1, 2, 3, 4]
    assert kinds(reading) == []


def test_files_that_never_rest_are_an_error(path, monkeypatch):
    append(path, lines(1))

    def list_and_rotate(index_path):
        listed = list_files(index_path)
        append(index_path, lines(1))
        rotate(index_path, f".{len(list(path.parent.iterdir()))}")
        return listed

    monkeypatch.setattr(received, "list_files", list_and_rotate)
    with pytest.raises(StoreError, match="in one piece"):
        read_received(path)
