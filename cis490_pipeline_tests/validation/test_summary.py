"""The summary of a sweep: complete keys, true zeros."""

from dataclasses import replace

from cis490_pipeline.episodes.index import DamageKind
from cis490_pipeline.validation.gate import Status
from cis490_pipeline.validation.record import ValidationRow
from cis490_pipeline.validation.summary import summarize
from cis490_pipeline_tests.episodes.reading import read_index

ROW = ValidationRow(
    episode_id="01TEST00000000000000000000", host_id="lab-a", sha256="a" * 64, size_bytes=1,
    status="accepted", reasons=(), soft_reasons=(),
)  # fmt: skip


def test_nothing_is_all_zeros():
    summary = summarize([], [])
    assert summary.by_status == dict.fromkeys(Status, 0)
    assert summary.index_damage == dict.fromkeys(DamageKind, 0)
    assert (len(summary.by_status), len(summary.index_damage)) == (5, 9)
    assert (summary.by_host, summary.top_reasons, summary.episodes) == ({}, (), 0)


def test_counts_by_status_and_host():
    rows = [ROW, replace(ROW, host_id="lab-b"), replace(ROW, host_id="lab-b", status="error")]
    summary = summarize(rows, [])
    assert summary.by_status == {**dict.fromkeys(Status, 0), Status.ACCEPTED: 2, Status.ERROR: 1}
    assert list(summary.by_host) == ["lab-a", "lab-b"]
    assert summary.by_host["lab-a"] == {**dict.fromkeys(Status, 0), Status.ACCEPTED: 1}
    assert summary.by_host["lab-b"][Status.ERROR] == 1
    assert summary.episodes == 3


def test_kinds_of_reasons_are_counted_once_per_episode_most_frequent_first():
    rows = [
        replace(ROW, reasons=("missing-files:meta.json", "schema-version:null"),
                soft_reasons=("missing-files:netflow.jsonl",)),
        replace(ROW, reasons=("schema-version:2",)),
        replace(ROW, reasons=("open-failed:ReadError:cut off: at 5",)),
    ]  # fmt: skip
    assert summarize(rows, []).top_reasons == (
        ("schema-version", 2), ("missing-files", 1), ("open-failed", 1),
    )  # fmt: skip


def test_damage_is_counted_by_kind():
    damage = read_index(b"\n\n[]\n{").damage
    counts = summarize([], damage).index_damage
    assert counts[DamageKind.BLANK] == 2
    assert (counts[DamageKind.NOT_OBJECT], counts[DamageKind.PARTIAL], counts[DamageKind.TORN]) == (
        1, 1, 0,
    )  # fmt: skip
