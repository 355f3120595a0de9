"""What happens without an operator: sensors, automation, the night, and a failure that is told.

One laboratory whose index grows by real episodes, under a real daemon; a webhook on loopback.
Not here: runs that are killed, indexes that are rotated (``test_growing_index``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from cis490_pipeline.datasets.test_sets import load_test_set, path_of_test_set
from cis490_pipeline.orchestration.nightly import NIGHT_TAG
from cis490_pipeline_tests.end_to_end.graphql import (
    OVER,
    Run,
    all_runs,
    ended,
    launch,
    materializations,
    materialized,
    numbers_of,
    partitions_of,
    succeeded,
)
from cis490_pipeline_tests.end_to_end.laboratory import INGEST, Laboratory, laboratory
from cis490_pipeline_tests.end_to_end.real_store import ENOUGH, RealStore
from cis490_pipeline_tests.end_to_end.sensors import next_tick, start_sensor, stop_sensor, ticked
from cis490_pipeline_tests.end_to_end.servers import wait_until
from cis490_pipeline_tests.orchestration.test_notifying import Hook, webhook

pytestmark = pytest.mark.end_to_end

SPLIT: Final = "host=lab-b"
OTHER_SPLIT: Final = "host=lab-a"
SCORED: Final = (
    "training_set",
    "test_set",
    "model/elapsed_time/any",
    "evaluation/elapsed_time/any",
)
FITS: Final = ("model__", "trunk__")


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with webhook() as made:
        yield made


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, hook: Hook) -> Iterator[Laboratory]:
    """One host's episodes, and the sensors that begin where they are started."""
    here = tmp_path_factory.mktemp("by_itself")
    store = RealStore(here / "store")
    store.receive("lab-a", ENOUGH["lab-a"])
    with laboratory(store, here / "data", hook.url) as made:
        for name in ("automation", "failures"):
            start_sensor(made.dagster, name)
        for name in ("automation", "failures"):
            ticked(made.dagster, name)
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The partitions before and after another host's first episodes, and the tick after all."""

    hosts: tuple[set[str], set[str]]
    splits: tuple[set[str], set[str]]
    last_tick: Mapping[str, Any]


def arrived(lab: Laboratory, hosts: set[str]) -> None:
    """Wait until the ingest assets of these hosts, and of no others, are materialized."""
    wait_until(
        lambda: all(materialized(lab.dagster, name) == hosts for name in INGEST),
        seconds=300,
        what=f"{sorted(hosts)} are materialized",
        seen=lambda: all_runs(lab.dagster),
    )


def partitions(lab: Laboratory) -> tuple[set[str], set[str]]:
    dagster = lab.dagster
    return partitions_of(dagster, "window_features"), partitions_of(dagster, "training_set")


@pytest.fixture(scope="module")
def growth(lab: Laboratory) -> Growth:
    """The index grows by a host that nobody has registered."""
    start_sensor(lab.dagster, "new_episodes")
    arrived(lab, {"lab-a"})
    hosts, splits = partitions(lab)
    lab.store.receive("lab-b", ENOUGH["lab-b"])
    next_tick(lab.dagster, lab.data, "new_episodes")
    more_hosts, more_splits = partitions(lab)
    arrived(lab, {"lab-a", "lab-b"})
    quiet(lab)  # a run ends some time after what it materializes
    last_tick = next_tick(lab.dagster, lab.data, "new_episodes")
    return Growth(hosts=(hosts, more_hosts), splits=(splits, more_splits), last_tick=last_tick)


@pytest.fixture(scope="module")
def scored(lab: Laboratory, growth: Growth) -> str:
    """The run in which somebody plans a split, fits one model, and scores it."""
    assert len(growth.hosts) >= 1
    run_id = launch(lab.dagster, SCORED, SPLIT)
    succeeded(lab.dagster, run_id)
    return run_id


def quiet(lab: Laboratory) -> list[Run]:
    """Wait until nothing runs; return all runs, oldest first."""
    wait_until(
        lambda: all(run.status in OVER for run in all_runs(lab.dagster)),
        seconds=300,
        what="all runs end",
        seen=lambda: all_runs(lab.dagster),
    )
    return all_runs(lab.dagster)[::-1]


