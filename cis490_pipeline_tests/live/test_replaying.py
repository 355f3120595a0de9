"""A replay says what ``predict`` says, in the order and at the time at which a device could."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cis490_pipeline.cli.main import cli
from cis490_pipeline.edge.detector import Detector
from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.live.events import Embedding, Prediction, TruePhase
from cis490_pipeline.live.replaying import Clock, Costs, Tape, Watching, perf, play
from cis490_pipeline.models.bundle import open_bundle, read_projection
from cis490_pipeline.models.predict import window_scorer
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.live.hubs import living_hub
from cis490_pipeline_tests.shadow.watched import tarball, watched_warehouse, watcher

EPISODE = 5


@dataclass(slots=True)
class Patient:
    """A clock that passes only while somebody sleeps."""

    at: float = 100.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return watched_warehouse(tmp_path_factory)


def episode(warehouse: Warehouse) -> Path:
    from cis490_pipeline.schema.tables import Table

    ids = warehouse.tables.read(Table.SHADOW_SCORES, columns=["episode_id"])["episode_id"]
    return tarball(sorted(ids.to_pylist())[EPISODE])


def watching(warehouse: Warehouse) -> Watching:
    directory = ModelRegistry(warehouse.layout.models).find(watcher(warehouse).fitted.bundle)
    bundle = open_bundle(directory)
    return Watching(
        header=bundle.header,
        bundle=bundle.sha256,
        start=lambda: Detector(bundle.header, window_scorer(bundle)),
        projection=read_projection(directory, bundle.header),
    )


def tape(path: Path) -> Tape:
    return Tape(
        replay="r",
        episode_id=path.name.removesuffix(".tar.zst"),
        host_id="lab-b",
        recording=read_recording(path),
    )


def predicted(path: Path, warehouse: Warehouse) -> Any:
    bundle = watcher(warehouse).fitted.bundle
    words = ["predict", str(path), "--model", bundle, "--data", str(warehouse.root), "--json"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    return json.loads(result.output.strip().splitlines()[-1])


def test_predictions_are_those_of_predict(warehouse: Warehouse) -> None:
    path = episode(warehouse)
    told = list(play(tape(path), watching(warehouse), Clock(speed=0), Costs()))
    predictions = [one for one in told if isinstance(one, Prediction)]
    wanted = predicted(path, warehouse)
    assert len(predictions) == len(wanted["windows"]) > 3
    for one, other in zip(predictions, wanted["windows"], strict=True):
        assert (one.window, one.t_s, one.predicted.value) == (
            other["window"],
            other["t_center_s"],
            other["phase"],
        )
        assert (one.truth.value if one.truth else None) == other["label"]
        for phase, p in other["proba"].items():
            assert getattr(one.probabilities, phase) == pytest.approx(p, abs=1e-9)
    first = next((one.verdict_s for one in predictions if one.alarm), None)
    assert first == wanted["alarm_s"]
    embeddings = [one for one in told if isinstance(one, Embedding)]
    assert [one.window for one in embeddings] == [one.window for one in predictions]
    assert len({(one.x, one.y) for one in embeddings}) > 3


def test_everything_is_told_when_its_time_has_come_and_not_before(warehouse: Warehouse) -> None:
    patient = Patient()
    clock = Clock(speed=10.0, now=lambda: patient.at, sleep=patient.sleep)
    path = episode(warehouse)
    played = play(tape(path), watching(warehouse), clock, Costs())
    heard = [(patient.at, event) for event in played]
    start = heard[0][0]
    for at, event in heard:
        due = event.t_s if isinstance(event, TruePhase) else None
        if isinstance(event, Prediction):
            due = event.verdict_s
        if due is not None:
            assert 10.0 * (at - start) == pytest.approx(due, abs=1e-6)
    steps = [event.t_s for _, event in heard if isinstance(event, TruePhase)]
    assert steps == [one.t_s for one in tape(path).recording.transitions]
    assert all(seconds > 0 for seconds in patient.slept)


def test_what_was_measured_is_told_and_what_was_not_is_missing(warehouse: Warehouse) -> None:
    costs = Costs(seconds=[0.001, 0.002, 0.003])
    told = perf(watching(warehouse), costs, machine="m", rss_bytes=None, size_bytes=5, at=1.0)
    assert (told.latency_p50_ms, told.n_measured, told.rss_bytes) == (2.0, 3, None)
    none = perf(watching(warehouse), Costs(), machine="m", rss_bytes=1, size_bytes=5, at=1.0)
    assert (none.latency_p50_ms, none.latency_p95_ms, none.n_measured) == (None, None, 0)


def test_the_command_plays_to_a_hub(warehouse: Warehouse, tmp_path: Path) -> None:
    path = episode(warehouse)
    with living_hub(tmp_path) as hub, hub.listen() as heard:
        (tmp_path / "token").write_text(f"CIS490_TOKEN={hub.token}\n", encoding="utf-8")
        words = ["replay", str(path), "--model", watcher(warehouse).fitted.bundle, "--speed", "0"]
        words += ["--data", str(warehouse.root), "--to", f"http://127.0.0.1:{hub.port}"]
        result = CliRunner().invoke(
            cli, [*words, "--token-file", str(tmp_path / "token"), "--json"]
        )
        assert result.exit_code == 0, result.output
        sent = json.loads(result.output.strip().splitlines()[-1])
        assert sent["delivered"] == sent["published"] > 2 * sent["windows"]
        messages = heard.until(lambda one: one["topic"] == "model_perf")
    topics = [one["topic"] for one in messages]
    assert topics.count("prediction") == topics.count("embedding") == sent["windows"]
    cost = messages[-1]["data"]
    assert cost["n_measured"] == sent["windows"]
    assert cost["latency_p50_ms"] > 0
    assert cost["size_bytes"] > 1000
    assert {one["producer"] for one in messages if one["topic"] == "prediction"} == {"box"}


def test_a_wrong_token_ends_with_a_sentence(warehouse: Warehouse, tmp_path: Path) -> None:
    path = episode(warehouse)
    with living_hub(tmp_path) as hub:
        (tmp_path / "token").write_text("CIS490_TOKEN=nobody\n", encoding="utf-8")
        words = ["replay", str(path), "--model", watcher(warehouse).fitted.bundle, "--speed", "0"]
        words += ["--data", str(warehouse.root), "--to", f"http://127.0.0.1:{hub.port}"]
        words += ["--token-file", str(tmp_path / "token"), "--patience", "1"]
        result = CliRunner().invoke(cli, words)
    assert result.exit_code == 1
    assert "did not take everything" in result.output


def test_an_episode_that_the_gate_refuses_is_not_played(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    broken = tmp_path / "lab-b" / episode(warehouse).name
    broken.parent.mkdir()
    broken.write_bytes(b"no tarball")
    words = ["replay", str(broken), "--model", watcher(warehouse).fitted.bundle]
    result = CliRunner().invoke(cli, [*words, "--data", str(warehouse.root)])
    assert result.exit_code == 1
    assert "the gate says" in result.output
