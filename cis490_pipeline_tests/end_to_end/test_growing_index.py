"""A store that grows under a real daemon: whatever happens, every episode arrives once."""

import gzip
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.journal import host_lock
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.end_to_end.graphql import OVER, all_runs, events
from cis490_pipeline_tests.end_to_end.sensors import start_sensor, told
from cis490_pipeline_tests.end_to_end.servers import BIN, Dagster, environment, serving, wait_until
from cis490_pipeline_tests.episodes.building import add_episode, build_episode, episode_id
from cis490_pipeline_tests.ingest.content import content_of

pytestmark = pytest.mark.end_to_end


def ship(store: Path, host: str, number: int) -> None:
    blob = build_episode(seconds=25, sample_name=f"s{number}", host_id=host)
    add_episode(store, host, episode_id(number), blob)


def held(data: Path) -> set[str]:
    rows = Warehouse(data).tables.read(Table.VALIDATION_INDEX, columns=["episode_id"])
    return set(rows["episode_id"].to_pylist())


def ingesting(dagster: Dagster) -> tuple[str, list[int]] | None:
    """Return the first run whose ingest has begun, with the processes that work on it."""
    for run in all_runs(dagster):
        found = events(dagster, run.run_id)
        if any(e["__typename"] == "ExecutionStepStartEvent" for e in found):
            entries = [entry for e in found for entry in e.get("metadataEntries", ())]
            pids = {int(entry["text"]) for entry in entries if entry["label"] == "pid"}
            return run.run_id, sorted(pids)
    return None


def kill(pids: Sequence[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def rotate(store: Path) -> None:
    """Do what logrotate does with ``create`` and ``delaycompress``."""
    index, first = store / "index.jsonl", store / "index.jsonl.1"
    for number in (3, 2):
        packed = store / f"index.jsonl.{number}.gz"
        if packed.exists():
            packed.rename(store / f"index.jsonl.{number + 1}.gz")
    if first.exists():
        (store / "index.jsonl.2.gz").write_bytes(gzip.compress(first.read_bytes()))
        first.unlink()
    index.rename(first)
    index.touch()


def test_everything_that_is_shipped_arrives_once(tmp_path: Path) -> None:
    store, data = tmp_path / "store", tmp_path / "data"
    for number in range(3):
        ship(store, "lab-a", number)
    surroundings = {**environment(data), "CIS490_STORE": str(store)}
    subprocess.run([str(BIN / "cis490"), "register"], env=surroundings, check=True)
    layout = Warehouse(data).layout

    with serving(data, store) as dagster:
        with host_lock(layout, "lab-a"):  # so that the run is in its ingest when it is killed
            start_sensor(dagster, "new_episodes")
            killed, pids = wait_until(
                lambda: ingesting(dagster), seconds=120, what="a run begins to ingest"
            )
            assert len(pids) >= 2  # the run's process and its step's
            kill(pids)
        wait_until(lambda: len(held(data)) == 3, seconds=120, what="the first host arrives")

        ship(store, "lab-a", 3)
        rotate(store)  # what the sensor has not yet seen is in another file now
        ship(store, "lab-c", 10)  # a host that nobody has registered
        ship(store, "lab-a", 4)
        whole = (store / "index.jsonl").read_bytes()
        os.truncate(store / "index.jsonl", len(whole) - 150)  # a row half written
        wait_until(lambda: episode_id(3) in held(data), seconds=120, what="the rotated row arrives")

        (store / "index.jsonl").write_bytes(whole)
        rotate(store)
        ship(store, "lab-a", 5)
        rotate(store)
        ship(store, "lab-c", 11)
        assert len(list(store.glob("index.jsonl.[23].gz"))) == 2
        start_sensor(dagster, "reconcile")
        wait_until(lambda: len(held(data)) == 8, seconds=120, what="what was rotated arrives")
        wait_until(
            lambda: all(run.status in OVER for run in all_runs(dagster)),
            seconds=120,
            what="all runs end",
        )
        ended = {run.run_id: run.status for run in all_runs(dagster)}
        assert ended.pop(killed) == "FAILURE"
        assert set(ended.values()) == {"SUCCESS"}
        assert "bytes behind" in told(dagster, "new_episodes")

    calm = Warehouse(tmp_path / "calm")
    for host in ("lab-a", "lab-c"):
        ingest_host(EpisodeStore(store), calm, host)
    assert content_of(data) == content_of(calm.root)
    assert len(held(calm.root)) == 8
