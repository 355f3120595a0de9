"""The tar walk: what is fine, what is cut off or no archive; any bytes are an answer."""

import io
import struct
import tarfile

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes.archive import (
    EXPECTED_FILES,
    Archive,
    ArchiveLimits,
    read_archive,
)
from cis490_pipeline.episodes.episode import OpenFailure
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

# ---- what is fine


def test_expected_set_is_the_formats():
    assert sorted(EXPECTED_FILES) == [
        "done.marker",
        "events.jsonl",
        "labels.jsonl",
        "meta.json",
        "netflow.jsonl",
        "telemetry-guest.jsonl",
        "telemetry-proc.jsonl",
        "telemetry-qmp.jsonl",
    ]


@pytest.mark.parametrize("prefix", ["", "./", "01TEST/", "a/b/c/", "..a/", "a.../"])
@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_members_are_found_by_base_name(prefix, tar_format):
    archive = opened(build_tar(MEMBERS, prefix=prefix, tar_format=tar_format))
    assert archive == Archive(members=MEMBERS, has_pcap=False)


@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_long_names_are_read(tar_format):
    prefix = ("d" * 70 + "/") * (2 if tar_format == tarfile.USTAR_FORMAT else 5)
    assert opened(build_tar(MEMBERS, prefix=prefix, tar_format=tar_format)).members == MEMBERS


def test_pax_headers_of_every_member_are_fine():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, raw in MEMBERS.items():
            tar.addfile(info(name, size=len(raw), mtime=1.25, uname="ü" * 50), io.BytesIO(raw))
    assert opened(buffer.getvalue()).members == MEMBERS


def test_pcap_and_unknown_files_are_not_kept():
    tar = build_tar({**MEMBERS, "network.pcap": b"p" * 5000, "core.dump": b"c" * 5000})
    assert opened(tar) == Archive(members=MEMBERS, has_pcap=True)


def test_two_unknown_files_of_one_name_are_fine():
    tar = build_tar([*MEMBERS.items(), ("x/notes", b"1"), ("y/notes", b"2")])
    assert opened(tar).members == MEMBERS


def test_directories_are_fine():
    tar = with_extra(info("d", type=tarfile.DIRTYPE), info("meta.json/", type=tarfile.DIRTYPE))
    assert opened(tar).members == MEMBERS


def test_absent_members_are_the_gates_business():
    assert opened(build_tar({"done.marker": b""})).members == {"done.marker": b""}


def test_multi_frame_without_content_size_and_skippable_frames_are_fine():
    frames = [compress(TAR[i : i + 700], content_size=False) for i in range(0, len(TAR), 700)]
    skippable = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 5) + b"hello"
    blob = skippable + skippable.join(frames) + skippable
    assert read_archive(blob, LIMITS) == Archive(members=MEMBERS, has_pcap=False)


@pytest.mark.parametrize("level", [-5, 1, 19])
def test_checksummed_frames_of_any_level_are_fine(level):
    blob = zstandard.ZstdCompressor(level=level, write_checksum=True).compress(TAR)
    assert read_archive(blob, LIMITS) == Archive(members=MEMBERS, has_pcap=False)


def test_v7_and_old_gnu_headers_are_fine():
    tar = member(b"d/meta.json", b"{}", type_=b"\0", magic=bytes(8)) + member(
        b"done.marker", b"", magic=b"ustar  \0"
    )
    assert opened(tar + END).members == {"meta.json": b"{}", "done.marker": b""}


def test_gnu_header_has_no_path_prefix():
    block = bytearray(header(b"meta.json", 2, magic=b"ustar  \0"))
    block[345:356] = b"14735472530"  # GNU keeps the access time here
    tar = checksummed(block) + b"{}" + bytes(510) + END
    assert opened(tar).members == {"meta.json": b"{}"}


def test_signed_checksum_of_old_tars_is_accepted():
    block = bytearray(header("mäta.json".encode(), 0))
    signed = sum(b - 256 if b > 127 else b for b in block[:148] + block[156:]) + 256
    block[148:156] = b"%06o\0 " % signed
    assert opened(bytes(block) + END).members == {}


