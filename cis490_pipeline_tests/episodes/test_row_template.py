"""Rows that look like an earlier one are read without parsing, and never read differently."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes import telemetry_rows
from cis490_pipeline.episodes.episode import Telemetry
from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.row_template import learn_template
from cis490_pipeline.episodes.telemetry_rows import decode_rows, decode_strictly
from cis490_pipeline.schema.channels import Source, channels_of
from cis490_pipeline_tests.episodes.building import jsonl
from cis490_pipeline_tests.episodes.building import telemetry_rows as nominal_rows

COLUMNS = {channel.name.encode(): c for c, channel in enumerate(channels_of(Source.GUEST))}
LOAD1, CTXT = COLUMNS[b"load1"], COLUMNS[b"ctxt"]


@pytest.fixture
def parsed_lines(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Lines that went to the strict parser; no template is known at first."""
    lines: list[bytes] = []
    parse = telemetry_rows.parse_object
    monkeypatch.setattr(telemetry_rows, "_latest", {})
    monkeypatch.setattr(
        telemetry_rows, "parse_object", lambda line: (lines.append(line), parse(line))[1]
    )
    return lines


def outcome(decode: Callable[[Source, bytes], Telemetry], raw: bytes) -> object:
    try:
        telemetry = decode(Source.GUEST, raw)
    except Refused as refused:
        return refused.failure
    return telemetry.t_wall_ns.tolist(), telemetry.values.tobytes()


def same(raw: bytes, source: Source = Source.GUEST) -> None:
    strict, scanned = decode_strictly(source, raw), decode_rows(source, raw)
    np.testing.assert_array_equal(scanned.t_wall_ns, strict.t_wall_ns)
    # bit for bit: minus zero is not zero here
    assert scanned.values.tobytes() == strict.values.tobytes()


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_nominal_rows_are_not_parsed_one_by_one(source, newline, parsed_lines):
    rows = nominal_rows(source, seconds=60)
    extra = {"state": "S", "nested": {"a": [1, None], "b": True}, "é": "é"}
    raw = jsonl([{**row, **extra} for row in rows]).replace(b"\n", newline)
    decode_rows(source, raw)
    assert len(parsed_lines) <= 3  # the first one, and what has too few bytes behind it
    same(raw, source)


def test_the_next_file_of_the_source_begins_with_the_template_of_the_last(parsed_lines):
    raw = jsonl(nominal_rows(Source.QMP, seconds=60))
    decode_rows(Source.QMP, raw)
    parsed_lines.clear()
    decode_rows(Source.QMP, raw)
    assert len(parsed_lines) == 1


def test_unwanted_scalars_may_change_their_type(parsed_lines):
    texts = [
        "1",
        '"S"',
        "null",
        "true",
        "false",
        "-1.5e-7",
        "12345678901234567890123",
        '"\\"\\u00e9\\n"',
    ]
    raw = b"".join(
        b'{"t_wall_ns":%d,"x":%s,"ctxt":%d}\n' % (10**18 + i, texts[i % 8].encode(), i)
        for i in range(80)
    )
    decode_rows(Source.GUEST, raw)
    assert len(parsed_lines) <= 3
    same(raw)


def test_a_new_shape_in_mid_file_is_learned(parsed_lines):
    old = b"".join(b'{"t_wall_ns":%d,"ctxt":%d}\n' % (10**18 + i, i) for i in range(200))
    new = b"".join(b'{"ctxt":%d,"t_wall_ns":%d}\n' % (i, 10**18 + i) for i in range(200))
    decode_rows(Source.GUEST, old + new)
    assert len(parsed_lines) <= 6
    same(old + new)


def test_a_row_without_a_key_costs_one_parse_and_misses_the_value(parsed_lines):
    lines = [b'{"t_wall_ns":%d,"ctxt":%d,"load1":0.5}\n' % (10**18 + i, i) for i in range(200)]
    lines[100] = b'{"t_wall_ns":%d,"load1":0.5}\n' % (10**18 + 100)
    values = decode_rows(Source.GUEST, b"".join(lines)).values
    assert len(parsed_lines) <= 4
    assert np.flatnonzero(np.isnan(values[:, CTXT])).tolist() == [100]


def test_rows_of_no_common_shape_are_all_parsed():
    raw = b"".join(b'{"k%d":1,"t_wall_ns":%d,"ctxt":%d}\n' % (i, 10**18 + i, i) for i in range(100))
    same(raw)


@pytest.mark.parametrize(
    "line",
    [b'{"t_wall_ns":1,"ctxt":2,"ct\\u0078t":3}', b'{"t_wall_ns":1,"x":2,"x":3}',
     b'{"t_wall_ns":1,"ctxt":"2"}', b'{"t_wall_ns":1,"ctxt":true}'],
)  # fmt: skip
def test_a_row_that_must_not_serve_as_template_does_not(line):
    assert learn_template(line, COLUMNS) is None


NUMBERS = [
    "0", "-0", "7", "-7", "10", "99999999", "100000000", "1234567890123456", "9007199254740993",
    "9223372036854775807", "9223372036854775808", "9999999999999999999", "10000000000000000000",
    "0.0", "-0.0", "0.1", "-0.25", "3.14159", "0.30000000000000004", "900719925474099.2",
    "9007199254740993.5", "0.000000000000000001", "0.0000000000000000001", "123456789.123456789",
    "1e5", "1E-5", "1.5e300", "1e999", "null", "true", '"x"', "[1]", "{}",
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_every_form_of_number_is_what_the_strict_parser_says(number):
    first = b'{"t_wall_ns":1000000000000000000,"load1":1,"ctxt":2}\n'
    odd = b'{"t_wall_ns":1000000000000000001,"load1":%s,"ctxt":3}\n' % number.encode()
    same(first * 3 + odd + first * 3)


@pytest.mark.parametrize("bad", ["01", "-", "1.", ".5", "+1", "1e", "--1", "0x1", "1_0", "", "nul"])
def test_what_is_no_number_is_refused_by_name_and_line(bad):
    first = b'{"t_wall_ns":1000000000000000000,"load1":1,"x":2}\n'
    for key in (b"load1", b"x"):
        odd = first.replace(b'"%s":' % key, b'"%s":%s!' % (key, bad.encode()))
        odd = re.sub(rb"!\d", b"", odd)
        with pytest.raises(Refused) as caught:
            decode_rows(Source.GUEST, first * 5 + odd + first * 5)
        assert caught.value.failure.message.startswith("telemetry-guest.jsonl line 6: ")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(NUMBERS), min_size=6, max_size=30),
    st.integers(0, 2**32),
    st.binary(max_size=2),
)
def test_a_file_damaged_anywhere_is_read_as_strictly_as_before(numbers, where, put):
    raw = b"".join(
        b'{"t_wall_ns":%d,"load1":%s,"s":"S","ctxt":%d}\n' % (10**18 + i, n.encode(), i)
        for i, n in enumerate(numbers)
    )
    position = where % len(raw)
    raw = raw[:position] + put + raw[position + where % 3 :]
    assert outcome(decode_rows, raw) == outcome(decode_strictly, raw)


@pytest.mark.parametrize("text", [r"\q", r"\u12", r"\u12G4", "\\", r"\ud8", "\x7f", "\x01", "é"])
def test_a_string_that_is_odd_is_left_to_the_strict_parser(text):
    first = b'{"t_wall_ns":1000000000000000000,"s":"S","ctxt":2}\n'
    raw = first * 5 + first.replace(b"S", text.encode()) + first * 5
    assert outcome(decode_rows, raw) == outcome(decode_strictly, raw)
