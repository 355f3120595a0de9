"""The gate: every status, every reason, their order and their text."""

import hashlib
import json

import pytest

from cis490_pipeline.episodes.archive import EXPECTED_FILES, ArchiveLimits
from cis490_pipeline.episodes.decode import open_episode
from cis490_pipeline.episodes.episode import Episode, OpenFailure
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.schema.channels import Source
from cis490_pipeline.validation.gate import (
    Reason,
    ReasonCode,
    Status,
    Verdict,
    judge,
    judge_missing,
    judge_unreadable,
)
from cis490_pipeline_tests.episodes.building import (
    build_episode,
    episode_id,
    index_row,
    jsonl,
    label_rows,
)
from cis490_pipeline_tests.episodes.reading import read_index

LIMITS = ArchiveLimits()


def entry_of(blob: bytes, **changes) -> IndexEntry:
    return read_index(jsonl([index_row("lab-a", episode_id(0), blob, **changes)])).entries[0]


def judge_blob(blob: bytes, **changes) -> Verdict:
    entry = entry_of(blob, **changes)
    return judge(entry, hashlib.sha256(blob).hexdigest(), len(blob), open_episode(blob, LIMITS))


def judged(**knobs) -> Verdict:
    return judge_blob(build_episode(**{"seconds": 4, **knobs}))


def reasons(verdict: Verdict) -> list[str]:
    return [reason.render() for reason in verdict.reasons]


def soft(verdict: Verdict) -> list[str]:
    return [reason.render() for reason in verdict.soft_reasons]


def rejected(**knobs) -> list[str]:
    verdict = judged(**knobs)
    assert verdict.status is Status.REJECTED
    assert not verdict.trains
    return reasons(verdict)


def with_first_label(**changes) -> list[dict]:
    first, *rest = label_rows(seconds=4)
    return [{**first, **changes}, *rest]


# ---- statuses


def test_whole_episode_is_accepted():
    verdict = judged()
    assert verdict == Verdict(status=Status.ACCEPTED)
    assert verdict.trains


def test_episode_without_netflow_is_degraded():
    verdict = judged(drop=["netflow.jsonl"])
    assert (verdict.status, reasons(verdict), soft(verdict)) == (
        Status.DEGRADED, [], ["missing-files:netflow.jsonl"],
    )  # fmt: skip
    assert verdict.trains


def test_soft_reason_stays_beside_a_hard_one():
    verdict = judged(drop=["netflow.jsonl", "done.marker"])
    assert verdict.status is Status.REJECTED
    assert soft(verdict) == ["missing-files:netflow.jsonl"]


def test_missing_tarball():
    verdict = judge_missing()
    assert (verdict.status, reasons(verdict), verdict.trains) == (
        Status.MISSING, ["tarball-not-on-disk"], False,
    )  # fmt: skip


@pytest.mark.parametrize("error", [PermissionError(13, "x"), OSError(5, "io"), TimeoutError()])
def test_unreadable_tarball_names_the_exception(error):
    verdict = judge_unreadable(error)
    assert verdict.status is Status.ERROR
    assert reasons(verdict) == [f"hash-failed:{type(error).__name__}"]


def test_unopenable_tarball_is_error():
    verdict = judge_blob(build_episode(replace={"meta.json": b"[]"}))
    assert verdict.status is Status.ERROR
    assert reasons(verdict) == ["open-failed:TypeError:meta.json: not a JSON object but an array"]


def test_unopenable_tarball_is_error_even_where_hash_and_size_are_wrong():
    verdict = judge_blob(b"junk", sha256="0" * 64, size_bytes=7)
    assert verdict.status is Status.ERROR
    assert reasons(verdict) == [
        "open-failed:ZstdError:not a zstd frame at byte 0", "sha-mismatch", "size-mismatch",
    ]  # fmt: skip


def test_message_of_a_failure_is_kept_short_and_storable():
    opened = OpenFailure(kind="JSONDecodeError", message="\ud800\0" + "x" * 5000)
    (reason,) = judge(entry_of(b""), hashlib.sha256().hexdigest(), 0, opened).reasons
    assert len(reason.render()) < 500
    assert reason.render().startswith("open-failed:JSONDecodeError:\\ud800\\x00xxx")
    reason.render().encode()


# ---- reasons to reject


def test_wrong_hash_and_size_are_both_reasons():
    blob = build_episode(seconds=1)
    assert reasons(judge_blob(blob, sha256="0" * 64)) == ["sha-mismatch"]
    assert reasons(judge_blob(blob, size_bytes=1)) == ["size-mismatch"]
    both = judge_blob(blob, sha256="0" * 64, size_bytes=1)
    assert (both.status, reasons(both)) == (Status.REJECTED, ["sha-mismatch", "size-mismatch"])