def test_base_256_size_is_read():
    block = bytearray(header(b"meta.json", 0))
    block[124:136] = b"\x80" + (2).to_bytes(11, "big")
    assert opened(checksummed(block) + b"{}" + bytes(510) + END).members == {"meta.json": b"{}"}


def test_pax_path_and_size_override_the_header():
    body = b"[1,2,3]"
    tar = pax({"path": "x/meta.json", "size": str(len(body))}) + header(b"other", 0)
    tar += body + bytes(512 - len(body)) + member(b"done.marker", b"") + END
    assert opened(tar).members == {"meta.json": body, "done.marker": b""}


def test_pax_path_hides_the_name_in_the_header():
    tar = pax({"path": "else"}) + member(b"meta.json", b"{}") + END
    assert opened(tar).members == {}


def test_global_pax_record_holds_until_overridden():
    tar = pax({"path": "done.marker"}, type_=b"g") + pax({"path": "meta.json"})
    tar += member(b"a", b"{}") + member(b"b", b"ok") + END
    assert opened(tar).members == {"meta.json": b"{}", "done.marker": b"ok"}


def test_trailing_data_behind_the_end_marker_is_ignored():
    assert opened(TAR + b"junk" * 100).members == MEMBERS


def test_one_zero_block_is_an_end_marker():
    tar = member(b"done.marker", b"") + bytes(512)
    assert opened(tar).members == {"done.marker": b""}


# ---- what is not an archive


@pytest.mark.parametrize(
    "blob",
    [b"", b"PK\3\4 something", b"\x28\xb5\x2f", b"\x28\xb5\x2f\xfd", TAR[:2000], b"\x1f\x8b" * 9],
)
def test_other_formats_are_no_zstd_stream(blob):
    assert failure(blob).kind == "ZstdError"


@pytest.mark.parametrize("junk", [b"x", b"junk junk junk", b"\x28\xb5\x2f", bytes(100)])
def test_junk_behind_the_last_frame_is_a_failure(junk):
    assert failure(compress(TAR) + junk).kind == "ZstdError"


@pytest.mark.parametrize("tar", [b"", b"hello", b"a" * 512, b"a" * 5000, bytes(100)])
def test_zstd_of_something_else_is_no_tar(tar):
    assert kind(tar) == "ReadError"


@pytest.mark.parametrize("tar", [bytes(512), bytes(10240)])
def test_empty_archive_is_a_failure(tar):
    assert failure(compress(tar)) == OpenFailure(kind="ReadError", message="empty archive")


def test_frame_cut_off_anywhere_is_a_failure():
    blob = compress(TAR, content_size=False) + compress(b"tail" * 50)
    first = len(compress(TAR, content_size=False))
    for cut in [*range(1, len(blob), 7), len(blob) - 1]:
        if cut != first:
            assert failure(blob[:cut]).kind == "ZstdError", cut


def test_cut_off_frame_says_so():
    assert "cut off" in failure(compress(TAR)[:-1]).message
    assert "cut off" in failure(compress(TAR)[:-20]).message


def test_cut_off_checksum_is_a_failure():
    blob = zstandard.ZstdCompressor(write_checksum=True).compress(TAR)
    assert all(failure(blob[:-n]).kind == "ZstdError" for n in range(1, 6))


def test_wrong_checksum_is_a_failure():
    blob = zstandard.ZstdCompressor(write_checksum=True).compress(TAR)
    assert failure(blob[:-1] + bytes([blob[-1] ^ 1])).kind == "ZstdError"


def test_tar_cut_off_anywhere_before_its_end_is_a_failure():
    content = len(TAR.rstrip(b"\0"))
    end = content + -content % 512
    for cut in [*range(0, end + 1, 211), end - 1, end, end + 511]:
        found = failure(compress(TAR[:cut]))
        assert found.kind == "ReadError", cut
        assert "cut off" in found.message


@pytest.mark.parametrize("position", [0, 100, 124, 148, 156, 257, 300, 511])
def test_changed_header_byte_is_found_by_its_checksum(position):
    broken = bytearray(TAR)
    broken[position] ^= 0x41
    assert kind(bytes(broken)) == "ReadError"


