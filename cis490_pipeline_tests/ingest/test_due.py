"""What a run visits: the quick answer is the retry rule's, and a report is what the tables say."""

from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
from hypothesis import given, settings

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import EpisodeStore, FileStamp
from cis490_pipeline.ingest.due import held_verdicts, read_held, rows_of_host
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.schema.ids import EpisodeId, HostId
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.validation.retry import needs_visit
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)

SCHEMA = TABLE_SCHEMAS[Table.VALIDATION_INDEX]
HOSTS = st.sampled_from(["lab-a", "lab-b"])
HASHES = st.sampled_from(["a" * 64, "b" * 64])
NUMBERS = st.sampled_from([None, 1_795_322_672_123_456_789])
REASONS = st.sampled_from([[], ["hash-failed:OSError"], ["open-failed:x"], ["a", "hash-failed:y"]])

ROWS = st.fixed_dictionaries(
    {
        "episode_id": st.sampled_from([episode_id(n) for n in range(2)]),
        "host_id": HOSTS,
        "sha256": HASHES,
        "status": st.sampled_from(["accepted", "degraded", "rejected", "missing", "error"]),
        "reasons": REASONS,
        "file_size_bytes": NUMBERS,
        "file_mtime_ns": NUMBERS,
    }
)
STAMPS = st.none() | st.builds(
    FileStamp, size_bytes=NUMBERS.map(lambda n: n or 0), mtime_ns=NUMBERS.map(lambda n: n or 1)
)


def entry(number: int, host: str, sha256: str) -> IndexEntry:
    return IndexEntry(
        episode_id=EpisodeId(episode_id(number)), host_id=HostId(host), sha256=sha256,
        size_bytes=1, received_at_s=None, offset=0, line=1,
    )  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=600)
@given(
    rows=st.lists(ROWS, max_size=6),
    number=st.integers(0, 1),
    host=HOSTS,
    sha256=HASHES,
    stamp=STAMPS,
)
def test_the_quick_answer_never_contradicts_the_rule(rows, number, host, sha256, stamp) -> None:
    held = held_verdicts(pa.Table.from_pylist(rows, schema=SCHEMA))
    one = entry(number, host, sha256)
    if held.stands(one, stamp):
        assert not needs_visit(one, held[one.episode_id], stamp)
    owners = [row for row in rows if row["episode_id"] == one.episode_id]
    assert (one.episode_id in held) == bool(owners)
    if len(owners) > 1:
        assert not held.stands(one, stamp)
        assert held[one.episode_id].host_id == ""


def test_what_stands_is_answered_without_the_rule(tmp_path: Path) -> None:
    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 2}).root)
    warehouse = Warehouse(tmp_path / "data")
    ingest_host(store, warehouse, "lab-a")
    held = read_held(warehouse.tables)
    row = warehouse.tables.read(Table.VALIDATION_INDEX).to_pylist()[0]
    stamp = store.stamp(HostId("lab-a"), EpisodeId(row["episode_id"]))
    assert held.stands(
        IndexEntry(
            episode_id=EpisodeId(row["episode_id"]), host_id=HostId("lab-a"),
            sha256=row["sha256"], size_bytes=1, received_at_s=None, offset=0, line=1,
        ),
        stamp,
    )  # fmt: skip


def test_the_report_of_a_run_is_that_of_the_next_one(tmp_path: Path) -> None:
    """It is made of what the run knows; the next run, with nothing new, reads it all back."""
    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 4, "lab-b": 2}).root)
    warehouse = Warehouse(tmp_path / "data")
    for host in ("lab-a", "lab-b"):
        ingest_host(store, warehouse, host)
    blob = build_episode(seconds=40, drop=["netflow.jsonl"])
    add_episode(store.root, "lab-a", episode_id(1), blob)  # a re-ship
    add_episode(store.root, "lab-a", episode_id(5), build_episode(seconds=41))  # lab-b's
    add_episode(store.root, "lab-a", episode_id(9), b"no archive")
    now = ingest_host(store, warehouse, "lab-a")
    later = ingest_host(store, warehouse, "lab-a")
    assert (now.episodes_new, later.episodes_new) == (3, 0)
    for name in ("episodes_total", "windows_total", "shard_bytes", "status", "reasons"):
        assert getattr(now, name) == getattr(later, name), name
    assert now.data_versions == later.data_versions
    assert now.episodes_total == 6
    assert now.status["error"] == 1
    assert dict(now.reasons)["open-failed"] == 1


def test_news_replace_what_was_held_of_a_host() -> None:
    rows = [
        {"episode_id": "e1", "host_id": "lab-a", "sha256": "old"},
        {"episode_id": "e2", "host_id": "lab-a", "sha256": "kept"},
        {"episode_id": "e3", "host_id": "lab-b", "sha256": "other"},
    ]
    filled = [{**row, "status": "accepted", "reasons": []} for row in rows]
    held = held_verdicts(pa.Table.from_pylist(filled, schema=SCHEMA))
    news = pa.Table.from_pylist([{"episode_id": "e1", "sha256": "new"}], schema=SCHEMA)
    after = rows_of_host("lab-a", held, news)
    assert sorted(after["sha256"].to_pylist()) == ["kept", "new"]


def test_an_episode_that_two_hosts_hold_has_no_verdict_that_stands() -> None:
    row = {"episode_id": episode_id(0), "sha256": "a" * 64, "status": "accepted", "reasons": []}
    seen = {"file_size_bytes": 1, "file_mtime_ns": 2}
    rows = [{**row, **seen, "host_id": host} for host in ("lab-a", "lab-b")]
    held = held_verdicts(pa.Table.from_pylist(rows, schema=SCHEMA))
    stamp = FileStamp(size_bytes=1, mtime_ns=2)
    for host in ("lab-a", "lab-b"):
        one = entry(0, host, "a" * 64)
        assert not held.stands(one, stamp)
        assert needs_visit(one, held[one.episode_id], stamp)
