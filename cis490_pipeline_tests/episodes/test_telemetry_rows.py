"""Telemetry rows: JSON edge cases, and the fast decoder against the strict one."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.telemetry_rows import decode_rows, decode_strictly
from cis490_pipeline.schema.channels import Source, channels_of
from cis490_pipeline_tests.episodes.building import jsonl, telemetry_rows
from cis490_pipeline_tests.episodes.test_row_template import outcome

GUEST = [channel.name for channel in channels_of(Source.GUEST)]


def decode(raw: bytes, source: Source = Source.GUEST):
    return decode_rows(source, raw)


def refusal(raw: bytes) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        decode(raw)
    return caught.value.failure.kind, caught.value.failure.message


def row(text: str = "", t: str = "5") -> bytes:
    return f'{{"t_wall_ns":{t}{text}}}\n'.encode()


def load1(raw: bytes) -> float:
    return decode(raw).values[0, GUEST.index("load1")]


@pytest.mark.parametrize("source", list(Source))
def test_values_stand_in_the_order_of_the_channel_table(source):
    rows = telemetry_rows(source, seconds=20)
    telemetry = decode(jsonl(rows), source)
    names = [channel.name for channel in channels_of(source)]
    assert telemetry.t_wall_ns.dtype == np.int64
    assert telemetry.values.dtype == np.float64
    assert telemetry.t_wall_ns.tolist() == [r["t_wall_ns"] for r in rows]
    assert telemetry.values.tolist() == [[r[name] for name in names] for r in rows]


@pytest.mark.parametrize("raw", [b"", b"\n", b" \r\n\n"])
def test_empty_file_has_no_rows(raw):
    telemetry = decode(raw)
    assert telemetry.n_rows == 0
    assert telemetry.values.shape == (0, len(GUEST))


def test_times_keep_all_19_digits():
    assert decode(row(t="1795322672704617147")).t_wall_ns.tolist() == [1795322672704617147]


@pytest.mark.parametrize(
    "value",
    ["null", '"5"', '"NaN"', "true", "false", "[]", "[5]", "{}", '{"a":1}', "1e999", "-1e999",
     "9" * 400, "-" + "9" * 400, "9" * 5000, "[" * 50 + "]" * 50],
)  # fmt: skip
def test_unusable_value_is_missing_and_nothing_worse(value):
    raw = row(',"load1":0.5,"ctxt":7') + row(f',"load1":{value},"ctxt":8')
    telemetry = decode(raw)
    assert np.isnan(telemetry.values[1, GUEST.index("load1")])
    assert telemetry.values[:, GUEST.index("ctxt")].tolist() == [7, 8]
    assert telemetry.values[0, GUEST.index("load1")] == 0.5


def test_absent_channel_is_missing():
    assert np.isnan(decode(row()).values).all()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0), ("-0", 0.0), ("1.5e3", 1500.0), ("1E+2", 100.0), ("1e-400", 0.0),
        ("9007199254740993", 9007199254740992.0), ("18446744073709551616", 2.0**64),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("0.30000000000000004", 0.30000000000000004), ("1e308", 1e308),
        ("9" * 300, float("9" * 300)),
    ],
)  # fmt: skip
def test_number_is_its_nearest_float64(text, value):
    assert load1(row(f',"load1":{text}')) == value


def test_of_duplicate_keys_the_last_counts():
    assert load1(row(',"load1":1,"load1":2')) == 2
    assert load1(row(',"load1":"x","load1":2')) == 2
    assert np.isnan(load1(row(',"load1":1,"load1":null')))
    assert decode(row(',"t_wall_ns":6', t='"x"')).t_wall_ns.tolist() == [6]


def test_escaped_key_is_the_key():
    assert load1(b'{"t_wall_n\\u0073":5,"lo\\u0061d1":3}') == 3


@pytest.mark.parametrize(
    "t",
    ["1.0", "1e3", "1.5", '"5"', "true", "null", "[]", "{}", "9223372036854775808",
     "-9223372036854775809", "18446744073709551616", "9" * 5000, "1e999"],
)  # fmt: skip
@pytest.mark.parametrize("first", ["5", "1795322672704617147"])
def test_time_that_is_no_64_bit_integer_fails(first, t):
    raw = row(t=first) + row(t=t)
    _, message = refusal(raw)
    assert message == "telemetry-guest.jsonl line 2: t_wall_ns is not a 64-bit integer"


def test_absent_time_fails():
    assert refusal(row() + b'{"load1":1}\n')[0] == "KeyError"


def test_extreme_times_are_read():
    raw = row(t="9223372036854775807") + row(t="-9223372036854775808") + row(t="-0")
    assert decode(raw).t_wall_ns.tolist() == [2**63 - 1, -(2**63), 0]


BAD_LINES = {
    "two objects": b'{"t_wall_ns":1}{"t_wall_ns":2}',
    "two objects apart": b'{"t_wall_ns":1} {"t_wall_ns":2}',
    "carriage return between": b'{"t_wall_ns":1}\r{"t_wall_ns":2}',
    "over two lines": b'{"t_wall_ns":\n1}',
    "over two lines, two on one": b'{"t_wall_ns":\n1}{"t_wall_ns":2}',
    "comma": b'{"t_wall_ns":1,}',
    "nan": b'{"t_wall_ns":1,"load1":NaN}',
    "infinity": b'{"t_wall_ns":1,"x":-Infinity}',
    "nan nested": b'{"t_wall_ns":1,"x":[NaN]}',
    "utf-8 in a value": b'{"t_wall_ns":1,"x":"\xff"}',
    "utf-8 in a key": b'{"t_wall_ns":1,"\xc3":1}',
    "utf-8 overlong": b'{"t_wall_ns":1,"x":"\xc0\xaf"}',
    "utf-8 surrogate": b'{"t_wall_ns":1,"x":"\xed\xa0\x80"}',
    "byte order mark": b'\xef\xbb\xbf{"t_wall_ns":1}',
    "utf-16": '{"t_wall_ns":1}'.encode("utf-16-le"),
    "control character": b'{"t_wall_ns":1,"x":"a\x01"}',
    "nul": b'{"t_wall_ns":1}\0',
    "array": b"[1]",
    "number": b"5",
    "null": b"null",
    "cut off": b'{"t_wall_ns":1',
    "nothing": b"{",
    "leading zero": b'{"t_wall_ns":01}',
    "plus": b'{"t_wall_ns":+1}',
    "bare point": b'{"t_wall_ns":1,"load1":1.}',
    "single quotes": b"{'t_wall_ns':1}",
    "comment": b'{"t_wall_ns":1}//',
    "vertical tab": b'{"t_wall_ns":1}\x0b',
    "bad escape": b'{"t_wall_ns":1,"x":"\\q"}',
    "blank": b"",
    "white": b"  \t",
    "deep": b'{"t_wall_ns":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES.keys())
@pytest.mark.parametrize("where", ["first", "inside"])
def test_line_that_is_not_one_object_fails(bad, where):
    raw = row() if where == "inside" else b""
    assert refusal(raw + bad + b"\n" + row())[0] in {
        "JSONDecodeError",
        "UnicodeDecodeError",
        "TypeError",
        "RecursionError",
    }


def test_unpaired_surrogate_escape_is_json():
    assert load1(row(',"x":"\\ud800","load1":4')) == 4


def test_unordered_and_spaced_keys_are_fine():
    assert load1(b'  { "load1" : 4 , "t_wall_ns" : 5 }  \n') == 4


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 1.0])
@pytest.mark.parametrize("n_rows", [1, 15, 16, 400])
def test_nulls_at_random_places_are_missing_in_files_of_any_length(share, n_rows):
    generator = np.random.default_rng(n_rows)
    names = [channel.name for channel in channels_of(Source.QMP)]
    values = generator.integers(0, 10**9, (n_rows, len(names))).astype(float)
    values[generator.random(values.shape) < share] = np.nan
    rows = [
        {"t_wall_ns": 10**18 + i, "note": "null"}
        | {name: None if np.isnan(v) else v for name, v in zip(names, line, strict=True)}
        for i, line in enumerate(values.tolist())
    ]
    telemetry = decode_rows(Source.QMP, jsonl(rows))
    np.testing.assert_array_equal(telemetry.values, values)
    assert telemetry.t_wall_ns.tolist() == [row["t_wall_ns"] for row in rows]


def test_file_of_more_than_65535_rows_is_read_whole():
    raw = b"".join(b'{"t_wall_ns":%d,"load1":%d}\n' % (10**18 + i, i) for i in range(66_000))
    telemetry = decode_rows(Source.GUEST, raw)
    assert telemetry.values[:, GUEST.index("load1")].tolist() == list(range(66_000))
    assert telemetry.t_wall_ns[-1] == 10**18 + 65_999


# ---- fast against strict

CASES = settings(max_examples=400, deadline=None)
VALUE = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["null", "true", '"5"', "1e999", "[1]", '{"a":{}}', "-0", "0.0", "1E5", "NaN", "1.", "01",
         '"\\u00e9é"', '"}\\n{"', "[{},{}]", "9" * 350, "18446744073709551615", '"\\ud800"', ""]
    ),
)  # fmt: skip
KEY = st.sampled_from(
    ["t_wall_ns", "t_mono_ns", "load1", "ctxt", "forks", "net_rx_bytes", "state", "é"]
)
TIME = st.one_of(
    st.integers(1_795_000_000_000_000_000, 1_796_000_000_000_000_000).map(str),
    st.integers(0, 10**9).map(str),
)


@st.composite
def lines(draw) -> bytes:
    pairs = [("t_wall_ns", draw(TIME)), *draw(st.lists(st.tuples(KEY, VALUE), max_size=4))]
    if draw(st.integers(0, 15)) == 0:
        pairs = pairs[1:]
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")]))
    text = "{" + comma.join(f'"{key}"{colon}{value}' for key, value in pairs) + "}"
    return text.encode()


@st.composite
def files(draw) -> bytes:
    ends = st.sampled_from([b"\n"] * 12 + [b"\r\n", b"\n\n", b"", b" \n", b"\n "])
    raw = b"".join(
        part for line in draw(st.lists(lines(), max_size=6)) for part in (line, draw(ends))
    )
    if raw and draw(st.integers(0, 3)) == 0:
        position = draw(st.integers(0, len(raw) - 1))
        replacement = draw(
            st.sampled_from([b"", b"\n", b"}", b"{", b"\xff", b'"', b"\0", b",", b"7"])
        )
        raw = raw[:position] + replacement + raw[position + draw(st.integers(0, 1)) :]
    return raw


@CASES
@given(files())
def test_scanning_agrees_with_strict_parsing(raw):
    assert outcome(decode_rows, raw) == outcome(decode_strictly, raw)


def plain_reading(raw: bytes):
    """What the format says, written down a third time with nothing but ``json`` per line."""
    body = raw.rstrip(b" \t\r\n")
    parsed = [json.loads(line.decode()) for line in body.split(b"\n")] if body else []
    for one in parsed:
        if not isinstance(one, dict) or type(one.get("t_wall_ns")) is not int:
            raise ValueError
        if not -(2**63) <= one["t_wall_ns"] < 2**63:
            raise ValueError
    return parsed


@CASES
@given(files())
def test_decoding_agrees_with_plain_json(raw):
    try:
        expected = plain_reading(raw)
    except ValueError:
        expected = None
    if expected is not None and "NaN" in raw.decode():
        expected = None
    if expected is None:
        refusal(raw)
        return
    telemetry = decode(raw)
    assert telemetry.t_wall_ns.tolist() == [one["t_wall_ns"] for one in expected]
    for name in ("load1", "ctxt", "forks"):
        column = telemetry.values[:, GUEST.index(name)]
        for value, one in zip(column, expected, strict=True):
            assert _agrees(value, one.get(name))


def _agrees(value: float, stands: object) -> bool:
    if type(stands) not in (int, float) or abs(stands) > 1.7976931348623157e308:
        return bool(np.isnan(value))
    return value == float(stands)
