"""A store with every kind of damage that the format names gets exactly its verdicts."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import zstandard

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import IngestOptions
from cis490_pipeline.ingest.sweep import sweep_store
from cis490_pipeline.schema.tables import VALIDATION_COLUMNS, Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_members,
    build_tar,
    compress,
    episode_id,
    label_rows,
)

LABELS = label_rows()
MIB = 1 << 20


def _bomb(n_mib: int, *, in_a_member: bool) -> bytes:
    """Return a small tarball of so many MiB of zeros, made without ever holding them."""
    header = tarfile.TarInfo("telemetry-proc.jsonl")
    header.size = n_mib * MIB if in_a_member else 0
    compressor = zstandard.ZstdCompressor().compressobj()
    parts = [compressor.compress(header.tobuf())]
    parts += [compressor.compress(bytes(MIB)) for _ in range(n_mib)]
    return b"".join([*parts, compressor.flush()])


# what is shipped, its index row's changes, the status and the start of every reason it must get
DAMAGED: list[tuple[bytes, dict[str, object], str, list[str]]] = [
    (build_episode(), {}, "accepted", []),
    (build_episode(prefix="some-directory/"), {}, "accepted", []),
    (build_episode(drop=["netflow.jsonl"]), {}, "degraded", ["missing-files:netflow.jsonl"]),
    (build_episode(), {"sha256": "0" * 64}, "rejected", ["sha-mismatch"]),
    (build_episode(), {"size_bytes": 3}, "rejected", ["size-mismatch"]),
    (build_episode(drop=["events.jsonl"]), {}, "rejected", ["missing-files:events.jsonl"]),
    (
        build_episode(drop=["meta.json"]),
        {},
        "rejected",
        ["missing-files:meta.json", "schema-version:null"],
    ),
    (
        build_episode(drop=["done.marker"]),
        {},
        "rejected",
        ["missing-files:done.marker", "done-marker-missing"],
    ),
    (build_episode(meta={"schema_version": 2}), {}, "rejected", ["schema-version:2"]),
    (build_episode(labels=[]), {}, "rejected", ["labels-empty"]),
    (
        build_episode(labels=label_rows(["armed", "infecting"])),
        {},
        "rejected",
        ["first-phase:armed"],
    ),
    (
        build_episode(labels=[{**LABELS[0], "prev": "clean"}, *LABELS[1:]]),
        {},
        "rejected",
        ["first-prev:clean"],
    ),
    (
        build_episode(labels=[*LABELS[:2], {**LABELS[2], "t_mono_ns": 0}, *LABELS[3:]]),
        {},
        "rejected",
        ["labels-not-monotonic"],
    ),
    (
        build_episode(result={"phases_observed": ["clean"]}),
        {},
        "rejected",
        ["phases-meta-mismatch"],
    ),
    (build_episode(result={"rows_proc": 7}), {}, "rejected", ["rows-proc-mismatch:300!=7"]),
    (build_episode(replace={"meta.json": b"["}), {}, "error", ["open-failed:"]),
    (build_episode(replace={"netflow.jsonl": b"{}{}\n"}), {}, "error", ["open-failed:"]),
    (b"not a zstd stream", {}, "error", ["open-failed:ZstdError"]),
    (compress(b"not a tar" * 100), {}, "error", ["open-failed:ReadError"]),
    (build_episode()[:-200], {}, "error", ["open-failed:"]),
    (
        compress(build_tar([*build_members().items(), ("../escape/meta.json", b"{}")])),
        {},
        "error",
        ["open-failed:UnsafeMember"],
    ),
    (_bomb(600, in_a_member=True), {}, "error", ["open-failed:LimitExceeded"]),
    (_bomb(600, in_a_member=False), {}, "error", ["open-failed:LimitExceeded"]),
    (b"junk", {"sha256": "1" * 64}, "error", ["open-failed:", "sha-mismatch"]),
]


def _damaged_store(root: Path) -> EpisodeStore:
    for number, (blob, changes, _, _) in enumerate(DAMAGED):
        add_episode(root, "lab-a", episode_id(number), blob, **changes)
    add_episode(root, "lab-a", episode_id(800), build_episode())
    (root / "episodes" / "lab-a" / f"{episode_id(800)}.tar.zst").unlink()  # missing
    add_episode(root, "lab-a", episode_id(801), build_episode())
    path = root / "episodes" / "lab-a" / f"{episode_id(801)}.tar.zst"
    path.unlink()
    path.mkdir()  # the file system refuses to read it: hash-failed
    return EpisodeStore(root)


_INGEST = """
import sys
from pathlib import Path
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import IngestOptions, ingest_host
from cis490_pipeline.warehouse.warehouse import Warehouse
store, data = EpisodeStore(Path(sys.argv[1])), Warehouse(Path(sys.argv[2]))
ingest_host(store, data, "lab-a", IngestOptions(threads=2))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) * 1024)
"""


def _peak_rss_of_ingest(store: Path, data: Path) -> int:
    # VmHWM, not ru_maxrss: the latter inherits the peak of the process that forked this one.
    command = [sys.executable, "-c", _INGEST, str(store), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_every_damage_gets_exactly_its_verdict(tmp_path: Path) -> None:
    store = _damaged_store(tmp_path / "store")
    outside = {path for path in tmp_path.rglob("*") if "store" in path.parts}
    assert _peak_rss_of_ingest(store.root, tmp_path / "data") < 500 * MIB
    rows = Warehouse(tmp_path / "data").tables.read(Table.VALIDATION_INDEX).to_pylist()
    by_id = {row["episode_id"]: row for row in rows}
    for number, (_, _, status, reasons) in enumerate(DAMAGED):
        row = by_id[episode_id(number)]
        found = [*row["reasons"], *row["soft_reasons"]]
        assert row["status"] == status, (number, row)
        assert len(found) == len(reasons), (number, found)
        assert all(a.startswith(b) for a, b in zip(found, reasons, strict=True)), (number, found)
    assert by_id[episode_id(800)]["reasons"] == ["tarball-not-on-disk"]
    assert by_id[episode_id(801)]["reasons"][0].startswith("hash-failed:")
    after = {path for path in tmp_path.rglob("*") if "data" not in path.parts}
    assert {p for p in after if "store" in p.parts} == outside  # nothing written into the store
    assert not (tmp_path / "escape").exists()


def test_a_damaged_index_is_reported_and_salvaged(tmp_path: Path) -> None:
    store = _damaged_store(tmp_path / "store")
    good = store.index_path.read_bytes().splitlines()
    torn = good[0] + good[1]
    bad = b"\n".join([torn, b"", b"nonsense", b"\xff\xfe", b"[1]", b'{"episode_id": "../x"}'])
    store.index_path.write_bytes(b"\n".join(good[2:]) + b"\n" + bad + b"\n" + good[2][:40])
    sweep = sweep_store(store, tmp_path / "out.parquet")
    assert len(sweep.rows) == len(good)
    kinds = [damage.kind.value for damage in sweep.reading.damage]
    assert {"torn", "blank", "not_json", "not_utf8", "not_object", "partial"} <= set(kinds)
    assert not {p.name for p in tmp_path.iterdir()} - {"store", "out.parquet"}


def test_an_interrupted_sweep_resumes(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    store = _damaged_store(tmp_path / "store")
    options = IngestOptions(episodes_per_commit=4, limits=ArchiveLimits())
    seen: list[int] = []

    def stop(done: int, _: int) -> None:
        seen.append(done)
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep_store(store, tmp_path / "out.parquet", options=options, progress=stop)
    assert not (tmp_path / "out.parquet").exists()
    sweep = sweep_store(store, tmp_path / "out.parquet", options=options)
    assert sweep.n_resumed == 8
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.equals(VALIDATION_COLUMNS)
    assert table.num_rows == len(DAMAGED) + 2
