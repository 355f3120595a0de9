"""``cis490 smoke`` from an empty directory, twice, and its runs in a real webserver."""

from pathlib import Path

import pytest

from cis490_pipeline_tests.end_to_end.conftest import Dagster, Smoke, wait_until

pytestmark = pytest.mark.end_to_end

_RUNS = """{ runsOrError(limit: 50) { ... on Runs { results {
    runId status jobName tags { key value }
    repositoryOrigin { repositoryName repositoryLocationName } } } } }"""
_REEXECUTE = """mutation($p: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $p) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_STATUS = "query($r: ID!) { runOrError(runId: $r) { ... on Run { status } } }"
_ASSET = """query($k: AssetKeyInput!) { assetOrError(assetKey: $k) { ... on Asset {
    assetMaterializations(limit: 1) { runId partition metadataEntries {
        label ... on IntMetadataEntry { intValue } } } } } }"""


def test_the_first_run_ends_in_models_with_intervals(first_smoke: Smoke) -> None:
    result = first_smoke.result
    assert result["split"] == "host=lab-b"
    assert result["episodes_new"] == 48
    rows = {(m["family"], m["mode"], m["context"]): m for m in result["models"]}
    assert set(rows) == {
        ("gbt", "realistic", "none"),
        ("gbt", "realistic", "recent"),
        ("gbt", "oracle", "none"),
        ("gbt", "oracle", "recent"),
        ("cnn", "realistic", "none"),
        ("cnn", "oracle", "none"),
        ("majority", "any", "none"),
        ("elapsed_time", "any", "none"),
        ("grammar_only", "any", "none"),
        ("permuted_labels", "realistic", "none"),
        ("permuted_labels", "realistic", "recent"),
        ("permuted_labels", "oracle", "none"),
        ("permuted_labels", "oracle", "recent"),
    }
    for row in rows.values():
        assert 0 <= row["ci_low"] <= row["macro_f1"] <= row["ci_high"] <= 1
        assert row["ci_low"] < row["ci_high"]
        assert row["reused"] is False
    # the learned models must be better than always saying the most frequent phase
    floor = rows["majority", "any", "none"]["ci_high"]
    assert rows["gbt", "oracle", "none"]["macro_f1"] > floor
    # and the past is what makes them travel to another host
    assert (
        rows["gbt", "realistic", "recent"]["ci_low"] > rows["gbt", "realistic", "none"]["macro_f1"]
    )


def test_the_run_says_what_it_does_and_where_the_report_is(first_smoke: Smoke) -> None:
    assert "ingest_host[lab-a]" in first_smoke.stderr
    assert "full_split[host=lab-b]" in first_smoke.stderr
    assert "Warning" not in first_smoke.stderr
    report = Path(first_smoke.result["report"])
    assert str(report) in first_smoke.stdout
    page = report.read_text("utf-8")
    assert "scan-and-dial" in page
    assert "elapsed_time" in first_smoke.stdout
    assert "untested" in first_smoke.stdout


def test_the_second_run_ingests_nothing_and_reuses_every_model(
    first_smoke: Smoke, second_smoke: Smoke
) -> None:
    assert second_smoke.result["episodes_new"] == 0
    assert all(model["reused"] for model in second_smoke.result["models"])
    assert "0 new episodes ingested" in second_smoke.stdout
    assert "13 of 13 models reused" in second_smoke.stdout
    scores = [
        [(m["family"], m["context"], m["macro_f1"], m["ci_low"]) for m in smoke.result["models"]]
        for smoke in (first_smoke, second_smoke)
    ]
    assert scores[0] == scores[1]


def test_both_runs_stand_in_the_history_of_the_ui(dagster: Dagster) -> None:
    runs = dagster.ask(_RUNS)["runsOrError"]["results"]
    jobs = sorted(run["jobName"] for run in runs)
    assert jobs == ["full_split"] * 2 + ["ingest_host"] * 4
    for run in runs:
        assert run["status"] == "SUCCESS"
        assert run["repositoryOrigin"]["repositoryLocationName"] == "cis490_pipeline"


def test_a_run_of_the_command_line_can_be_re_executed_in_the_ui(dagster: Dagster) -> None:
    runs = dagster.ask(_RUNS)["runsOrError"]["results"]
    parent = next(run for run in runs if run["jobName"] == "ingest_host")
    answer = dagster.ask(_REEXECUTE, p={"parentRunId": parent["runId"], "strategy": "ALL_STEPS"})[
        "launchRunReexecution"
    ]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id = answer["run"]["runId"]

    def over() -> str | None:
        status = dagster.ask(_STATUS, r=run_id)["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    assert wait_until(over, seconds=180, what="the re-execution ends") == "SUCCESS"
    asset = dagster.ask(_ASSET, k={"path": ["validation_index"]})["assetOrError"]
    (latest,) = asset["assetMaterializations"]
    numbers = {e["label"]: e.get("intValue") for e in latest["metadataEntries"]}
    assert latest["runId"] == run_id
    assert (numbers["episodes_new"], numbers["episodes_total"]) == (0, 24)
