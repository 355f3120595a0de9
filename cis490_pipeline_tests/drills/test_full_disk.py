"""A full disk is an error that names the path; with more space the same command goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.ingest.compaction import compact
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.ingest.sweep import sweep_store
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.cli.running import installed
from cis490_pipeline_tests.drills.aftermath import check_end, check_readable
from cis490_pipeline_tests.drills.small_disk import SmallDisk, small_disk
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.content import content_of

PAGE: Final = 4096
AMPLE: Final = 64 << 20
TWO_AT_ONCE: Final = IngestOptions(threads=2, episodes_per_commit=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EpisodeStore:
    root = build_store(tmp_path_factory.mktemp("full") / "store", {"lab-a": 4}).root
    for number in (4, 5):  # of other lengths: commits of equal grids would name one shard
        blob = build_episode(seconds=40 + number)
        add_episode(root, "lab-a", episode_id(number), blob)
    return EpisodeStore(root)


@pytest.fixture(scope="module")
def calm(store: EpisodeStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("full") / "calm"
    ingest_host(store, Warehouse(data), "lab-a", TWO_AT_ONCE)
    return data


def bytes_on_disk(root: Path) -> int:
    """Return what a tmpfs needs for the files."""
    return sum(-(-p.stat().st_size // PAGE) * PAGE for p in root.rglob("*") if p.is_file())


def refusal(run: Callable[[], object], disk: SmallDisk) -> str:
    """Run until the disk is full; return where below it that was."""
    with pytest.raises(WarehouseError, match="free space") as raised:
        run()
    text = str(raised.value)
    assert "No space left on device" in text or "os error 28" in text, text
    return text.split(f"{disk.root}/", 1)[1]


def test_ingest_goes_on_with_more_space_wherever_it_stopped(
    store: EpisodeStore, calm: Path, tmp_path: Path
) -> None:
    full_at: set[str] = set()
    for number, share in enumerate((0.0, 0.1, 0.2, 0.4, 0.6, 0.9)):
        size = PAGE + int(share * bytes_on_disk(calm)) // PAGE * PAGE
        with small_disk(tmp_path / f"{number}", size) as disk:
            warehouse = Warehouse(disk.root / "data")

            def run(warehouse: Warehouse = warehouse) -> object:
                return ingest_host(store, warehouse, "lab-a", TWO_AT_ONCE)

            for _ in range(2):  # the second one goes on from what the first one left, and fails too
                full_at.add(refusal(run, disk).split("/")[1])
                check_readable(warehouse.root)
            disk.resize(AMPLE)
            run()
            check_end(warehouse.root, content_of(calm))
    assert full_at >= {"tables", "tensor"}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
def test_the_command_line_names_the_path_and_can_be_repeated(
    share: float, store: EpisodeStore, calm: Path, tmp_path: Path
) -> None:
    size = PAGE + int(share * bytes_on_disk(calm)) // PAGE * PAGE
    with small_disk(tmp_path / "disk", size) as disk:
        data = disk.root / "data"
        words = ("ingest", store.root, "--data", data)
        installed(*words, cwd=tmp_path).check_refusal(1, str(data), "free space")
        disk.resize(AMPLE)
        assert "6 held" in installed(*words, cwd=tmp_path).must_succeed().stdout
        check_end(data, content_of(calm))


def test_compaction_goes_on_with_more_space_wherever_it_stopped(calm: Path, tmp_path: Path) -> None:
    """Nothing is deleted: what it needs beside the shards is what the tables' commits take."""
    before = content_of(calm)
    shards = bytes_on_disk(calm / "tensor")
    full_at: set[str] = set()
    for number, spare in enumerate((0, shards // 2, shards, shards + 6 * PAGE, shards + 20 * PAGE)):
        with small_disk(tmp_path / f"{number}", AMPLE) as disk:
            warehouse = Warehouse(Path(shutil.copytree(calm, disk.root / "data")))
            disk.resize(disk.used_bytes + spare)
            full_at.add(refusal(lambda w=warehouse: compact(w), disk).split("/")[1])
            check_readable(warehouse.root)
            assert content_of(warehouse.root) == before
            disk.resize(AMPLE)
            compact(warehouse)
            check_end(warehouse.root, before)
    assert full_at >= {"tables", "tensor"}


def test_a_sweep_goes_on_with_more_space_wherever_it_stopped(
    store: EpisodeStore, tmp_path: Path
) -> None:
    calm = tmp_path / "calm.parquet"
    sweep_store(store, calm, options=TWO_AT_ONCE)
    full_at: set[str] = set()
    n_resumed = 0
    for pages in range(1, 8):
        with small_disk(tmp_path / f"{pages}", pages * PAGE) as disk:
            out = disk.root / "out.parquet"
            where = refusal(lambda o=out: sweep_store(store, o, options=TWO_AT_ONCE), disk)
            full_at.add(where.split("]")[0].split("/")[0])
            assert not out.exists()
            disk.resize(AMPLE)
            n_resumed += sweep_store(store, out, options=TWO_AT_ONCE).n_resumed
            assert pq.read_table(out).equals(pq.read_table(calm))
            assert [path.name for path in disk.root.iterdir()] == ["out.parquet"]
    assert full_at == {"out.parquet", "out.parquet.parts"}
    assert n_resumed, "what was judged before the disk was full is not judged again"


def test_validate_names_the_path_and_can_be_repeated(store: EpisodeStore, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2 * PAGE) as disk:
        words = ("validate", store.root, "--out", disk.root / "out.parquet")
        installed(*words, cwd=tmp_path).check_refusal(1, str(disk.root), "free space")
        disk.resize(AMPLE)
        installed(*words, cwd=tmp_path).must_succeed()
        assert pq.read_table(disk.root / "out.parquet").num_rows == 6
