"""A store that grows under a real daemon: whatever happens, every episode arrives once."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.end_to_end.conftest import BIN, Dagster, environment, serving, wait_until
from cis490_pipeline_tests.episodes.building import add_episode, build_episode, episode_id
from cis490_pipeline_tests.ingest.content import content_of

pytestmark = pytest.mark.end_to_end

_START = """mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) {
    __typename ... on PythonError { message } } }"""
_RUNS = """{ runsOrError(limit: 50) { ... on Runs { results {
    runId status jobName tags { key value } } } } }"""
_BUSY = {"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "MANAGED"}


def ship(store: Path, host: str, number: int) -> None:
    blob = build_episode(seconds=25, sample_name=f"s{number}", host_id=host)
    add_episode(store, host, episode_id(number), blob)


def held(data: Path) -> set[str]:
    rows = Warehouse(data).tables.read(Table.VALIDATION_INDEX, columns=["episode_id"])
    return set(rows["episode_id"].to_pylist())


def runs(dagster: Dagster) -> list[dict[str, Any]]:
    return dagster.ask(_RUNS)["runsOrError"]["results"]


def start_sensor(dagster: Dagster, name: str) -> None:
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "cis490_pipeline",
        "sensorName": name,
    }
    answer = dagster.ask(_START, s=selector)["startSensor"]
    assert answer["__typename"] == "Sensor", answer


def test_everything_that_is_shipped_arrives_once(tmp_path: Path) -> None:
    store, data = tmp_path / "store", tmp_path / "data"
    for number in range(3):
        ship(store, "lab-a", number)
    surroundings = {**environment(data), "CIS490_STORE": str(store)}
    subprocess.run([str(BIN / "cis490"), "register"], env=surroundings, check=True)

    with serving(data, store) as dagster:
        start_sensor(dagster, "new_episodes")
        wait_until(lambda: len(held(data)) == 3, seconds=120, what="the first host arrives")

        ship(store, "lab-a", 3)
        ship(store, "lab-c", 10)  # a host that nobody has registered
        torn = (store / "index.jsonl").read_bytes()
        ship(store, "lab-a", 4)
        whole = (store / "index.jsonl").read_bytes()
        (store / "index.jsonl").write_bytes(whole[: len(torn) + 40])  # a row half written
        wait_until(lambda: len(held(data)) == 5, seconds=120, what="a new host arrives")
        _copy(store, whole).replace(store / "index.jsonl")  # another file of the same name
        wait_until(lambda: len(held(data)) == 6, seconds=120, what="the finished row arrives")
        wait_until(
            lambda: not any(run["status"] in _BUSY for run in runs(dagster)),
            seconds=120,
            what="all runs end",
        )
        assert {run["status"] for run in runs(dagster)} == {"SUCCESS"}
        keys = [tag["value"] for run in runs(dagster) for tag in run["tags"]]
        assert "lab-c" in keys

    calm = Warehouse(tmp_path / "calm")
    for host in ("lab-a", "lab-c"):
        ingest_host(EpisodeStore(store), calm, host)
    assert content_of(data) == content_of(calm.root)


def _copy(store: Path, content: bytes) -> Path:
    path = store / "index.new"
    path.write_bytes(content)
    return path
