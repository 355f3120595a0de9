"""The store's feeders behind a served hub: what is written on disk is heard."""

import json
from pathlib import Path
from typing import Any

import pytest

from cis490_pipeline_tests.episodes.building import add_episode, episode_id
from cis490_pipeline_tests.live.hubs import LivingHub, living_hub


def all_plans(watching: Any) -> Any:
    return watching.plans


def of(*names: str) -> Any:
    return lambda watching: [one for one in watching.plans if one.name in names]


def add(root: Path, number: int, host: str = "lab-a", data: bytes = b"x", **changes: Any) -> None:
    add_episode(root / "store", host, episode_id(number), data, **changes)


def write_alert(root: Path, **changes: Any) -> None:
    alert = {
        "host": "lab-a",
        "symptom": "netflow is silent",
        "detail": "since Tuesday",
        "suggested_fix": "restart the bridge",
        "detected_at_wall": "2026-11-22T04:45:11Z",
        "dedup_key": "k1",
        **changes,
    }
    with (root / "store" / "alerts.jsonl").open("a") as file:
        file.write(json.dumps(alert) + "\n")


def fed(served: LivingHub, name: str) -> None:
    """Wait until a feeder has done two more steps."""

    def runs() -> int:
        return served.get("/v1/health")["feeders"][name]["runs"]

    before = runs()
    served.wait(lambda: runs() >= before + 2)


def test_an_episode_that_arrives_is_heard_and_counted_everywhere_alike(tmp_path: Path) -> None:
    add_before = [(0, "lab-a", b"first"), (1, "lab-b", b"second")]
    for number, host, data in add_before:
        add(tmp_path, number, host, data)
    with living_hub(tmp_path, plans=of("episodes", "snapshot")) as served, served.listen() as heard:
        snapshot = heard.topic("snapshot")["data"]
        assert (snapshot["total_episodes"], snapshot["total_bytes"]) == (2, 11)
        assert snapshot["host_counts"] == {"lab-a": 1, "lab-b": 1}
        assert [one["episode_id"] for one in snapshot["recent_episodes"]] == [
            episode_id(1),
            episode_id(0),
        ]
        add(tmp_path, 2, "lab-b", b"third!")
        seen = heard.until(lambda one: one["topic"] == "episode")
        assert all(one["topic"] == "snapshot" for one in seen[:-1])
        event = seen[-1]["data"]
        assert (event["episode_id"], event["host_id"]) == (episode_id(2), "lab-b")
        assert (event["total_episodes"], event["total_bytes"], event["host_episodes"]) == (3, 17, 2)
        after = heard.topic("snapshot")["data"]
        assert (after["total_episodes"], after["total_bytes"]) == (3, 17)
        assert served.get("/v1/health")["episodes"] == 3


def test_rows_that_a_follower_cannot_see_are_found_by_the_whole_reading(tmp_path: Path) -> None:
    add(tmp_path, 0)
    with living_hub(tmp_path, plans=of("episodes", "snapshot")) as served, served.listen() as heard:
        heard.topic("snapshot")
        fed(served, "episodes")
        index = tmp_path / "store" / "index.jsonl"
        kept = index.read_bytes()
        index.unlink()
        older = tmp_path / "store" / "index.jsonl.2"
        add(tmp_path, 1, data=b"rotated before anybody looked")
        index.rename(older)
        index.write_bytes(kept)
        assert heard.topic("episode")["data"]["total_episodes"] == 2


def test_a_torn_index_is_counted_and_hides_nothing(tmp_path: Path) -> None:
    add(tmp_path, 0)
    with (tmp_path / "store" / "index.jsonl").open("ab") as file:
        file.write(b'{"episode_id": "01\n')
    add(tmp_path, 1)
    with living_hub(tmp_path, plans=of("snapshot")) as served, served.listen() as heard:
        snapshot = heard.topic("snapshot")["data"]
        assert (snapshot["total_episodes"], snapshot["index_damage"]) == (2, 1)


