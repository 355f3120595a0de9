"""The script that makes ``data/corpus/smoke_index.jsonl``: 48 episodes that make a smoke run tell.

Run it after the corpus or the id_val hash has changed: ``python -m
cis490_pipeline_tests.corpus.smoke_index``. A test runs it and compares. It reads the tarballs with
``tarfile`` alone, so that a fault of the pipeline's own reader cannot change the choice.

A good smoke set has, on each host: every profile in equal number, controls, both samples of a
profile, degraded episodes where the host has them, every phase, and id_val episodes of several
profiles once the other host is held out.
"""

import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.planning import is_id_val

CORPUS = Path(__file__).resolve().parents[2] / "data" / "corpus"
PER_HOST = 24
SHORT_S = 20.0  # fewer than three windows


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeEntry:
    """What the choice looks at in one indexed episode."""

    episode_id: str
    host_id: str
    profile: str
    sample_name: str
    degraded: bool
    phases: frozenset[str]
    duration_s: float


def choose_smoke(entries: Iterable[SmokeEntry], *, per_host: int = PER_HOST) -> tuple[str, ...]:
    """Return the ids of ``per_host`` episodes of each host, sorted."""
    by_host: defaultdict[str, list[SmokeEntry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda e: e.episode_id):
        by_host[entry.host_id].append(entry)
    return tuple(
        sorted(e.episode_id for some in by_host.values() for e in _of_host(some, per_host))
    )


def smoke_lines(index: bytes, chosen: Iterable[str]) -> bytes:
    """Return the chosen lines of an index, untouched and in its order."""
    wanted = set(chosen)
    lines = index.splitlines(keepends=True)
    return b"".join(line for line in lines if json.loads(line)["episode_id"] in wanted)


def corpus_entries(corpus: Path) -> tuple[SmokeEntry, ...]:
    """Return what the choice needs of every indexed episode."""
    rows = [json.loads(line) for line in (corpus / "index.jsonl").read_bytes().splitlines()]
    return tuple(_entry(corpus, row["host_id"], row["episode_id"]) for row in rows)


def smoke_index(corpus: Path) -> bytes:
    """Return the content of ``smoke_index.jsonl`` for a corpus."""
    chosen = choose_smoke(corpus_entries(corpus))
    return smoke_lines((corpus / "index.jsonl").read_bytes(), chosen)


def _entry(corpus: Path, host: str, episode: str) -> SmokeEntry:
    members = _members(corpus / "episodes" / host / f"{episode}.tar.zst")
    meta = json.loads(members["meta.json"])
    labels = [json.loads(line) for line in members["labels.jsonl"].splitlines()]
    sample: dict[str, Any] = meta["sample"]
    return SmokeEntry(
        episode_id=episode,
        host_id=host,
        profile=sample["profile"],
        sample_name=sample["name"],
        degraded="netflow.jsonl" not in members,
        phases=frozenset(label["phase"] for label in labels),
        duration_s=meta["result"]["duration_observed_s"],
    )


def _members(path: Path) -> dict[str, bytes]:
    with (
        zstandard.open(path, "rb") as stream,
        tarfile.open(fileobj=io.BytesIO(stream.read())) as archive,
    ):
        files = [member for member in archive if member.isfile()]
        return {Path(m.name).name: archive.extractfile(m).read() for m in files}


def _of_host(entries: Sequence[SmokeEntry], n: int) -> list[SmokeEntry]:
    """Deal ``n`` places to the profiles in turn; a profile that runs dry gives its turn away."""
    queues: defaultdict[str, list[SmokeEntry]] = defaultdict(list)
    for entry in entries:
        queues[entry.profile].append(entry)
    ordered = [_by_use(queues[profile]) for profile in sorted(queues)]
    chosen: list[SmokeEntry] = []
    while len(chosen) < n and any(ordered):
        for queue in ordered:
            if queue and len(chosen) < n:
                chosen.append(queue.pop(0))
    return chosen


def _by_use(entries: Sequence[SmokeEntry]) -> list[SmokeEntry]:
    """Order a profile: an id_val episode first, then whichever adds most to what is there."""
    left, taken = list(entries), list[SmokeEntry]()
    while left:
        best = min(left, key=lambda entry: _rank(entry, taken))
        left.remove(best)
        taken.append(best)
    return taken


def _rank(entry: SmokeEntry, taken: Sequence[SmokeEntry]) -> tuple[object, ...]:
    same_name = [e for e in taken if e.sample_name == entry.sample_name]
    same_status = [e for e in taken if e.degraded == entry.degraded]
    same_both = [e for e in same_name if e.degraded == entry.degraded]
    wanted_role = is_id_val(entry.episode_id, SplitConfig()) == (not taken)
    return (
        entry.duration_s < SHORT_S,
        not wanted_role,
        len(same_name),
        len(same_status),
        len(same_both),
        -len(entry.phases),
        entry.episode_id,
    )


if __name__ == "__main__":
    (CORPUS / "smoke_index.jsonl").write_bytes(smoke_index(CORPUS))
