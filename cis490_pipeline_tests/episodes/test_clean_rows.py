"""The fast path over clean lines says what the strict reader says, of any line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes.clean_rows import read_lines
from cis490_pipeline.episodes.index import IndexEntry, read_line
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.episodes.tailing import row

SHA = "0123456789abcdef" * 4
VALUES = {
    "episode_id": st.sampled_from(
        [episode_id(1), episode_id(1).lower(), episode_id(1) + "\n" + episode_id(2), "", 7, None]
    ),
    "host_id": st.sampled_from(["lab-a", "a..b", "a\nb", ".a", "lab-é", "a" * 64, True, None]),
    "sha256": st.sampled_from([SHA, SHA.upper(), SHA[:-1], f"{SHA}\n{SHA}", [SHA], None]),
    "size_bytes": st.one_of(
        st.integers(-2, 1 << 70), st.floats(), st.sampled_from(["5", True, None, 10**400])
    ),
    "received_at_wall": st.one_of(
        st.text(max_size=8),
        st.datetimes().map(str),
        st.floats(),
        st.integers(),
        st.sampled_from(["2026-11-22T04:45:11.653Z", "2026-11-22\t04:45", "\ud800", 10**400, {}]),
    ),
    "note": st.text(max_size=5),
}
CLEAN = json.loads(row(1, received_at_wall="2026-11-22T04:45:11.653Z"))


def strictly(lines: list[bytes], *, offset: int) -> list[object]:
    findings: list[object] = []
    for number, raw in enumerate(lines, start=7):
        findings += read_line(raw, line=number, offset=offset, part=3)
        offset += len(raw) + 1
    return findings


def assert_equal_to_the_strict_reader(lines: list[bytes]) -> None:
    assert read_lines(lines, line=7, offset=100, part=3) == strictly(lines, offset=100)


@st.composite
def rows(draw: st.DrawFn) -> bytes:
    """A row with some keys changed, absent, twice, in another order, or with bytes damaged."""
    changed = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2))
    fields = [*CLEAN.items(), *((key, draw(VALUES[key])) for key in changed)]
    fields = draw(st.permutations(fields))[draw(st.integers(0, 1)) :]
    ascii_only = draw(st.booleans())
    parts = [f"{json.dumps(k)}:{json.dumps(v, ensure_ascii=ascii_only)}" for k, v in fields]
    raw = ("{" + ",".join(parts) + "}").encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(raw)))
        junk = draw(st.sampled_from([b"", b"\xff", b"\0", b"\t", b" ", b"0", b"}", b",", b"e3"]))
        raw = raw[:at] + junk + raw[at + draw(st.integers(0, 1)) :]
    return raw.replace(b"\n", b"") + draw(st.sampled_from([b"", b"\r", b" "]))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(rows(), min_size=1, max_size=6))
def test_rows_with_anything_wrong_are_read_as_the_strict_reader_does(lines):
    assert_equal_to_the_strict_reader([row(5), *lines, row(6)])


@pytest.mark.parametrize(
    "change",
    [
        (b'"size_bytes": 1', b'"size_bytes": 1.0'),
        (b'"size_bytes": 1', b'"size_bytes": 1e0'),
        (b'"size_bytes": 1', b'"size_bytes": -0'),
        (b'"size_bytes": 1', b'"size_bytes": 01'),
        (b'"size_bytes": 1', b'"size_bytes": 9223372036854775808'),
        (b'"size_bytes": 1', b'"size_bytes": 1, "received_at_wall": 1e999'),
        (b'"size_bytes": 1', b'"size_bytes": 1, "received_at_wall": NaN'),
        (b'"size_bytes": 1', b'"size_bytes": 1, "received_at_wall": "2026-11-22\t04:45"'),
        (b'"size_bytes": 1', b'"size_bytes": 1, "x": "\xff"'),
        (b'"size_bytes": 1', b'"size_bytes": 1, "\xff": 1'),
        (b'"lab-a"', b'"lab\\u002da"'),
        (b'"lab-a"', b'"lab-a\\u0000"'),
        (b'"host_id"', b'"ho\\u0073t_id"'),
        (b"{", b"\xef\xbb\xbf{"),
        (b"{", b"{} {"),
        (b"{", b"[{}]"),
    ],
)
def test_json_edge_cases_of_one_row(change):
    changed = row(1).replace(change[0], change[1], 1)
    assert changed != row(1)
    assert_equal_to_the_strict_reader([row(0), changed, row(2)])


def test_clean_rows_take_the_fast_path_alone(monkeypatch):
    monkeypatch.setattr("cis490_pipeline.episodes.clean_rows.read_line", None)
    lines = [row(n, received_at_wall=1795322711.5) for n in range(50)]
    found = read_lines(lines, line=1, offset=0, part=0)
    assert [one.size_bytes for one in found if isinstance(one, IndexEntry)] == list(range(50))


def test_ids_are_not_glued_together_by_a_newline():
    glued = row(1, episode_id=episode_id(1) + "\n" + episode_id(2))
    assert_equal_to_the_strict_reader([glued])
    assert_equal_to_the_strict_reader([row(1, sha256=f"{SHA}\n{SHA}"), row(2, host_id="a\nb")])