@pytest.mark.parametrize(
    "name", ["events.jsonl", "telemetry-proc.jsonl", "telemetry-guest.jsonl", "telemetry-qmp.jsonl"]
)
def test_expected_file_that_is_absent_is_a_hard_reason(name):
    assert rejected(drop=[name]) == [f"missing-files:{name}"]


def test_absent_files_are_listed_sorted():
    found = rejected(drop=["telemetry-qmp.jsonl", "events.jsonl", "telemetry-guest.jsonl"])
    assert found == ["missing-files:events.jsonl,telemetry-guest.jsonl,telemetry-qmp.jsonl"]


def test_absent_meta_has_no_schema_version():
    assert rejected(drop=["meta.json"]) == ["missing-files:meta.json", "schema-version:null"]


def test_absent_labels_are_empty_labels():
    assert rejected(drop=["labels.jsonl"]) == ["missing-files:labels.jsonl", "labels-empty"]


def test_absent_done_marker_is_two_reasons():
    assert rejected(drop=["done.marker"]) == ["missing-files:done.marker", "done-marker-missing"]


def test_absent_pcap_is_no_reason():
    assert judged(pcap=True) == judged(pcap=False)


@pytest.mark.parametrize(
    ("version", "text"),
    [(2, "2"), (0, "0"), (None, "null"), ("1", "1"), (True, "true"), (False, "false"), (1.0, "1.0"),
     (1.5, "1.5"), ([1], "[1]"), ({}, "{}"), ("\ud800", "\\ud800"), (2**80, str(2**80))],
)  # fmt: skip
def test_other_schema_version(version, text):
    assert rejected(meta={"schema_version": version}) == [f"schema-version:{text}"]


def test_absent_schema_version_is_null():
    assert "schema-version:null" in rejected(replace={"meta.json": b"{}"})


@pytest.mark.parametrize("raw", [b"", b"\n\n"])
def test_empty_labels_do_not_add_a_mismatch_of_phases(raw):
    assert rejected(replace={"labels.jsonl": raw}) == ["labels-empty"]


@pytest.mark.parametrize(
    ("phase", "text"),
    [("armed", "armed"), (None, "null"), (7, "7"), (True, "true"), ("", ""), ({"a": 1}, '{"a":1}')],
)
def test_first_phase_must_be_clean(phase, text):
    assert rejected(labels=with_first_label(phase=phase)) == [f"first-phase:{text}"]


@pytest.mark.parametrize(
    ("prev", "text"),
    [("clean", "clean"), ("", ""), (0, "0"), (False, "false"), ([], "[]"), ({}, "{}")],
)
def test_first_prev_must_be_null(prev, text):
    assert rejected(labels=with_first_label(prev=prev)) == [f"first-prev:{text}"]


def test_absent_first_prev_is_null():
    first, *rest = label_rows(seconds=4)
    del first["prev"]
    assert judged(labels=[first, *rest]).status is Status.ACCEPTED


def test_absent_first_phase_is_null():
    first, *rest = label_rows(seconds=4)
    del first["phase"]
    assert "first-phase:null" in rejected(labels=[first, *rest])


def times(*values) -> list[dict]:
    return [{**row, "t_mono_ns": t} for row, t in zip(label_rows(), values, strict=False)]


@pytest.mark.parametrize("values", [(0, 0, 0), (-5, 0, 1), (1, 2**70, 2**70), (7,)])
def test_mono_time_that_never_decreases_is_fine(values):
    assert judged(labels=times(*values)).status is Status.ACCEPTED


@pytest.mark.parametrize(
    "values",
    [(0, 2, 1), (0, None, 1), (None,), (0, 1.0, 2), (0, "1", 2), (0, True, 2), (0, [1], 2)],
)
def test_mono_time_that_decreases_or_is_no_integer(values):
    assert rejected(labels=times(*values)) == ["labels-not-monotonic"]


def test_absent_mono_time_is_not_monotonic():
    rows = label_rows(seconds=4)
    del rows[2]["t_mono_ns"]
    assert rejected(labels=rows) == ["labels-not-monotonic"]


@pytest.mark.parametrize("declared", [[], None, "clean", {}])
def test_phases_that_are_not_declared_are_not_compared(declared):
    assert judged(result={"phases_observed": declared}).status is Status.ACCEPTED


