"""Writing a synthetic store: episodes by processes, the index last.

The tarballs are not synced one by one: whoever finds an index finds all of them, unless the power
was cut meanwhile, and then the same seed makes the same store again. Not here: what is in it.
"""

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

from cis490_pipeline.errors import StoreError
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.damage import Damage, expected_status
from cis490_pipeline.synthetic.hosts import HostStyle, host_styles
from cis490_pipeline.synthetic.index_lines import damaged_lines, index_row
from cis490_pipeline.synthetic.plan import EpisodePlan, StorePlan, plan_store
from cis490_pipeline.synthetic.recorder import Claim, Recorder, Recording
from cis490_pipeline.warehouse.atomic import write_bytes

INDEX_FILE: Final = "index.jsonl"
MANIFEST_FILE: Final = "synth_manifest.json"
MANIFEST_VERSION: Final = 1
_LARGEST_CHUNK: Final = 50

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthReport:
    """What was written.

    Attributes
    ----------
    raw_bytes, compressed_bytes
        Of the tars that are on disk, and of their tarballs.
    planted
        Number of episodes by kind of damage; only kinds that occur.
    index_damage
        Number of damages of the index, by the reader's kind; only kinds that occur.
    """

    episodes: int
    raw_bytes: int
    compressed_bytes: int
    planted: dict[str, int]
    index_damage: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What the index and the report need to know of an episode on disk."""

    claim: Claim
    earlier_claim: Claim | None
    raw_bytes: int
    compressed_bytes: int


def _no_progress(done: int, total: int) -> None:
    """Report nothing."""


def write_store(
    root: Path, config: SynthConfig, workers: int = 1, progress: Progress = _no_progress
) -> SynthReport:
    """Write a store; the same configuration gives the same bytes, whatever ``workers`` is.

    Parameters
    ----------
    root
        The store's directory; made where it is not there.
    workers
        Processes; 1 writes in this one.
    progress
        Called with (episodes written, episodes in all).

    Raises
    ------
    StoreError
        Where ``root`` holds an index or episodes already: a store is never mixed or replaced; where
        an episode cannot be written.
    WarehouseError
        Where the index or the manifest cannot be written.
    """
    _require_empty(root)
    hosts = host_styles(config.seed, list(config.hosts))
    plan = plan_store(config, list(hosts.values()))
    for host in hosts:
        (root / "episodes" / host).mkdir(parents=True, exist_ok=True)
    written: list[_Written] = []
    for chunk in _write_chunks(root, config, plan.episodes, workers):
        written += chunk
        progress(len(written), len(plan.episodes))
    report = _report(plan, written)
    write_bytes(root / MANIFEST_FILE, _manifest(config, plan, report))
    write_bytes(root / INDEX_FILE, _index(hosts, plan, written))
    return report


def _require_empty(root: Path) -> None:
    for name in (INDEX_FILE, "episodes"):
        if (root / name).exists():
            raise StoreError(
                "a synthetic store is never written over another store",
                where=str(root / name),
                expected="a directory without an index and without episodes",
                found=f"{name} is there",
                todo="name another directory, or remove that store if it was synthetic",
            )


def _write_chunks(
    root: Path, config: SynthConfig, episodes: Sequence[EpisodePlan], workers: int
) -> Iterator[list[_Written]]:
    """Yield what was written, in the order of the plan."""
    # several for each process, so that none waits long for the last one
    size = min(_LARGEST_CHUNK, -(-len(episodes) // (4 * workers)))
    chunks = [episodes[i : i + size] for i in range(0, len(episodes), size)]
    write = partial(_write_chunk, root, config)
    with ExitStack() as stack:
        if workers > 1:
            # spawn: a forked child would inherit locks of threads that it does not have
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(min(workers, len(chunks)), mp_context=context)
            yield from stack.enter_context(pool).map(write, chunks)
        else:
            yield from map(write, chunks)


def _write_chunk(
    root: Path, config: SynthConfig, episodes: Sequence[EpisodePlan]
) -> list[_Written]:
    recorder = Recorder(config)
    return [_write_episode(root, plan, recorder.record(plan)) for plan in episodes]


def _write_episode(root: Path, plan: EpisodePlan, recording: Recording) -> _Written:
    path = root / "episodes" / plan.host / f"{plan.episode_id}.tar.zst"
    try:
        _put(root, path, plan, recording)
    except OSError as error:
        raise StoreError(
            "an episode cannot be written",
            where=str(path),
            found=error.strerror or type(error).__name__,
            todo="check free space and permissions, remove the unfinished store, run again",
        ) from error
    on_disk = recording.blob is not None
    return _Written(
        claim=recording.claim,
        earlier_claim=recording.earlier_claim,
        raw_bytes=recording.raw_bytes if on_disk else 0,
        compressed_bytes=len(recording.blob or b""),
    )


def _put(root: Path, path: Path, plan: EpisodePlan, recording: Recording) -> None:
    if recording.blob is not None:
        path.write_bytes(recording.blob)
    elif plan.damage is Damage.NOT_A_FILE:
        path.mkdir()
    if recording.earlier_blob is not None and plan.shipped_before_by not in (None, plan.host):
        stale = root / "episodes" / str(plan.shipped_before_by) / path.name
        stale.write_bytes(recording.earlier_blob)


def _index(hosts: dict[str, HostStyle], plan: StorePlan, written: Sequence[_Written]) -> bytes:
    rows: list[tuple[bytes, bytes | None]] = []
    for one, facts in zip(plan.episodes, written, strict=True):
        iso_times = hosts[one.host].files.iso_times
        earlier = None
        if facts.earlier_claim is not None and one.shipped_before_by is not None:
            before = facts.earlier_claim
            earlier = index_row(one, one.shipped_before_by, before, iso_times=iso_times)
        rows.append((index_row(one, one.host, facts.claim, iso_times=iso_times), earlier))
    return b"".join(damaged_lines(rows, dict(plan.index_damage)))


def _report(plan: StorePlan, written: Sequence[_Written]) -> SynthReport:
    planted = Counter(one.damage.value for one in plan.episodes if one.damage is not None)
    index_damage = Counter(kind.counted_as for _, kind in plan.index_damage)
    return SynthReport(
        episodes=len(written),
        raw_bytes=sum(one.raw_bytes for one in written),
        compressed_bytes=sum(one.compressed_bytes for one in written),
        planted=dict(sorted(planted.items())),
        index_damage=dict(sorted(index_damage.items())),
    )


def _manifest(config: SynthConfig, plan: StorePlan, report: SynthReport) -> bytes:
    """Return what was planted where, and what a reader must say to it."""
    manifest = {
        "format_version": MANIFEST_VERSION,
        "config": {**asdict(config), "hosts": dict(config.hosts)},
        "max_bytes": config.max_bytes,
        **asdict(report),
        "expected": {one.episode_id: _expectation(one) for one in plan.episodes},
    }
    return json.dumps(manifest, indent=1).encode() + b"\n"


def _expectation(plan: EpisodePlan) -> dict[str, str | None]:
    statuses = {
        name: expected_status(plan.damage, has_netflow=plan.has_netflow, at_max_bytes=lowered)
        for name, lowered in (("status", False), ("status_at_max_bytes", True))
    }
    return {
        "host_id": plan.host,
        "damage": None if plan.damage is None else plan.damage.value,
        **{name: status.value for name, status in statuses.items()},
    }
