"""Runs and sweeps over an index that was rotated, and runs that are asked to stop at a place."""

import gzip
from pathlib import Path

import pytest

from cis490_pipeline.episodes.index import DamageKind
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.episodes.tail import read_new
from cis490_pipeline.ingest.due import hosts_to_ingest
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.ingest.sweep import sweep_store
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.summary import summarize
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.content import content_of, rows_of


@pytest.fixture
def store(tmp_path: Path) -> EpisodeStore:
    return EpisodeStore(build_store(tmp_path / "store", {"lab-a": 3, "lab-b": 1}).root)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "data")


def ship(store: EpisodeStore, number: int, *, seconds: int = 40, host: str = "lab-a") -> None:
    add_episode(store.root, host, episode_id(number), build_episode(seconds=seconds))


def rotate(store: EpisodeStore, *, packed: bool) -> None:
    old = store.index_path.rename(store.root / "index.jsonl.1")
    store.index_path.touch()
    if packed:
        (store.root / "index.jsonl.1.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()


def end_of(store: EpisodeStore) -> str:
    position = read_new(store.index_path, None).position
    assert position is not None
    return position.to_json()


def held(warehouse: Warehouse) -> dict[str, str]:
    rows = rows_of(warehouse, Table.VALIDATION_INDEX)
    return {row["episode_id"]: row["status"] for row in rows}


@pytest.mark.parametrize("packed", [False, True])
def test_rows_that_were_rotated_away_reach_a_run(
    store: EpisodeStore, warehouse: Warehouse, tmp_path: Path, packed: bool
) -> None:
    calm = Warehouse(tmp_path / "calm")
    ingest_host(store, calm, "lab-b")
    rotate(store, packed=packed)
    ship(store, 90)
    assert hosts_to_ingest(store, warehouse) == ("lab-a", "lab-b")
    assert ingest_host(store, warehouse, "lab-a").episodes_new == 4
    assert ingest_host(store, warehouse, "lab-b").episodes_new == 1
    ingest_host(store, calm, "lab-a")
    assert content_of(warehouse.root) == content_of(calm.root)


def test_a_run_stops_at_the_place_that_it_was_asked_for_whatever_was_rotated_since(
    store: EpisodeStore, warehouse: Warehouse
) -> None:
    upto = end_of(store)
    ship(store, 90)
    rotate(store, packed=False)
    ship(store, 91)
    report = ingest_host(store, warehouse, "lab-a", upto=upto)
    assert (report.episodes_new, report.episodes_indexed, report.upto_lost) == (3, 3, False)
    assert ingest_host(store, warehouse, "lab-a").episodes_new == 2


@pytest.mark.parametrize("how", ["compressed", "of another version"])
def test_a_run_whose_place_is_gone_reads_everything_and_says_so(
    store: EpisodeStore, warehouse: Warehouse, how: str
) -> None:
    upto = end_of(store)
    ship(store, 90)
    if how == "compressed":
        rotate(store, packed=True)
    else:
        upto = '{"version": 99}'
    report = ingest_host(store, warehouse, "lab-a", upto=upto)
    assert (report.episodes_new, report.upto_lost) == (4, True)
    assert "read everything" in report.sentence
    assert "read everything" not in ingest_host(store, warehouse, "lab-a").sentence


def test_a_run_that_is_late_does_not_undo_a_re_ship(
    store: EpisodeStore, warehouse: Warehouse
) -> None:
    early = end_of(store)
    ship(store, 0, seconds=50)  # the tarball on disk is the new one
    ingest_host(store, warehouse, "lab-a", upto=end_of(store))
    after = content_of(warehouse.root)
    assert held(warehouse)[episode_id(0)] == "accepted"
    assert ingest_host(store, warehouse, "lab-a", upto=early).episodes_new == 0
    assert content_of(warehouse.root) == after


def test_a_sweep_judges_every_episode_and_counts_the_damage_of_every_file(
    store: EpisodeStore, tmp_path: Path
) -> None:
    with store.index_path.open("ab") as index:
        index.write(b"[]\n")
    rotate(store, packed=True)
    ship(store, 0, seconds=50)
    with store.index_path.open("ab") as index:
        index.write(b"\n")
    sweep = sweep_store(store, tmp_path / "v.parquet")
    assert [row.status for row in sweep.rows] == ["accepted"] * 4
    assert [row.episode_id for row in sweep.rows][-1] == episode_id(0)  # received last
    damage = summarize(sweep.rows, sweep.reading.damage).index_damage
    found = {kind: n for kind, n in damage.items() if n}
    assert found == {DamageKind.NOT_OBJECT: 1, DamageKind.DUPLICATE: 1, DamageKind.BLANK: 1}
