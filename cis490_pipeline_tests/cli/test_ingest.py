"""``cis490 ingest``: safe to repeat, counts that add up, and plain words where it cannot work."""

from pathlib import Path

import pytest

from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.cli.running import Call, installed
from cis490_pipeline_tests.datasets.smoke import CORPUS, INDEX
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.poison import poison, verdicts

KEYS = {"episodes_new", "episodes_total", "windows_total", "seconds"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return build_store(tmp_path / "store", {"lab-a": 3, "lab-b": 2}).root


def counts(result: dict[str, int]) -> tuple[int, int, int]:
    assert set(result) == KEYS
    return result["episodes_new"], result["episodes_total"], result["windows_total"]


def test_a_second_run_finds_nothing_new(call: Call, store: Path, tmp_path: Path) -> None:
    words = ("ingest", store, "--data", tmp_path / "data", "--json")
    first = call(*words).must_succeed()
    assert counts(first.result) == (5, 5, 25)
    assert "5 new episodes, 5 held with 25 windows" in first.stdout
    assert counts(call(*words).must_succeed().result) == (0, 5, 25)
    held = Warehouse(tmp_path / "data").tables
    assert held.count(Table.EPISODES) == 5
    assert held.count(Table.WINDOW_FEATURES) == 25


def test_one_more_episode_is_one_more(call: Call, store: Path, tmp_path: Path) -> None:
    words = ("ingest", store, "--data", tmp_path / "data", "--json")
    call(*words).must_succeed()
    add_episode(store, "lab-b", episode_id(50), build_episode(seconds=40))
    assert counts(call(*words).must_succeed().result) == (1, 6, 32)


def test_one_host_alone(call: Call, store: Path, tmp_path: Path) -> None:
    words = ("ingest", store, "--data", tmp_path / "data", "--json", "--host", "lab-b")
    done = call(*words, "--threads", 2).must_succeed()
    assert counts(done.result) == (2, 2, 10)
    assert "lab-b: 2 new of 2 indexed episodes" in done.stderr
    assert "lab-a" not in done.stderr


def test_a_host_that_the_index_does_not_have_is_a_usage_error(
    call: Call, store: Path, tmp_path: Path
) -> None:
    done = call("ingest", store, "--data", tmp_path / "data", "--host", "lab-z")
    done.check_refusal(2, "no such host", "lab-a, lab-b")


def test_damaged_episodes_do_not_stop_it(call: Call, store: Path, tmp_path: Path) -> None:
    add_episode(store, "lab-a", episode_id(50), b"not zstd")
    add_episode(store, "lab-a", episode_id(51), build_episode(drop=["done.marker"]))
    done = call("ingest", store, "--data", tmp_path / "data", "--json").must_succeed()
    assert done.result["episodes_new"] == 7
    assert Warehouse(tmp_path / "data").tables.count(Table.VALIDATION_INDEX) == 7
    assert Warehouse(tmp_path / "data").tables.count(Table.EPISODES) == 5


def test_a_tarball_that_kills_the_decoder_does_not_stop_it(
    call: Call, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, store, {1: "segfault"})
    words = ("ingest", store, "--data", tmp_path / "data", "--json")
    assert counts(call(*words).must_succeed().result) == (5, 5, 20)
    found = verdicts(tmp_path / "data")
    assert found[episode_id(1)] == ("error", ["open-failed:DecoderDied:SIGSEGV"])
    assert [status for status, _ in found.values()].count("accepted") == 4


def test_the_data_directory_comes_from_the_environment(tmp_path: Path) -> None:
    words = ("ingest", CORPUS, "--index", INDEX, "--host", "lab-b", "--json")
    done = installed(*words, cwd=tmp_path, CIS490_DATA="here").must_succeed()
    assert counts(done.result) == (24, 24, 369)
    assert Warehouse(tmp_path / "here").tables.count(Table.EPISODES) == 24
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_an_empty_index_is_no_error(call: Call, tmp_path: Path) -> None:
    build_store(tmp_path / "store", {})
    done = call("ingest", tmp_path / "store", "--data", tmp_path / "data", "--json")
    assert counts(done.must_succeed().result) == (0, 0, 0)


def test_a_store_without_an_index_is_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = call("ingest", tmp_path / "empty", "--data", tmp_path / "data")
    done.check_refusal(1, "index cannot be read", "index.jsonl", "[do: check the store's path")
    assert not (tmp_path / "data").exists()


def test_a_data_directory_below_a_file_is_named(call: Call, store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call("ingest", store, "--data", tmp_path / "file" / "data")
    done.check_refusal(1, "cannot write", str(tmp_path / "file"), "[do: ")
    call("ingest", store, "--data", tmp_path / "file").check_refusal(2, "is a file")
