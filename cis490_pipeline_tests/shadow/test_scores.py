"""What arrives is scored once, as a device would have, and nothing that was trained on."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cis490_pipeline.datasets.training_sets import load_training_set, save_training_set
from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.edge.detector import Detector, strides
from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.models.bundle import open_bundle
from cis490_pipeline.models.predict import window_scorer
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.shadow import scores
from cis490_pipeline.shadow.scores import arrivals, score_arrivals
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import copy_of, fit
from cis490_pipeline_tests.shadow.watched import (
    DEPLOY,
    GBT,
    LABEL,
    NOW,
    arrived_warehouse,
    tarball,
    watch,
    watched_warehouse,
    watcher,
)


@pytest.fixture
def arrived(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return copy_of(arrived_warehouse(tmp_path_factory), tmp_path_factory.mktemp("a") / "data")


@pytest.fixture
def watched(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return copy_of(watched_warehouse(tmp_path_factory), tmp_path_factory.mktemp("w") / "data")


def rows(warehouse: Warehouse, host: str = "lab-b") -> list[dict[str, Any]]:
    table = warehouse.tables.read(Table.SHADOW_SCORES, where=pc.field("host_id") == host)
    return table.sort_by("episode_id").to_pylist()


def usable(warehouse: Warehouse, host: str) -> pl.DataFrame:
    episodes = pl.read_delta(str(warehouse.tables.path(Table.EPISODES)))
    statuses = ["accepted", "degraded"]
    return episodes.filter(pl.col("host_id") == host, pl.col("status").is_in(statuses))


def test_everything_that_arrived_is_scored_and_nothing_that_was_trained_on(
    watched: Warehouse,
) -> None:
    assert {row["episode_id"] for row in rows(watched)} == set(
        usable(watched, "lab-b")["episode_id"]
    )
    training = load_training_set(watched.layout, DEPLOY)
    trained = {one.episode_id for one in (*training.train, *training.id_val)}
    _, of_lab_a = watch(watched, "lab-a")
    left_out = set(usable(watched, "lab-a")["episode_id"]) - trained
    assert {row["episode_id"] for row in rows(watched, "lab-a")} == left_out
    assert of_lab_a.n_episodes == len(left_out)


def heard_on_a_device(warehouse: Warehouse, episode_id: str) -> Iterator[tuple[Any, ...]]:
    """Yield what a detector says of the tarball, window by window."""
    bundle = open_bundle(
        ModelRegistry(warehouse.layout.models).find(watcher(warehouse).fitted.bundle)
    )
    detector = Detector(bundle.header, window_scorer(bundle))
    recording = read_recording(tarball(episode_id))
    for new_TC, code in zip(strides(recording.x_TC), recording.phase_N, strict=True):
        verdict = detector.update(new_TC)
        yield verdict, int(code), detector.alarm_s


def test_alarms_and_right_windows_are_those_of_a_device_that_watched(watched: Warehouse) -> None:
    rang = 0
    for row in rows(watched)[::3]:
        heard = [one for one in heard_on_a_device(watched, row["episode_id"]) if one[1] >= 0]
        rings = [verdict.rings for verdict, _, _ in heard]
        raised = sum(
            now and not before for before, now in zip([False, *rings], rings, strict=False)
        )
        right = [verdict.p_K.argmax() == code for verdict, code, _ in heard]
        assert (row["n_alarms"], row["n_windows"], row["n_right"]) == (
            raised,
            len(heard),
            sum(right),
        )
        assert row["first_alarm_s"] == heard[-1][2]
        assert (row["first_alarm_s"] is None) == (raised == 0)
        assert row["n_false_alarms"] <= row["n_alarms"]
        assert 0 <= row["clean_s"] <= row["watched_s"] <= 5.0 * len(heard)
        rang += raised
    assert rang > 0


def test_a_second_look_scores_nothing_and_writes_nothing(watched: Warehouse) -> None:
    version = watched.tables.version(Table.SHADOW_SCORES)
    n_new, again = watch(watched, "lab-b")
    assert (n_new, watched.tables.version(Table.SHADOW_SCORES)) == (0, version)
    assert again.n_episodes == len(rows(watched))
    assert watch(watched, "lab-b")[1].content_hash == again.content_hash


def test_other_bytes_are_scored_again_and_take_the_place_of_the_old(watched: Warehouse) -> None:
    before = rows(watched)
    told = pa.Table.from_pylist(
        [{**before[0], "sha256": "f" * 64, "n_windows": 999}],
        schema=watched.tables.read(Table.SHADOW_SCORES).schema,
    )
    watched.tables.replace_episodes(Table.SHADOW_SCORES, [before[0]["episode_id"]], told)
    assert watch(watched, "lab-b")[0] == 1
    assert rows(watched) == before


def test_a_new_model_scores_everything_again(watched: Warehouse) -> None:
    n_arrivals, old = len(rows(watched)), watcher(watched).fitted.bundle
    fit(watched, DEPLOY, replace(GBT, overrides={"rounds": 4}))
    assert watch(watched, "lab-b")[0] == n_arrivals == len(rows(watched))
    assert old not in {row["bundle"] for row in rows(watched)}


def test_a_copy_of_what_was_trained_on_is_no_arrival(arrived: Warehouse) -> None:
    found = arrivals(arrived, "lab-b", watcher(arrived))
    training = load_training_set(arrived.layout, DEPLOY)
    first = found[0]
    member = replace(training.train[0], sha256=first.sha256)
    save_training_set(arrived.layout, replace(training, train=(member, *training.train[1:])))
    left = arrivals(arrived, "lab-b", watcher(arrived))
    assert {one.episode_id for one in found} - {one.episode_id for one in left} == {
        first.episode_id
    }


def test_who_is_killed_between_two_commits_loses_nothing(
    arrived: Warehouse, watched: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "EPISODES_AT_ONCE", 5)
    clock = iter([NOW, NOW])  # it dies at the third batch

    with pytest.raises(StopIteration):
        score_arrivals(arrived, "lab-b", watcher(arrived), now=lambda: next(clock))
    assert len(rows(arrived)) == 10
    assert watch(arrived, "lab-b")[0] == len(rows(watched)) - 10
    assert rows(arrived) == rows(watched)


def test_without_an_alarm_there_is_no_number_of_alarms(arrived: Warehouse) -> None:
    never = AlarmPolicy(k=1000, n=1000, budget=0.05)
    fit(arrived, DEPLOY, replace(GBT, alarm=never))
    _, found = watch(arrived, "lab-b", LABEL)
    assert {row["n_alarms"] for row in rows(arrived)} == {None}
    assert {row["watched_s"] for row in rows(arrived)} == {None}
    assert found.n_alarms is None
    for figure in (found.alarms_per_host_hour, found.false_alarms_per_host_hour, found.detected):
        assert figure.point is None
        assert "no alarm" in (figure.reason or "")
