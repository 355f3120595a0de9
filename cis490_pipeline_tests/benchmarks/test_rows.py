"""The rows on stores of a few short episodes: they run, and both sides do the same work."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.benchmarks import straightforward
from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError, Line, Verdict
from cis490_pipeline_tests.benchmarks.children import Order, measure
from cis490_pipeline_tests.benchmarks.limit import PhysicalLimit, joined_documents
from cis490_pipeline_tests.benchmarks.machine import machine_facts
from cis490_pipeline_tests.benchmarks.report import Run, as_json
from cis490_pipeline_tests.benchmarks.rows_increment import Growing, growth_line
from cis490_pipeline_tests.benchmarks.rows_reading import windows_of
from cis490_pipeline_tests.benchmarks.rows_transformer import transformer
from cis490_pipeline_tests.benchmarks.run import run_rows
from cis490_pipeline_tests.benchmarks.stores import Scale, Stores
from cis490_pipeline_tests.episodes.building import (
    build_episode,
    build_members,
    build_tar,
)
from cis490_pipeline_tests.reference.windows import summary_per_window

TINY = Scale(
    seconds=12.0,
    episodes=6,
    held_episodes=8,
    repetitions=1,
    sample=1,
    resamples=2,
    epochs=2,
    cases=48,
    processes=1,
)


def silent(text: str) -> None:
    """Nobody listens."""


def forgetful(run: Run) -> None:
    """Nothing is kept."""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    return Stores(tmp_path_factory.mktemp("bench"), TINY, silent)


def test_cheap_rows_run_and_their_json_is_whole(tmp_path: Path) -> None:
    names, kept = ["one-new", "gather", "bytes", "bootstrap"], list[Run]()
    run = run_rows(names, TINY, tmp_path, silent, kept.append)
    assert [len(one.rows) for one in kept] == [1, 2, 3, 4]
    read = json.loads(json.dumps(as_json(run), allow_nan=False))
    lines = [line for row in read["rows"] for line in row["lines"]]
    assert [len(row["lines"]) for row in read["rows"]] == [3, 3, 2, 1]
    assert all(line["low"] <= line["median"] <= line["high"] for line in lines)
    assert {line["verdict"] for line in lines} <= {"goal", "holds", "misses", "record"}


def test_growth_is_over_what_an_episode_adds_and_not_over_noise(tmp_path: Path) -> None:
    def growing(nothing_s: list[float], one_s: list[float]) -> Growing:
        warehouse = Warehouse(tmp_path)
        return Growing(root=tmp_path, warehouse=warehouse, nothing_s=nothing_s, one_s=one_s)

    small, large = growing([1.0, 1.0], [1.1, 1.1]), growing([3.0, 3.0], [3.2, 3.4])
    grown = growth_line(small, large, (10, 100))
    assert grown.samples == pytest.approx((2.0, 4.0))
    assert grown.verdict is Verdict.MISSES
    noise = growth_line(growing([1.0], [0.9]), growing([3.0], [2.9]), (10, 100))
    assert noise.verdict is Verdict.NOT_THERE


def test_an_ingest_is_measured_without_its_imports_and_its_warm_up(stores: Stores) -> None:
    measured = stores.measure("ingest", stores.intact)
    assert measured.facts["episodes"] == TINY.episodes
    assert measured.facts["windows"] > 0
    assert min(measured.import_s, measured.first_use_s, measured.cpu_s, measured.wall_s) > 0
    assert measured.peak_rss_bytes > 10 << 20


def test_every_reference_of_ingest_visits_the_episodes_that_it_says(stores: Stores) -> None:
    limit = stores.measure("limit", stores.intact)
    assert limit.facts["episodes"] == TINY.episodes
    assert 0 < limit.facts["joining_cpu_s"] < limit.cpu_s
    for variant in ("per-window", "loops"):
        slow = stores.measure(f"straightforward-{variant}", stores.intact, amount=2)
        assert slow.facts["episodes"] == 2


def test_a_child_that_fails_is_an_error_and_no_figure(stores: Stores, tmp_path: Path) -> None:
    places = {"out": str(tmp_path / "o"), "warm_out": str(tmp_path / "w")}
    warm = str(stores.warm)
    with pytest.raises(BenchmarkError, match="without an answer"):
        measure(Order(work="ingest", store=str(tmp_path), warm_store=warm, **places))


def test_the_limit_parses_every_line_that_there_is() -> None:
    members = build_members(seconds=20.0)
    documents = list(joined_documents(memoryview(build_tar(members, prefix="e/") + bytes(1024))))
    read = {name: body for name, body in members.items() if name.endswith((".json", ".jsonl"))}
    assert len(documents) == len(read) == 7
    for document, (name, body) in zip(documents, read.items(), strict=True):
        lines = [json.loads(line) for line in body.splitlines()] if "jsonl" in name else body
        assert json.loads(document) == (lines if "jsonl" in name else json.loads(body))


def test_the_limit_refuses_what_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "e.tar.zst"
    path.write_bytes(build_episode(replace={"netflow.jsonl": b'{"t_wall_ns": 1}\n{"t_wall\n'}))
    with pytest.raises(ValueError, match=r"."):
        PhysicalLimit().visit(path)


def test_the_straightforward_path_judges_like_the_gate(tmp_path: Path) -> None:
    sound, short = tmp_path / "sound.tar.zst", tmp_path / "short.tar.zst"
    sound.write_bytes(build_episode())
    short.write_bytes(build_episode(drop=["done.marker"], result={"rows_proc": 7}))
    sha256 = hashlib.sha256(sound.read_bytes()).hexdigest()
    assert straightforward.validate(sound, sha256) == []
    reasons = straightforward.validate(short, sha256)
    assert [reason.split(":")[0] for reason in reasons] == [
        "sha-mismatch",
        "missing-files",
        "rows-proc-mismatch",
        "done-marker-missing",
    ]


def test_the_straightforward_path_computes_the_windows_that_ingest_stores(
    stores: Stores, tmp_path: Path
) -> None:
    windows = windows_of(stores.held_intact)
    paths = sorted(stores.intact.glob("episodes/*/*.tar.zst"))
    assert len(paths) == TINY.episodes
    for episode, path in enumerate(sorted(paths, key=lambda path: path.name)):
        with np.load(straightforward.tensors(path, tmp_path)) as held:
            kept = held["y"] >= 0
            assert np.array_equal(held["X"][kept], windows.of_episode(episode), equal_nan=True)
        statistics, phase_N = straightforward.features(path, summary_per_window)
        assert len(statistics) == len(phase_N) == len(kept)


def test_a_family_that_is_not_there_is_a_miss(stores: Stores) -> None:
    (line,) = transformer(stores, family="no_such_family")
    assert line.verdict is Verdict.NOT_THERE
    assert "no_such_family" in (line.absent or "")


def test_epochs_of_both_networks_take_turns_and_are_scored(tmp_path: Path) -> None:
    speed, equal = transformer(Stores(tmp_path, TINY, silent), family="cnn")
    assert len(speed.samples) == TINY.epochs
    assert 0 < equal.absolute["candidate_macro_f1"] <= 1
    assert_difference(equal)


def assert_difference(line: Line) -> None:
    scores = line.absolute
    expected = scores["candidate_macro_f1"] - scores["reference_macro_f1"]
    assert line.samples == (expected,)


def test_a_full_disk_is_foreseen(tmp_path: Path) -> None:
    endless = Scale(**{**{k: getattr(TINY, k) for k in TINY.__slots__}, "held_episodes": 10**12})
    with pytest.raises(BenchmarkError, match=r"GB free, a run takes up to"):
        run_rows(["bytes"], endless, tmp_path, silent, forgetful)


def test_the_machine_is_named() -> None:
    facts = machine_facts()
    assert facts["cpu"]
    assert int(str(facts["cores"])) >= 1
    assert "pysimdjson" in str(facts["libraries"])