def started_by(runs: list[Run], sensor: str) -> list[Run]:
    return [run for run in runs if run.tags.get("dagster/sensor_name") == sensor]


def fits(runs: list[Run]) -> list[str]:
    return [step for run in runs for step in run.steps if step.startswith(FITS)]


def test_a_growing_index_becomes_partitions_and_materialized_assets(
    lab: Laboratory, growth: Growth
) -> None:
    assert growth.hosts == ({"lab-a"}, {"lab-a", "lab-b"})
    before, after = growth.splits
    assert after - before == {"host=lab-a", "host=lab-b"}
    ingests = started_by(all_runs(lab.dagster), "new_episodes")
    assert sorted(run.partition or "" for run in ingests) == ["lab-a", "lab-b"]  # once each
    assert {run.status for run in ingests} == {"SUCCESS"}
    news = {
        m["partition"]: numbers_of(m)["episodes_new"]
        for m in materializations(lab.dagster, "validation_index")
    }
    assert news == ENOUGH
    assert growth.last_tick["status"] == "SKIPPED"
    assert "nothing new" in growth.last_tick["skipReason"]


def test_automation_renews_the_data_card_and_never_fits(lab: Laboratory, scored: str) -> None:
    next_tick(lab.dagster, lab.data, "automation")  # the tables changed, and then the sets
    quiet(lab)
    next_tick(lab.dagster, lab.data, "automation")
    runs = [run for run in quiet(lab) if run.run_id != scored]
    automatic = started_by(runs, "automation")
    assert automatic
    steps = {step for run in automatic for step in run.steps}
    assert "data_card" in steps
    assert steps <= {"data_card", "shadow_scores"}  # nobody is deployed: these make nothing
    assert materializations(lab.dagster, "shadow_scores") == []
    assert {run.status for run in automatic} == {"SUCCESS"}
    latest, *_ = materializations(lab.dagster, "data_card")
    assert latest["runId"] in {run.run_id for run in automatic}
    assert fits(runs) == []


def test_a_failed_run_is_told_once(lab: Laboratory, hook: Hook, growth: Growth) -> None:
    assert len(growth.hosts) >= 1
    obstacle = path_of_test_set(lab.warehouse.layout, OTHER_SPLIT)
    obstacle.mkdir(parents=True)
    run = ended(lab.dagster, launch(lab.dagster, ["test_set"], OTHER_SPLIT))
    assert run.status == "FAILURE"
    obstacle.rmdir()
    for _ in range(2):  # the tick that tells, and one that could tell again
        next_tick(lab.dagster, lab.data, "failures")
    (told,) = hook.heard
    assert told["run_id"] == run.run_id
    assert (told["job"], told["partition"]) == ("__ASSET_JOB", OTHER_SPLIT)
    assert str(obstacle) in told["error"]
    assert told["will_retry"] is False


def test_a_night_ingests_scores_and_compacts_and_fits_nothing(lab: Laboratory, scored: str) -> None:
    stop_sensor(lab.dagster, "new_episodes")
    layout = lab.warehouse.layout
    models = set(layout.models.rglob("*"))
    (episode,) = lab.store.receive("lab-b", 1)
    start_sensor(lab.dagster, "nightly")
    tick = ticked(lab.dagster, "nightly")
    while tick["status"] == "SUCCESS":
        quiet(lab)
        tick = next_tick(lab.dagster, lab.data, "nightly")
    assert "is done" in tick["skipReason"]
    night = [run for run in quiet(lab) if NIGHT_TAG in run.tags]
    assert [(run.job, run.partition) for run in night] == [
        ("ingest_host", "lab-b"),
        ("evaluate_split", SPLIT),
        ("maintenance", None),
    ]
    assert {run.status for run in night} == {"SUCCESS"}
    assert episode in {member.episode_id for member in load_test_set(layout, SPLIT).test}
    latest, *_ = materializations(lab.dagster, "evaluation/elapsed_time/any")
    assert latest["runId"] == night[1].run_id != scored
    assert fits(night) == []
    assert set(layout.models.rglob("*")) == models
