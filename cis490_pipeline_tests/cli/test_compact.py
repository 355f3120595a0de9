"""``cis490 compact``: says what it did, and is safe to repeat."""

from pathlib import Path

from cis490_pipeline_tests.cli.running import Call
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.content import content_of


def test_small_commits_become_one_and_nothing_is_lost(call: Call, tmp_path: Path) -> None:
    store, data = build_store(tmp_path / "store", {"lab-a": 2}).root, tmp_path / "data"
    call("ingest", store, "--data", data).must_succeed()
    add_episode(store, "lab-a", episode_id(50), build_episode(seconds=40))
    call("ingest", store, "--data", data).must_succeed()
    before = content_of(data)
    done = call("compact", "--data", data, "--json").must_succeed()
    assert done.result["shards_merged"]["before"] == 2
    assert done.result["shards_merged"]["after"] == 1
    assert (done.result["removed"]["files"], done.result["waiting"]["files"]) == (0, 2)
    again = call("compact", "--data", data, "--retention-hours", 0, "--json").must_succeed()
    assert again.result["shards_merged"] == {"before": 0, "after": 0, "bytes_written": 0}
    assert again.result["removed"]["files"] > 2
    assert "0 shards (0.0 MB) wait" in again.stdout
    assert content_of(data) == before
    assert len(list((data / "tensor" / "host=lab-a").iterdir())) == 1


def test_a_directory_without_any_data_has_nothing_to_do(call: Call, tmp_path: Path) -> None:
    done = call("compact", "--data", tmp_path / "none", "--json").must_succeed()
    assert done.result["table_files_merged"] == {"before": 0, "after": 0}
    assert not (tmp_path / "none").exists()
