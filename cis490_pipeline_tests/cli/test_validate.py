"""``cis490 validate``: the keys that scripts rely on, and what ``--strict`` and ``--limit`` do."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cis490_pipeline.schema.tables import VALIDATION_COLUMNS
from cis490_pipeline_tests.cli.running import Call, installed
from cis490_pipeline_tests.datasets.smoke import CORPUS, INDEX
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.poison import poison

STATUSES = {"accepted", "degraded", "rejected", "missing", "error"}
DAMAGE = {
    "torn",
    "blank",
    "not_json",
    "not_utf8",
    "not_object",
    "bad_id",
    "missing_key",
    "duplicate",
    "partial",
}


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """One episode of every status, and an index with seven kinds of damage."""
    store = build_store(tmp_path / "store", {"lab-a": 1}).root
    add_episode(store, "lab-a", episode_id(10), build_episode(drop=["netflow.jsonl"]))
    add_episode(store, "lab-b", episode_id(11), build_episode(drop=["done.marker"]))
    add_episode(store, "lab-b", episode_id(12), b"not zstd")
    add_episode(store, "lab-b", episode_id(13), build_episode(seconds=31))
    (store / "episodes" / "lab-b" / f"{episode_id(13)}.tar.zst").unlink()
    again = (store / "index.jsonl").read_bytes().splitlines()[-1]
    with (store / "index.jsonl").open("ab") as index:
        index.write(b'\n{"host_id": "lab-a"}\n[1]\n{"a\xff": 1}\nnonsense\n' + again + b"\n")
        index.write(b'{"episode_id": "01')
    return store


def test_the_last_line_has_the_promised_keys(call: Call, damaged: Path, tmp_path: Path) -> None:
    done = call("validate", damaged, "--out", tmp_path / "v.parquet", "--json").must_succeed()
    found = done.result
    assert set(found) == {"episodes", "status", "index_damage", "seconds"}
    assert found["status"] == dict.fromkeys(STATUSES, 1)
    assert found["episodes"] == 5
    assert set(found["index_damage"]) == DAMAGE
    seen = {kind for kind, n in found["index_damage"].items() if n}
    assert seen == {
        "blank",
        "missing_key",
        "not_object",
        "not_utf8",
        "not_json",
        "duplicate",
        "partial",
    }
    assert found["seconds"] > 0
    assert "index line" in done.stdout, "each damage is shown with its place"


def test_the_file_has_one_row_an_episode_and_exactly_the_columns(
    call: Call, damaged: Path, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "v.parquet"
    done = call("validate", damaged, "--out", out).must_succeed()
    table = pq.read_table(out)
    assert table.schema.equals(VALIDATION_COLUMNS)
    assert set(table["status"].to_pylist()) == STATUSES
    assert "5 verdicts in" in done.stdout
    assert [path.name for path in out.parent.iterdir()] == ["v.parquet"]
    assert not done.stdout.splitlines()[-1].startswith("{"), "JSON only where it was asked for"


def test_limit_judges_the_first_of_the_index_alone(
    call: Call, damaged: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.parquet"
    for limit, status in ((0, {}), (1, {"accepted": 1}), (2, {"accepted": 1, "degraded": 1})):
        done = call("validate", damaged, "--out", out, "--limit", limit, "--json").must_succeed()
        assert done.result["episodes"] == limit == pq.read_table(out).num_rows
        assert done.result["status"] == {**dict.fromkeys(STATUSES, 0), **status}


def test_strict_ends_with_1_only_where_something_is_not_accepted(
    call: Call, damaged: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.parquet"
    assert call("validate", damaged, "--out", out, "--strict", "--limit", 1).status == 0
    strict = call("validate", damaged, "--out", out, "--strict", "--limit", 2, "--json")
    assert strict.status == 1
    assert strict.result["status"]["degraded"] == 1
    assert pq.read_table(out).num_rows == 2, "the work is done all the same"
    assert call("validate", damaged, "--out", out).status == 0, "damage alone is no failure"


def test_a_tarball_that_hangs_the_decoder_does_not_stop_it(
    call: Call, damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, damaged, {0: "hang with the lock"})
    monkeypatch.setenv("CIS490_VISIT_LIMIT_S", "2")
    out = tmp_path / "v.parquet"
    done = call("validate", damaged, "--out", out, "--json").must_succeed()
    assert done.result["status"] == {**dict.fromkeys(STATUSES, 1), "accepted": 0, "error": 2}
    assert "open-failed:DecoderHung:2 s" in str(pq.read_table(out)["reasons"].to_pylist())


def test_the_installed_program_on_recorded_episodes(tmp_path: Path) -> None:
    words = ("validate", CORPUS, "--index", INDEX, "--out", "v.parquet", "--strict", "--json")
    done = installed(*words, cwd=tmp_path)
    assert done.status == 1
    assert done.result["status"] == {**dict.fromkeys(STATUSES, 0), "accepted": 36, "degraded": 12}
    assert not any(done.result["index_damage"].values())
    assert "validate: 48 of 48" in done.stderr, "progress does not go where the result goes"
    assert pq.read_table(tmp_path / "v.parquet").num_rows == 48


def test_a_store_without_an_index_is_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = call("validate", tmp_path / "empty", "--out", tmp_path / "v.parquet")
    done.check_refusal(1, "index cannot be read", str(tmp_path / "empty"), "[do: ")
    assert not (tmp_path / "v.parquet").exists()


def test_a_place_that_cannot_be_written_is_named(call: Call, damaged: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call("validate", damaged, "--out", tmp_path / "file" / "v.parquet")
    done.check_refusal(1, "cannot write", str(tmp_path / "file"), "[do: ")
