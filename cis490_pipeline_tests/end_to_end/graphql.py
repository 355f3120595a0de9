"""What the UI asks and orders of a webserver about runs, backfills, partitions and checks.

Not here: sensors (``sensors``), the processes that answer (``servers``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cis490_pipeline_tests.end_to_end.servers import Dagster, wait_until

REPOSITORY_SELECTOR: Final = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "cis490_pipeline",
}
OVER: Final = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
EPOCH: Final = "ObservationEvent"

LAUNCH: Final = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message } ... on UnauthorizedError { message } } }"""
TERMINATE: Final = """mutation($r: String!, $p: TerminateRunPolicy) {
    terminateRun(runId: $r, terminatePolicy: $p) { __typename
    ... on TerminateRunFailure { message } ... on PythonError { message }
    ... on UnauthorizedError { message } } }"""
REEXECUTE: Final = """mutation($p: ReexecutionParams!) {
    launchRunReexecution(reexecutionParams: $p) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on UnauthorizedError { message } } }"""
BACKFILL: Final = """mutation($p: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $p) { __typename
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
    ... on UnauthorizedError { message } } }"""
_BACKFILL_STATUS: Final = """query($b: String!) { partitionBackfillOrError(backfillId: $b) {
    __typename ... on PartitionBackfill { status error { message }
        runs(limit: 20) { runId status tags { key value } } } } }"""
_RUN: Final = """query($r: ID!) { runOrError(runId: $r) { ... on Run { runId status jobName
    tags { key value } stepStats { stepKey status } } } }"""
_RUNS: Final = """{ runsOrError(limit: 100) { ... on Runs { results {
    runId status jobName tags { key value } stepKeysToExecute stepStats { stepKey status }
    } } } }"""
_EVENTS: Final = """query($r: ID!, $c: String) { runOrError(runId: $r) { ... on Run {
    eventConnection(afterCursor: $c) { cursor hasMore events { __typename
        ... on MessageEvent { timestamp stepKey message eventType }
        ... on ObservationEvent { partition description }
        ... on DisplayableEvent { metadataEntries { label
            ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } } }
    } } } } }"""
_MATERIALIZATIONS: Final = """query($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) {
    ... on AssetNode { assetMaterializations(limit: 100) { runId partition
        metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }"""
_PARTITIONS: Final = """query($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) {
    ... on AssetNode { partitionKeys } } }"""
_CHECKS: Final = """query($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) {
    ... on AssetNode { assetChecksOrError { ... on AssetChecks { checks {
        name description blocking } } } } } }"""
_EVALUATIONS: Final = """query($k: AssetKeyInput!, $n: String!, $p: String) {
    assetCheckExecutions(assetKey: $k, checkName: $n, partition: $p, limit: 5) {
        runId status partition evaluation { success severity metadataEntries { label
            ... on IntMetadataEntry { intValue } ... on PathMetadataEntry { path }
            ... on MarkdownMetadataEntry { mdStr } } } } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as the UI lists it; ``steps`` maps those that began or were skipped to their status."""

    run_id: str
    status: str
    job: str
    tags: Mapping[str, str]
    steps: Mapping[str, str]

    @property
    def partition(self) -> str | None:
        return self.tags.get("dagster/partition")


def _run(found: Mapping[str, Any]) -> Run:
    return Run(
        run_id=found["runId"],
        status=found["status"],
        job=found["jobName"],
        tags={tag["key"]: tag["value"] for tag in found["tags"]},
        steps={step["stepKey"]: step["status"] for step in found["stepStats"]},
    )


def asset_key(name: str) -> dict[str, list[str]]:
    return {"path": name.split("/")}


def ordered(answer: Mapping[str, Any], expected: str) -> Mapping[str, Any]:
    """Return the one answer to a mutation; it must be the expected one."""
    (result,) = answer.values()
    assert result["__typename"] == expected, result
    return result


