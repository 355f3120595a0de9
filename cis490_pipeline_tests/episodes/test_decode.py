"""From members to an episode: meta, labels, events, and what makes an episode unopenable."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes.archive import EXPECTED_FILES, Archive, ArchiveLimits
from cis490_pipeline.episodes.decode import decode_episode, open_episode
from cis490_pipeline.episodes.episode import Episode, Label, OpenFailure
from cis490_pipeline.episodes.jsonl import MAX_OBJECT_BYTES, MAX_ROWS
from cis490_pipeline.schema.channels import Source
from cis490_pipeline_tests.episodes.building import (
    PHASES,
    T0_NS,
    build_episode,
    build_members,
    compress,
)

LIMITS = ArchiveLimits()


def episode(**knobs) -> Episode:
    opened = open_episode(build_episode(**{"seconds": 3, **knobs}), LIMITS)
    assert isinstance(opened, Episode), opened
    return opened


def failure(name: str, raw: bytes) -> OpenFailure:
    opened = open_episode(build_episode(seconds=3, replace={name: raw}), LIMITS)
    assert isinstance(opened, OpenFailure)
    return opened


def meta_of(raw: bytes):
    return episode(replace={"meta.json": raw}).meta


def labels_of(text: str) -> tuple[Label, ...]:
    return episode(replace={"labels.jsonl": text.encode()}).labels


def test_whole_episode_is_opened():
    opened = episode(pcap=True)
    assert opened.present == EXPECTED_FILES
    assert opened.has_pcap
    assert [label.phase for label in opened.labels] == list(PHASES)
    assert opened.labels[0] == Label(t_wall_ns=T0_NS, t_mono_ns=0, phase="clean", prev=None)
    assert {s: opened.telemetry[s].n_rows for s in Source} == {
        Source.PROC: 30, Source.GUEST: 6, Source.QMP: 6, Source.NETFLOW: 3,
    }  # fmt: skip


def test_meta_fields_are_read():
    meta = episode().meta
    assert (meta.schema_version, meta.profile, meta.sample_name, meta.sample_kind) == (
        1, "io-walk", "walker-a", "emulated",
    )  # fmt: skip
    assert meta.duration_observed_s == 3.0
    assert meta.declared_rows == {
        Source.PROC: 30,
        Source.GUEST: 6,
        Source.QMP: 6,
        Source.NETFLOW: 3,
    }
    assert meta.phases_observed == PHASES
    assert (meta.code_commit, meta.code_dirty) == ("c0ffee", False)


def test_empty_meta_object_has_nothing():
    meta = meta_of(b"{}")
    assert meta.schema_version is None
    assert (meta.profile, meta.duration_observed_s, meta.declared_rows) == (None, None, {})
    assert (meta.phases_observed, meta.code_commit, meta.code_dirty) == ((), None, None)


@pytest.mark.parametrize("wrong", [None, 5, "x", True, [1], [{}]])
def test_parts_of_meta_that_are_no_objects_are_absent(wrong):
    raw = {"schema_version": 1, "sample": wrong, "result": wrong, "code_version": wrong}
    meta = meta_of(json.dumps(raw).encode())
    assert (meta.profile, meta.declared_rows, meta.code_commit) == (None, {}, None)


def test_fields_of_another_type_are_none():
    raw = {
        "schema_version": {"a": 1},
        "sample": {"profile": 5, "name": None, "kind": ["x"]},
        "result": {
            "duration_observed_s": "61", "rows_proc": 5.0, "rows_guest": True, "rows_qmp": "7",
            "rows_netflow": None, "phases_observed": "clean",
        },
        "code_version": {"commit": 7, "dirty": 0},
    }  # fmt: skip
    meta = meta_of(json.dumps(raw).encode())
    assert meta.schema_version == '{"a":1}'
    assert (meta.profile, meta.sample_name, meta.sample_kind) == (None, None, None)
    assert (meta.duration_observed_s, meta.declared_rows, meta.phases_observed) == (None, {}, ())
    assert (meta.code_commit, meta.code_dirty) == (None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("61", 61.0), ("61.5", 61.5), ("1e999", None), ("true", None), ("9" * 400, None)],
)
def test_duration_is_a_finite_number_or_none(text, seconds):
    assert (
        meta_of(f'{{"result":{{"duration_observed_s":{text}}}}}'.encode()).duration_observed_s
        == seconds
    )


@pytest.mark.parametrize(
    "raw",
    [b"", b" ", b"[", b"[]", b"null", b"5", b'"x"', b"{},", b"{}{}", b'{"a":NaN}', b'{"a":"\xff"}',
     b"\xef\xbb\xbf{}", b'{"a":' * 100_000, b'{"a":1,}'],
)  # fmt: skip
def test_meta_that_is_no_object_cannot_be_opened(raw):
    found = failure("meta.json", raw)
    assert found.message.startswith("meta.json: ")
    assert found.kind in {"JSONDecodeError", "UnicodeDecodeError", "TypeError", "RecursionError"}


def test_meta_may_span_lines_and_end_in_blank_ones():
    assert meta_of(b'{\r\n"schema_version":\n1}\r\n\n').schema_version == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("events.jsonl", b"[]"),
        ("events.jsonl", b"{}{}"),
        ("events.jsonl", b"\xff"),
        ("events.jsonl", b'{"a":Infinity}'),
        ("labels.jsonl", b"{"),
        ("labels.jsonl", b""),
        ("netflow.jsonl", b"7"),
        ("telemetry-qmp.jsonl", b'{"t_wall_ns":1}x'),
    ],
)
def test_line_that_is_not_one_object_cannot_be_opened(name, line):
    good = b'{"t_wall_ns":1,"t_mono_ns":0,"phase":"clean","prev":null}\n'
    assert failure(name, good + line + b"\n" + good).message.startswith(f"{name} line 2: ")


@pytest.mark.parametrize("name", sorted(EXPECTED_FILES - {"meta.json", "done.marker"}))
def test_crlf_and_trailing_blank_lines_are_fine_everywhere(name):
    raw = build_members(seconds=3)[name]
    changed = episode(replace={name: raw.replace(b"\n", b"\r\n") + b"\r\n\n"})
    assert changed.labels == episode().labels
    assert changed.telemetry[Source.PROC].n_rows == 30


@pytest.mark.parametrize("name", sorted(EXPECTED_FILES - {"meta.json", "done.marker"}))
def test_empty_file_is_fine_everywhere(name):
    assert name in episode(replace={name: b""}).present


def test_absent_files_give_an_episode_without_them():
    opened = decode_episode(Archive(members={}, has_pcap=False))
    assert (opened.present, opened.meta, opened.labels) == (frozenset(), None, ())
    assert [opened.telemetry[s].n_rows for s in Source] == [0, 0, 0, 0]


@pytest.mark.parametrize("t", ["1.0", "1e3", "null", '"1"', "true", str(2**63)])
def test_label_needs_an_integer_wall_time(t):
    found = failure("labels.jsonl", f'{{"t_wall_ns":{t},"phase":"clean"}}'.encode())
    assert found.message == "labels.jsonl line 1: t_wall_ns is not a 64-bit integer"


@pytest.mark.parametrize("t", ["1.0", "null", '"1"', "true", "[]", "1e999"])
def test_label_without_integer_mono_time_has_none(t):
    assert labels_of(f'{{"t_wall_ns":1,"t_mono_ns":{t}}}')[0].t_mono_ns is None


def test_label_keeps_scalars_and_quotes_nested_values():
    (label,) = labels_of('{"t_wall_ns":1,"phase":7,"prev":{"a":[1]}}')
    assert (label.phase, label.prev) == (7, '{"a":[1]}')
    (label,) = labels_of('{"t_wall_ns":1}')
    assert (label.phase, label.prev) == (None, None)


def test_archive_failure_is_handed_on():
    assert open_episode(b"junk", LIMITS).kind == "ZstdError"


MEMBER = st.sampled_from(sorted(EXPECTED_FILES - {"done.marker"}))


@settings(max_examples=250, deadline=None)
@given(MEMBER, st.integers(0, 10**6), st.binary(max_size=3), st.integers(0, 3))
def test_damaged_member_is_an_episode_or_a_failure(name, position, junk, gone):
    members = build_members(seconds=1)
    raw = members[name]
    position %= len(raw)
    members[name] = raw[:position] + junk + raw[position + gone :]
    opened = decode_episode(Archive(members=members, has_pcap=False))
    if isinstance(opened, OpenFailure):
        assert opened.message.startswith(name)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_zstd_content_is_an_answer(raw):
    assert isinstance(open_episode(compress(raw), LIMITS), OpenFailure)


@pytest.mark.parametrize("name", ["events.jsonl", "labels.jsonl", "telemetry-qmp.jsonl"])
def test_more_rows_than_a_day_has_are_refused_before_they_are_decoded(name: str):
    """``{}`` a million times is 3 MB, and 45 times that once decoded."""
    found = failure(name, b"{}\n" * (MAX_ROWS + 1))
    assert (found.kind, found.message) == ("LimitExceeded", f"{name}: more than {MAX_ROWS} rows")


@pytest.mark.parametrize("name", ["events.jsonl", "meta.json"])
def test_a_huge_object_is_refused_before_it_is_decoded(name: str):
    found = failure(name, b'{"a":[' + b"{}," * (MAX_OBJECT_BYTES // 3) + b"{}]}")
    assert found.kind == "LimitExceeded"


def test_blank_lines_at_the_end_are_not_counted_as_rows():
    opened = episode(replace={"events.jsonl": b"{}\n" + b"\n" * (2 * MAX_ROWS + 1)})
    assert opened.labels
