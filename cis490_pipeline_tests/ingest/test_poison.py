"""A tarball that kills or hangs the decoder stops nothing, gets its verdict, and is left alone."""

from pathlib import Path

import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import SchemaMismatchError, StoreError
from cis490_pipeline.ingest import child
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.ingest.supervised_run import ingest_host_supervised
from cis490_pipeline.ingest.supervised_sweep import sweep_store_supervised
from cis490_pipeline.ingest.sweep import sweep_store
from cis490_pipeline.warehouse.atomic import TEMPORARY_PREFIX
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.content import content_of
from cis490_pipeline_tests.ingest.poison import poison, verdicts, without

N = 8
IMPATIENT = IngestOptions(threads=2, episodes_per_commit=4, visit_limit_s=3.0)


@pytest.fixture
def store(tmp_path: Path) -> EpisodeStore:
    return EpisodeStore(build_store(tmp_path / "store", {"lab-a": N}).root)


def count_jobs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that the names of the jobs go to, as workers are started."""
    real, jobs = child.run_child, []

    def counting(job: object, *rest: object) -> object:
        jobs.append(type(job).__name__)
        return real(job, *rest)

    monkeypatch.setattr("cis490_pipeline.ingest.supervisor.run_child", counting)
    return jobs


def test_the_poisoned_get_their_verdicts_and_the_others_are_as_ever(
    store: EpisodeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_host(store, Warehouse(tmp_path / "calm"), "lab-a")
    calm = content_of(tmp_path / "calm")
    poison(monkeypatch, store.root, {1: "segfault", 4: "hang", 6: "hang with the lock"})
    warehouse, seen = Warehouse(tmp_path / "data"), []
    report = ingest_host_supervised(
        store, warehouse, "lab-a", IMPATIENT, lambda done, total: seen.append((done, total))
    )
    assert (report.episodes_new, report.episodes_total, report.status["error"]) == (N, N, 3)
    found = verdicts(warehouse.root)
    assert found[episode_id(1)] == ("error", ["open-failed:DecoderDied:SIGSEGV"])
    assert found[episode_id(4)] == ("error", ["open-failed:DecoderHung:3 s"])
    assert found[episode_id(6)] == ("error", ["open-failed:DecoderHung:3 s"])
    assert without(content_of(warehouse.root), 1, 4, 6) == without(calm, 1, 4, 6)
    assert seen[-1] == (N, N)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    # a worker that was killed in a write leaves a temporary file, which maintenance sweeps
    left = [path.name for path in (warehouse.root / "ingest").iterdir()]
    assert [name for name in left if not name.startswith(TEMPORARY_PREFIX)] == ["lab-a.lock"]

    jobs = count_jobs(monkeypatch)
    second = ingest_host_supervised(store, warehouse, "lab-a", IMPATIENT)
    assert (second.episodes_new, second.data_versions) == (0, report.data_versions)
    assert verdicts(warehouse.root) == found
    add_episode(store.root, "lab-a", episode_id(1), build_episode(seconds=40))
    third = ingest_host_supervised(store, warehouse, "lab-a", IMPATIENT)
    assert (third.episodes_new, third.status["error"]) == (1, 2)
    assert verdicts(warehouse.root)[episode_id(1)] == ("accepted", [])
    assert jobs == ["IngestJob", "IngestJob"], "nobody died again"


def test_a_sweep_survives_too(
    store: EpisodeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = {row.episode_id: row for row in sweep_store(store, tmp_path / "calm.parquet").rows}
    poison(monkeypatch, store.root, {3: "out of memory", 4: "exception"})
    sweep = sweep_store_supervised(store, tmp_path / "out.parquet", options=IMPATIENT)
    found = {row.episode_id: row for row in sweep.rows}
    assert found[episode_id(3)].reasons == ("open-failed:DecoderDied:SIGKILL",)
    assert found[episode_id(4)].reasons == ("open-failed:DecoderDied:LookupError",)
    for number in set(range(N)) - {3, 4}:
        assert found[episode_id(number)] == calm[episode_id(number)]
    assert (len(sweep.rows), sweep.n_resumed) == (N, 0)
    assert {path.name for path in tmp_path.iterdir()} == {"store", "calm.parquet", "out.parquet"}


def test_a_condemned_tarball_that_is_replaced_meanwhile_is_opened(
    store: EpisodeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is on bytes, not on a name: they change after the suspect was visited alone."""
    poison(monkeypatch, store.root, {0: "exit"})
    real, jobs = child.run_child, []

    def replacing(job: object, *rest: object) -> object:
        jobs.append(type(job).__name__)
        if len(jobs) == 3:
            add_episode(store.root, "lab-a", episode_id(0), build_episode(seconds=35))
        return real(job, *rest)

    monkeypatch.setattr("cis490_pipeline.ingest.supervisor.run_child", replacing)
    report = ingest_host_supervised(store, Warehouse(tmp_path / "data"), "lab-a")
    assert jobs == ["IngestJob", "AloneJob", "IngestJob"]
    assert report.status["accepted"] == N


def test_poison_that_took_its_supervisor_with_it_is_found_by_the_next_run(
    store: EpisodeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container dies as a whole when it is out of memory; its black box is still there."""
    poison(monkeypatch, store.root, {2: "exit"})
    box = tmp_path / "data" / "ingest" / "lab-a.visiting"
    box.parent.mkdir(parents=True)
    box.write_bytes(episode_id(2).encode().ljust(32, b"\0") + b"\1" * 8)
    jobs = count_jobs(monkeypatch)
    report = ingest_host_supervised(store, Warehouse(tmp_path / "data"), "lab-a", IMPATIENT)
    assert jobs == ["AloneJob", "IngestJob"]
    assert (report.episodes_new, report.status["error"]) == (N, 1)
    assert not box.exists()


def test_errors_of_the_worker_arrive_as_they_are(tmp_path: Path) -> None:
    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 1}).root)
    warehouse = Warehouse(tmp_path / "data")
    ingest_host(store, warehouse, "lab-a")
    path = warehouse.layout.feature_schema
    path.write_text(path.read_text("utf-8").replace('"fingerprint": "', '"fingerprint": "0'))
    with pytest.raises(SchemaMismatchError) as here:
        ingest_host(store, warehouse, "lab-a")
    with pytest.raises(SchemaMismatchError) as there:
        ingest_host_supervised(store, warehouse, "lab-a")
    assert str(there.value) == str(here.value)
    assert "[expected: " in str(here.value)
    store.index_path.unlink()
    with pytest.raises(StoreError, match=r"index\.jsonl"):
        ingest_host_supervised(store, Warehouse(tmp_path / "other"), "lab-a")