@pytest.mark.parametrize(
    "size", [b"0x000000012", b"00000000_12", b"-0000000001", b"+0000000001", b"9" * 11]
)
def test_size_that_is_no_octal_number_is_a_failure(size):
    block = bytearray(header(b"meta.json", 0))
    block[124 : 124 + len(size)] = size
    assert kind(checksummed(block) + END) == "ReadError"


def test_negative_base_256_size_is_a_failure():
    block = bytearray(header(b"meta.json", 0))
    block[124:136] = b"\xff" * 12
    assert kind(checksummed(block) + END) == "ReadError"


@pytest.mark.parametrize(
    "payload",
    [
        b"hello",
        b"6 a=\n",
        b"99 path=x\n",
        b"0 path=x\n",
        b"11 path=x",
        b"9 pathx\n",
        b"010 path=x\n",
        b"6 a=b!",
    ],
)
def test_damaged_pax_header_is_a_failure(payload):
    tar = member(b"P", payload, type_=b"x") + member(b"meta.json", b"{}") + END
    assert kind(tar) == "ReadError"


@pytest.mark.parametrize("size", ["-1", "1e3", "0x10", "", "²", "9" * 5000])
def test_pax_size_that_is_no_number(size):
    tar = pax({"size": size}) + member(b"meta.json", b"{}") + END
    if size == "":  # takes a global record back
        assert opened(tar).members == {"meta.json": b"{}"}
    else:
        assert kind(tar) == "ReadError"


@pytest.mark.parametrize("extension", [pax({"path": "x"}), member(b"L", b"name\0", type_=b"L")])
def test_extension_header_without_its_member_is_cut_off(extension):
    assert "cut off" in failure(compress(member(b"a", b"") + extension + END)).message


def test_file_that_is_named_like_a_directory_is_a_failure():
    assert kind(member(b"meta.json/", b"{}") + END) == "ReadError"


# ---- properties

CASES = settings(max_examples=300, deadline=None)
SMALL = ArchiveLimits(max_bytes=4 << 20)


def answered(blob):
    """No exception: a refusal with a reason, or members that the format names, within the limit."""
    found = read_archive(blob, SMALL)
    if isinstance(found, OpenFailure):
        assert found.kind
    else:
        assert set(found.members) <= set(EXPECTED_FILES)
        assert sum(map(len, found.members.values())) <= SMALL.max_bytes


@CASES
@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer(blob):
    assert isinstance(read_archive(blob, SMALL), OpenFailure)


@CASES
@given(st.lists(st.tuples(st.integers(0, len(TAR) - 1), st.integers(0, 255)), max_size=8))
def test_mutated_tar_is_an_answer(changes):
    mutated = bytearray(TAR)
    for position, value in changes:
        mutated[position] = value
    answered(compress(bytes(mutated)))


@CASES
@given(st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), min_size=1, max_size=6))
def test_header_with_a_valid_checksum_and_odd_fields_is_an_answer(changes):
    block = bytearray(TAR[:512])
    for position, value in changes:
        block[position] = value
    answered(compress(checksummed(block) + TAR[512:]))


@CASES
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=5), st.data())
def test_mutated_compressed_bytes_are_an_answer(changes, data):
    blob = bytearray(compress(TAR))
    for position, value in changes:
        blob[position % len(blob)] = value
    answered(bytes(blob[: data.draw(st.integers(0, len(blob)))]))


@CASES
@given(st.binary(max_size=200))
def test_any_pax_payload_is_an_answer(payload):
    answered(compress(member(b"P", payload, type_=b"x") + TAR))


NAMES = st.sampled_from([*sorted(EXPECTED_FILES), "network.pcap", "x/y", "other"])


@CASES
@given(
    st.dictionaries(NAMES, st.binary(max_size=1500), min_size=1),
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.integers(60, 4000),
)
def test_what_was_packed_comes_out(members, tar_format, frame):
    tar = build_tar(members, tar_format=tar_format)
    blob = b"".join(compress(tar[i : i + frame]) for i in range(0, len(tar), frame))
    archive = read_archive(blob, SMALL)
    assert archive == Archive(
        members={name: raw for name, raw in members.items() if name in EXPECTED_FILES},
        has_pcap="network.pcap" in members,
    )
