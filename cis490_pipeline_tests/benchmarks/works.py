"""What a child process can be told to do.

A work is made with an amount (its imports happen then) and called with a store and a directory to
write to; it returns facts about itself, ``episodes`` among them. Not here: who measures it.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from cis490_pipeline_tests.benchmarks.clocks import cpu_seconds

Work = Callable[[Path, Path], dict[str, float]]


def _ingest(threads: int) -> Work:
    from cis490_pipeline.episodes.store import EpisodeStore
    from cis490_pipeline.ingest.due import hosts_to_ingest
    from cis490_pipeline.ingest.options import IngestOptions
    from cis490_pipeline.ingest.run import ingest_host
    from cis490_pipeline.warehouse.warehouse import Warehouse

    def work(root: Path, out: Path) -> dict[str, float]:
        store, warehouse = EpisodeStore(root), Warehouse(out)
        hosts = hosts_to_ingest(store, warehouse)
        options = IngestOptions(threads=threads)
        reports = [ingest_host(store, warehouse, host, options) for host in hosts]
        return {
            "episodes": sum(report.episodes_new for report in reports),
            "windows": sum(report.windows_total for report in reports),
            "shard_bytes": sum(report.shard_bytes for report in reports),
        }

    return work


def _limit(_: int) -> Work:
    from cis490_pipeline_tests.benchmarks.limit import PhysicalLimit

    limit = PhysicalLimit()

    def work(root: Path, out: Path) -> dict[str, float]:
        joining_s = 0.0
        paths = indexed(root)
        for path, _ in paths:
            joining_s += limit.visit(path)
        return {"episodes": len(paths), "joining_cpu_s": joining_s}

    return work


def _straightforward(variant: str) -> Callable[[int], Work]:
    def made(sample: int) -> Work:
        from cis490_pipeline_tests.benchmarks import straightforward as slow
        from cis490_pipeline_tests.reference.windows import summary_loops, summary_per_window

        summary = {"loops": summary_loops, "per-window": summary_per_window}[variant]

        def work(root: Path, out: Path) -> dict[str, float]:
            out.mkdir(parents=True, exist_ok=True)
            parts = dict.fromkeys(("validate", "features", "tensors"), 0.0)
            chosen = spaced(indexed(root), sample)
            for path, sha256 in chosen:
                parts["validate"] += cpu_seconds(partial(slow.validate, path, sha256))
                parts["features"] += cpu_seconds(partial(slow.features, path, summary))
                parts["tensors"] += cpu_seconds(partial(slow.tensors, path, out))
            per_episode = {f"{k}_cpu_ms": 1e3 * v / len(chosen) for k, v in parts.items()}
            return {"episodes": len(chosen), **per_episode}

        return work

    return made


def indexed(root: Path) -> list[tuple[Path, str]]:
    """Tarball and hash of every episode of an index without damage, in its order."""
    rows = [json.loads(line) for line in (root / "index.jsonl").read_bytes().splitlines()]
    return [
        (root / "episodes" / row["host_id"] / f"{row['episode_id']}.tar.zst", row["sha256"])
        for row in rows
    ]


def spaced(items: list[tuple[Path, str]], n: int) -> list[tuple[Path, str]]:
    """About ``n`` of them, evenly over the whole."""
    return items[:: max(1, len(items) // n)][:n]


WORKS: Final[dict[str, Callable[[int], Work]]] = {
    "ingest": _ingest,
    "limit": _limit,
    "straightforward-per-window": _straightforward("per-window"),
    "straightforward-loops": _straightforward("loops"),
}
