"""The section on drift: hosts, yardsticks, channels without values, hostile names."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cis490_pipeline.evaluation.drift import DriftRole, HostDrift, drift_of, most_drifted
from cis490_pipeline.evaluation.drift_on_split import WHY, Drift
from cis490_pipeline.reporting.drift import drift_markdown, drift_section
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline.schema.channels import CHANNELS, N_CHANNELS
from cis490_pipeline_tests.datasets.smoke import SPLIT, copy_of, scored_warehouse
from cis490_pipeline_tests.evaluation.test_drift import NOTHING, telemetry
from cis490_pipeline_tests.reporting.made_up_reports import Page


def _drift(hosts=None, reason=None):
    if hosts is None:
        moved = telemetry("lab-b", seed=2, shift=9, silent=3)
        hosts = drift_of(telemetry("lab-a"), telemetry("lab-a", seed=1), moved)
    return Drift(training_set_hash="a", test_set_hash="b", reason=reason, hosts=hosts)


def test_a_host_is_a_line_with_its_channels_and_a_lone_training_host_with_the_reason():
    page = Page(drift_section(_drift()))
    (tested,) = page.row("lab-b")
    assert tested[1:5] == ["test host", "20", "20", f"1 of {N_CHANNELS - 1}"]
    assert tested[5].startswith(f"{CHANNELS[9].column} 1.00")
    alone = page.row("lab-a")[1]
    assert alone[4:] == ["untested", "the only training host"]


def test_the_map_hatches_what_has_no_distance_and_starts_with_what_drifted_most():
    texts = Page(drift_section(_drift())).texts
    assert texts.index(CHANNELS[9].column) == min(
        texts.index(one.column) for one in CHANNELS if one.column in texts
    )
    assert f"{CHANNELS[3].column}, lab-b: untested" in texts
    assert f"{CHANNELS[9].column}, lab-b: 1.000 KS distance" in texts


def test_markdown_names_the_silent_channel_and_why_it_has_no_distance():
    lines = [line.replace("\\", "") for line in drift_markdown(_drift())]
    (silent,) = [line for line in lines if line.startswith(f"| {CHANNELS[3].column} |")]
    assert "untested: 0 episodes of the host have a value" in silent
    assert "| 100 % | 25 % |" in silent


@pytest.mark.parametrize("drift", [None, _drift(hosts=(), reason="the split has no test set")])
def test_what_was_not_measured_is_a_sentence(drift):
    sentence = "Drift was not measured." if drift is None else "the split has no test set"
    assert sentence in " ".join(Page(drift_section(drift)).texts)
    assert "\n".join(drift_markdown(drift)).replace("\\", "") == sentence


def test_a_hostile_host_name_stays_text():
    name = '<script>alert("x")</script>|\u202e'
    hosts = tuple(replace(one, host=name) for one in _drift().hosts)
    assert "<script" not in drift_section(_drift(hosts=hosts))
    assert "<script" not in "\n".join(drift_markdown(_drift(hosts=hosts)))
    assert "\u202e" not in drift_section(_drift(hosts=hosts))


def test_a_host_without_any_value_has_no_largest_distance():
    silent = telemetry("lab-b", n_each=1)
    (host, _) = drift_of(telemetry("lab-a"), NOTHING, silent)
    assert isinstance(host, HostDrift)
    assert most_drifted(host, 3) == []
    assert "no channel has values on both sides" in drift_section(_drift(hosts=(host,)))


def test_a_report_measures_drift_once_and_its_json_has_it(tmp_path_factory, tmp_path):
    warehouse = copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")
    published = publish_comparison(warehouse, SPLIT, lambda: datetime(2026, 11, 23, tzinfo=UTC))
    again = publish_comparison(warehouse, SPLIT, lambda: datetime(2026, 11, 24, tzinfo=UTC))
    assert again.content_hash == published.content_hash
    found = json.loads(published.json.read_text("utf-8"))
    roles = [(one["role"], one["host"]) for one in found["drift"]["hosts"]]
    assert roles[0] == (DriftRole.TEST, "lab-b")
    assert all("selective" in one for one in found["measures"])
    page = Page(published.html.read_text("utf-8"))
    assert len(page.row("lab-b")) >= 1
    assert sum(cell == WHY for row in page.rows for cell in row) == 1