def launch_parameters(
    assets: Iterable[str], partition: str | None, config: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return what the UI's *Materialize* sends."""
    tags = [{"key": "dagster/partition", "value": partition}] if partition else []
    selection = [asset_key(name) for name in assets]
    return {
        "selector": {
            **REPOSITORY_SELECTOR,
            "jobName": "__ASSET_JOB",
            "assetSelection": selection,
        },
        "runConfigData": json.dumps(config or {}),
        "executionMetadata": {"tags": tags},
    }


def launch(
    dagster: Dagster,
    assets: Iterable[str],
    partition: str | None = None,
    config: Mapping[str, object] | None = None,
) -> str:
    """Materialize assets, with their checks; return the run."""
    parameters = launch_parameters(assets, partition, config)
    return ordered(dagster.ask(LAUNCH, p=parameters), "LaunchRunSuccess")["run"]["runId"]


def run_of(dagster: Dagster, run_id: str) -> Run:
    return _run(dagster.ask(_RUN, r=run_id)["runOrError"])


def all_runs(dagster: Dagster) -> list[Run]:
    """Return the runs of the instance, newest first."""
    return [_run(found) for found in dagster.ask(_RUNS)["runsOrError"]["results"]]


def events(dagster: Dagster, run_id: str) -> list[dict[str, Any]]:
    """Return every event of a run, in its order."""
    found: list[dict[str, Any]] = []
    cursor, more = None, True
    while more:
        page = dagster.ask(_EVENTS, r=run_id, c=cursor)["runOrError"]["eventConnection"]
        found, cursor, more = [*found, *page["events"]], page["cursor"], page["hasMore"]
    return found


def errors(dagster: Dagster, run_id: str) -> list[str]:
    """Return what a run says about its failures."""
    kinds = ("ExecutionStepFailureEvent", "RunFailureEvent", "ExecutionStepUpForRetryEvent")
    return [e["message"] for e in events(dagster, run_id) if e["__typename"] in kinds]


def ended(dagster: Dagster, run_id: str, *, seconds: float = 300) -> Run:
    """Wait for the end of a run."""

    def over() -> Run | None:
        run = run_of(dagster, run_id)
        return run if run.status in OVER else None

    return wait_until(
        over, seconds=seconds, what="the run ends", seen=lambda: run_of(dagster, run_id)
    )


def succeeded(dagster: Dagster, run_id: str, *, seconds: float = 300) -> Run:
    """Wait for the success of a run."""
    run = ended(dagster, run_id, seconds=seconds)
    assert run.status == "SUCCESS", errors(dagster, run_id)
    return run


def backfill(
    dagster: Dagster,
    assets: Sequence[str],
    partitions: Sequence[str],
    config: Mapping[str, object] | None = None,
) -> str:
    """Launch a backfill of some partitions of assets; return its id."""
    parameters = {
        "assetSelection": [asset_key(name) for name in assets],
        "partitionNames": list(partitions),
        **({"runConfigData": json.dumps(config)} if config else {}),
    }
    return ordered(dagster.ask(BACKFILL, p=parameters), "LaunchBackfillSuccess")["backfillId"]


def backfilled(dagster: Dagster, backfill_id: str, *, seconds: float) -> Mapping[str, Any]:
    """Wait for the end of a backfill."""

    def seen() -> Mapping[str, Any]:
        return dagster.ask(_BACKFILL_STATUS, b=backfill_id)["partitionBackfillOrError"]

    def over() -> Mapping[str, Any] | None:
        found = seen()
        return None if found["status"] in ("REQUESTED", "COMPLETED") else found

    return wait_until(over, seconds=seconds, what="the backfill ends", seen=seen)


def materializations(dagster: Dagster, asset: str) -> list[dict[str, Any]]:
    """Return the materializations of an asset, newest first."""
    answer = dagster.ask(_MATERIALIZATIONS, k=asset_key(asset))["assetNodeOrError"]
    return answer["assetMaterializations"]


def materialized(dagster: Dagster, asset: str) -> set[str]:
    """Return the partitions of an asset that are materialized."""
    return {m["partition"] for m in materializations(dagster, asset)}


def partitions_of(dagster: Dagster, asset: str) -> set[str]:
    """Return the partitions that an asset has."""
    return set(dagster.ask(_PARTITIONS, k=asset_key(asset))["assetNodeOrError"]["partitionKeys"])


def numbers_of(event: Mapping[str, Any]) -> dict[str, int]:
    """Return the whole numbers in an event's metadata."""
    entries = event.get("metadataEntries") or ()
    return {e["label"]: e["intValue"] for e in entries if e.get("intValue") is not None}


def checks_of(dagster: Dagster, asset: str) -> dict[str, dict[str, Any]]:
    """Return an asset's checks as its page shows them, by name."""
    answer = dagster.ask(_CHECKS, k=asset_key(asset))["assetNodeOrError"]
    return {check["name"]: check for check in answer["assetChecksOrError"]["checks"]}


def evaluation_of(dagster: Dagster, asset: str, check: str, partition: str) -> dict[str, Any]:
    """Return what a check found when it last looked at a partition."""
    answer = dagster.ask(_EVALUATIONS, k=asset_key(asset), n=check, p=partition)
    latest, *_ = answer["assetCheckExecutions"]
    return latest["evaluation"]
