"""The tar walk against hostile archives: unsafe members, bombs and limits."""

import tarfile
import tracemalloc

import pytest
import zstandard

from cis490_pipeline.episodes import zstd_frames
from cis490_pipeline.episodes.archive import (
    EXPECTED_FILES,
    Archive,
    ArchiveLimits,
    oversize,
    read_archive,
)
from cis490_pipeline_tests.episodes.building import build_tar, compress
from cis490_pipeline_tests.episodes.tar_blocks import (
    END,
    LIMITS,
    MEMBERS,
    TAR,
    checksummed,
    failure,
    header,
    info,
    kind,
    member,
    opened,
    pax,
    with_extra,
)

# ---- what is unsafe


@pytest.mark.parametrize(
    "type_", [b"1", b"2", b"3", b"4", b"6", b"S", b"V", b"M", b"D", b"X", b"Z", b"\xff"]
)
@pytest.mark.parametrize("name", [b"meta.json", b"ignored"])
def test_member_that_is_no_file_and_no_directory_is_unsafe(type_, name):
    tar = member(b"done.marker", b"") + header(name, 0, type_=type_) + END
    assert kind(tar) == "UnsafeMember"


@pytest.mark.parametrize(
    "extra",
    [
        info("l", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        info("l", type=tarfile.LNKTYPE, linkname="meta.json"),
        info("l" * 150, type=tarfile.SYMTYPE, linkname="t" * 150),
        info("dev", type=tarfile.CHRTYPE),
        info("dev", type=tarfile.BLKTYPE),
        info("pipe", type=tarfile.FIFOTYPE),
    ],
)
def test_links_and_devices_are_unsafe(extra):
    assert kind(with_extra(extra, tar_format=tarfile.GNU_FORMAT)) == "UnsafeMember"


@pytest.mark.parametrize(
    "name",
    [
        "/meta.json",
        "/",
        "//x",
        "../meta.json",
        "a/../meta.json",
        "..",
        "a/..",
        "../",
        "a/../../etc/x",
    ],
)
@pytest.mark.parametrize("type_", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_paths_that_leave_are_unsafe(name, type_):
    assert kind(header(name.encode(), 0, type_=type_) + END) == "UnsafeMember"


def test_paths_that_leave_are_unsafe_in_every_disguise():
    harmless = member(b"meta.json", b"{}") + END
    long_name = member(b"././@LongLink", b"../" + b"x" * 200 + b"\0", type_=b"L")
    block = bytearray(header(b"meta.json", 0))
    block[345:347] = b".."
    for tar in (
        pax({"path": "../meta.json"}) + harmless,
        pax({"path": "/meta.json"}) + harmless,
        pax({"path": "/x"}, type_=b"g") + harmless,
        long_name + harmless,
        checksummed(block) + END,
    ):
        assert kind(tar) == "UnsafeMember"


@pytest.mark.parametrize("name", sorted(EXPECTED_FILES))
def test_two_members_of_one_expected_name_are_unsafe(name):
    assert kind(build_tar([*MEMBERS.items(), (f"other/{name}", b"")])) == "UnsafeMember"


def test_second_member_by_pax_path_is_unsafe():
    tar = member(b"meta.json", b"{}") + pax({"path": "z/meta.json"}) + member(b"z", b"{}") + END
    assert kind(tar) == "UnsafeMember"


def test_sparse_member_by_pax_records_is_unsafe():
    tar = pax({"GNU.sparse.major": "1", "GNU.sparse.name": "meta.json"}) + member(b"x", b"") + END
    assert kind(tar) == "UnsafeMember"


def test_message_quotes_a_hostile_name_safely():
    name = b"/\x1b[2J\xff\n" + b"x" * 80
    message = failure(compress(header(name, 0) + END)).message
    assert message.isprintable()
    assert message.isascii()


# ---- limits


def test_limit_of_bytes_is_exact():
    opened(TAR, ArchiveLimits(max_bytes=len(TAR)))
    assert kind(TAR, ArchiveLimits(max_bytes=len(TAR) - 1)) == "LimitExceeded"


def test_limit_of_members_is_exact_and_counts_directories():
    extra = [info(f"d{i}", type=tarfile.DIRTYPE) for i in range(64 - len(MEMBERS))]
    opened(with_extra(*extra))
    assert kind(with_extra(*extra, info("one more", type=tarfile.DIRTYPE))) == "LimitExceeded"
    assert kind(TAR, ArchiveLimits(max_members=len(MEMBERS) - 1)) == "LimitExceeded"


BOMB = bytes(64 << 20)


@pytest.mark.parametrize(
    "tar",
    [
        build_tar({**MEMBERS, "network.pcap": BOMB}),
        build_tar({**MEMBERS, "unknown": BOMB}),
        build_tar({**MEMBERS, "events.jsonl": BOMB}),
        TAR + BOMB,
        pax({"comment": "x" * (2 << 20)}) + TAR,
        member(b"L", b"x" * (2 << 20), type_=b"L") + TAR,
    ],
    ids=["pcap", "ignored", "wanted", "trailing", "pax header", "long name"],
)
def test_bomb_is_found_without_holding_it(tar):
    blob = compress(tar, content_size=False)
    tracemalloc.start()
    assert failure(blob, ArchiveLimits(max_bytes=3 << 20)).kind == "LimitExceeded"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 << 20


def test_many_frames_of_a_bomb_count_together():
    blob = (
        compress(build_tar({**MEMBERS, "unknown": bytes(1 << 20)})) + compress(bytes(1 << 20)) * 40
    )
    assert failure(blob, ArchiveLimits(max_bytes=8 << 20)).kind == "LimitExceeded"


def test_claimed_size_costs_no_memory():
    block = bytearray(header(b"meta.json", 0))
    block[124:136] = b"\x80" + (400 << 20).to_bytes(11, "big")
    tracemalloc.start()
    found = failure(compress(checksummed(block) + b"{}" + bytes(2000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.kind, "cut off" in found.message) == ("ReadError", True)
    assert peak < 16 << 20


def test_claimed_size_beyond_the_limit_is_the_limit():
    block = bytearray(header(b"meta.json", 0))
    block[124:136] = b"\x80" + b"\x7f" * 11
    assert kind(checksummed(block) + END) == "LimitExceeded"


def test_huge_window_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=28)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    found = failure(stream.compress(TAR) + stream.flush())
    assert found.kind == "ZstdError"


def test_window_of_128_mib_is_fine():
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert isinstance(read_archive(stream.compress(TAR) + stream.flush(), LIMITS), Archive)


def test_extension_headers_in_a_row_are_limited():
    tar = pax({"comment": "x"}) * 17 + member(b"meta.json", b"{}") + END
    assert kind(tar) == "LimitExceeded"
    opened(pax({"comment": "x"}) * 3 + member(b"meta.json", b"{}") + END)


def test_blocks_of_a_zstd_stream_are_limited(monkeypatch):
    monkeypatch.setattr(zstd_frames, "MAX_BLOCKS", 20)
    assert failure(compress(b"x") * 21).kind == "LimitExceeded"


def test_file_that_is_too_long_is_refused_unread():
    limits = ArchiveLimits(max_bytes=1 << 20)
    assert oversize(limits.max_compressed_bytes, limits) is None
    assert oversize(limits.max_compressed_bytes + 1, limits).kind == "LimitExceeded"
    assert failure(bytes(limits.max_compressed_bytes + 1), limits).kind == "LimitExceeded"


def test_incompressible_archive_at_the_limit_is_not_oversize():
    raw = bytes(range(256)) * 4096
    limits = ArchiveLimits(max_bytes=len(raw))
    assert oversize(len(zstandard.ZstdCompressor(level=-100).compress(raw)), limits) is None