@pytest.mark.parametrize(
    "declared",
    [["clean"], ["armed", "clean", "infecting", "infected_running", "dormant"], [None] * 5,
     ["clean", "armed", "infecting", "infected_running", "dormant", "dormant"]],
)  # fmt: skip
def test_other_phases_than_declared(declared):
    assert rejected(result={"phases_observed": declared}) == ["phases-meta-mismatch"]


def test_true_is_not_the_phase_1():
    rows = label_rows(["clean", "x"], seconds=4)
    rows[1]["phase"] = 1
    assert rejected(labels=rows, result={"phases_observed": ["clean", True]}) == [
        "phases-meta-mismatch"
    ]


def test_phase_that_is_no_class_is_accepted():
    assert judged(phases=["clean", "failed", "something"]).status is Status.ACCEPTED


ACTUAL = {Source.PROC: 40, Source.GUEST: 8, Source.QMP: 8, Source.NETFLOW: 4}


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("declared", [0, -1, 1000, 2**70])
def test_other_row_count_than_declared(source, declared):
    name = source.value
    found = rejected(result={f"rows_{name}": declared})
    assert found == [f"rows-{name}-mismatch:{ACTUAL[source]}!={declared}"]


@pytest.mark.parametrize("declared", [None, "7", 7.0, True, [7]])
def test_row_count_that_is_no_integer_is_not_checked(declared):
    assert judged(result={"rows_proc": declared}).status is Status.ACCEPTED


def test_absent_row_count_is_not_checked():
    raw = json.dumps({"schema_version": 1, "result": {}}).encode()
    assert judged(replace={"meta.json": raw}).status is Status.ACCEPTED


def test_empty_telemetry_file_is_zero_rows():
    found = rejected(replace={"telemetry-qmp.jsonl": b""})
    assert found == ["rows-qmp-mismatch:0!=8"]
    empty = judged(replace={"telemetry-qmp.jsonl": b""}, result={"rows_qmp": 0})
    assert empty.status is Status.ACCEPTED


def test_absent_netflow_with_declared_rows_is_a_mismatch():
    verdict = judged(drop=["netflow.jsonl"], result={"rows_netflow": 4})
    assert (reasons(verdict), soft(verdict)) == (
        ["rows-netflow-mismatch:0!=4"], ["missing-files:netflow.jsonl"],
    )  # fmt: skip


def test_all_reasons_stand_in_the_formats_order():
    labels = [
        {"t_mono_ns": 5, "t_wall_ns": 1, "phase": "armed", "prev": "clean"},
        {"t_mono_ns": 4, "t_wall_ns": 2, "phase": "clean", "prev": "armed"},
    ]
    counts = {f"rows_{s.value}": 1 for s in Source}
    blob = build_episode(
        seconds=4,
        labels=labels,
        drop=["done.marker", "events.jsonl"],
        meta={"schema_version": None},
        result={**counts, "phases_observed": ["clean"]},
    )
    assert reasons(judge_blob(blob, sha256="0" * 64, size_bytes=1)) == [
        "sha-mismatch",
        "size-mismatch",
        "missing-files:done.marker,events.jsonl",
        "schema-version:null",
        "first-phase:armed",
        "first-prev:clean",
        "labels-not-monotonic",
        "phases-meta-mismatch",
        "rows-proc-mismatch:40!=1",
        "rows-guest-mismatch:8!=1",
        "rows-qmp-mismatch:8!=1",
        "rows-netflow-mismatch:4!=1",
        "done-marker-missing",
    ]


def test_empty_tarball_lacks_everything():
    blob = build_episode(drop=EXPECTED_FILES, replace={"readme": b"x"})
    verdict = judge_blob(blob)
    assert reasons(verdict) == [
        "missing-files:done.marker,events.jsonl,labels.jsonl,meta.json,telemetry-guest.jsonl,"
        "telemetry-proc.jsonl,telemetry-qmp.jsonl",
        "schema-version:null",
        "labels-empty",
        "done-marker-missing",
    ]


def test_every_row_reason_has_a_code():
    assert {f"rows-{s.value}-mismatch" for s in Source} <= {code.value for code in ReasonCode}


def test_detail_may_be_empty():
    assert Reason(code=ReasonCode.FIRST_PHASE).render() == "first-phase:"
    assert Reason(code=ReasonCode.SHA_MISMATCH).render() == "sha-mismatch"


def test_opened_is_an_episode():  # the fixture of this file, so that no test passes on a failure
    assert isinstance(open_episode(build_episode(seconds=1), LIMITS), Episode)