def test_alerts_are_heard_once_each_and_hostile_ones_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    write_alert(tmp_path)
    hostile = "<img src=x onerror=alert(1)>\u2028\ud800" + "y" * 5000
    with living_hub(tmp_path, plans=of("alerts", "snapshot")) as served, served.listen() as heard:
        fed(served, "alerts")
        write_alert(tmp_path)  # again
        with (tmp_path / "store" / "alerts.jsonl").open("a") as file:
            file.write("{torn\n")
        write_alert(tmp_path, symptom=hostile, dedup_key="k2", detected_at_wall=17)
        seen = heard.until(lambda one: one["topic"] == "alert")
        event = seen[-1]["data"]
        assert event["symptom"].startswith("<img src=x onerror=alert(1)>\u2028\\ud800yyy")
        assert len(event["symptom"]) <= 2000
        assert (event["dedup_key"], event["detected_at"], event["total_alerts"]) == ("k2", 17.0, 2)
        snapshot = heard.topic("snapshot")["data"]
        assert snapshot["total_alerts"] == 2
        assert [one["dedup_key"] for one in snapshot["recent_alerts"]] == ["k2", "k1"]
        assert snapshot["recent_alerts"][1]["detected_at"] == 1795322711.0


def test_the_first_snapshot_has_the_alerts_that_were_there(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    write_alert(tmp_path)
    plans = of("snapshot", "alerts")
    with living_hub(tmp_path, plans=plans) as served, served.listen() as heard:
        assert heard.topic("snapshot")["data"]["total_alerts"] == 1
        assert served.hub.tally.published["alert"] == 0


def test_alerts_without_a_key_are_told_apart_by_what_they_say(tmp_path: Path) -> None:
    with living_hub(tmp_path, plans=of("alerts")) as served, served.listen() as heard:
        fed(served, "alerts")
        for symptom in ("a", "b", "a"):
            write_alert(tmp_path, dedup_key=None, symptom=symptom)
        events = [heard.topic("alert")["data"] for _ in range(2)]
        assert [one["symptom"] for one in events] == ["a", "b"]
        fed(served, "alerts")
        assert served.hub.tally.published["alert"] == 2


def test_nothing_is_there_yet_and_then_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with living_hub(tmp_path, plans=all_plans) as served, served.listen() as heard:
        for name in ("snapshot", "alerts", "verdicts", "phase_mix", "models"):
            fed(served, name)
            feeder = served.get("/v1/health")["feeders"][name]
            assert (feeder["condition"], feeder["failures"]) == ("waiting", 0)
        assert heard.topic("snapshot")["data"]["total_episodes"] == 0
        add(tmp_path, 0)
        found = heard.until(
            lambda one: one["topic"] == "snapshot" and one["data"]["total_episodes"] == 1
        )
        assert found
        fed(served, "snapshot")
        assert served.get("/v1/health")["feeders"]["snapshot"]["condition"] == "feeding"
    for name in ("snapshot", "alerts", "verdicts", "phase_mix", "models"):
        assert caplog.text.count(f"feeder {name} waits for") == 1


def test_a_store_that_cannot_be_read_stops_its_feeders_only(tmp_path: Path) -> None:
    add(tmp_path, 0)
    plans = of("episodes", "snapshot", "alerts")
    with living_hub(tmp_path, plans=plans) as served, served.listen() as heard:
        heard.topic("snapshot")
        fed(served, "alerts")
        index = tmp_path / "store" / "index.jsonl"
        kept = index.read_bytes()
        index.unlink()
        index.mkdir()  # no regular file: every reading of it fails
        served.wait(
            lambda: served.get("/v1/health")["feeders"]["episodes"]["condition"] == "failed"
        )
        write_alert(tmp_path)
        assert heard.topic("alert")["data"]["total_alerts"] == 1
        index.rmdir()
        index.write_bytes(kept)
        add(tmp_path, 1)
        event = heard.topic("episode")["data"]
        assert (event["episode_id"], event["total_episodes"]) == (episode_id(1), 2)
