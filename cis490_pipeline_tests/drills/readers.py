"""What must hold of the archive and index readers for any bytes: the check of one fuzzed input.

An input is a byte that says how the rest is used, and the rest. Not here: who makes the inputs
(``fuzz_readers``), the inputs that once failed (``found``).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from cis490_pipeline.episodes.archive import Archive, ArchiveLimits, read_archive
from cis490_pipeline.episodes.decode import decode_episode, open_episode
from cis490_pipeline.episodes.episode import Episode, OpenFailure
from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.tail import read_new
from cis490_pipeline.episodes.telemetry_rows import decode_rows, decode_strictly
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.schema.channels import SOURCE_FACTS, Source
from cis490_pipeline.telemetry.grid import Grid, GridLimits, build_grid
from cis490_pipeline.telemetry.labelling import label_windows
from cis490_pipeline_tests.episodes.building import build_members, build_tar, compress, jsonl
from cis490_pipeline_tests.episodes.reading import read_index

LIMITS: Final = ArchiveLimits(max_bytes=4 << 20)
GRID_LIMITS: Final = GridLimits(max_ticks=20_000)
FOUND: Final = Path(__file__).parent / "found"

_MEMBERS: Final[Mapping[str, bytes]] = build_members(seconds=6)
_SOURCES: Final = tuple(Source)


def _whole(opened: Episode | OpenFailure) -> None:
    """Take an opened episode as far as ingest takes it."""
    if isinstance(opened, OpenFailure):
        assert opened.kind
        assert opened.message
        return
    grid = build_grid(opened, GRID_LIMITS)
    if not isinstance(grid, Grid) or grid.t0_wall_ns is None:
        return
    assert np.isfinite(grid.x_TC[~np.isnan(grid.x_TC)]).all()
    label_windows(opened.labels, grid.t0_wall_ns, grid.n_windows)
    window_statistics(grid.x_TC)


def check_compressed(data: bytes) -> None:
    """The bytes are the tarball."""
    _whole(open_episode(data, LIMITS))


def check_tar(data: bytes) -> None:
    """The bytes are the tar inside a sound zstd frame."""
    archive = read_archive(compress(data), LIMITS)
    if isinstance(archive, Archive):
        _whole(decode_episode(archive))


def check_member(data: bytes) -> None:
    """The bytes are one member of an otherwise sound episode; the first one says which."""
    name = sorted(_MEMBERS)[data[0] % len(_MEMBERS)] if data else "meta.json"
    _whole(open_episode(compress(build_tar({**_MEMBERS, name: data[1:]})), LIMITS))


def _outcome(decode: Callable[[Source, bytes], object], source: Source, data: bytes) -> object:
    try:
        rows = decode(source, data)
    except Refused as refused:
        return refused.failure
    return rows.t_wall_ns.tolist(), rows.values.tobytes()  # pyright: ignore[reportAttributeAccessIssue]


def check_rows(data: bytes) -> None:
    """The bytes are a telemetry file: the scanner and the strict parser say the same."""
    source = _SOURCES[data[0] % len(_SOURCES)] if data else Source.PROC
    assert _outcome(decode_rows, source, data[1:]) == _outcome(decode_strictly, source, data[1:])


def check_index(data: bytes) -> None:
    """The bytes are ``index.jsonl``: read fast, strictly and in steps, it says the same."""
    reading = read_index(data)
    last = {entry.episode_id: entry for entry in reading.entries}
    with TemporaryDirectory() as directory:
        path = Path(directory) / "index.jsonl"
        path.write_bytes(data)
        followed = _followed(path, len(data) + 2)
    assert len(last) == len(reading.entries)
    # a last line without newline counts for the reader alone: the follower waits for its end
    assert followed <= set(last)


def _followed(path: Path, max_steps: int) -> set[str]:
    """Return the episodes that a follower finds in small steps."""
    ids: set[str] = set()
    position = None
    for _ in range(max_steps):
        step = read_new(path, position, max_bytes=97, max_line_bytes=1 << 16)
        ids |= {entry.episode_id for entry in step.entries}
        if step.at_end:
            return ids
        position = step.position
    raise AssertionError(f"the follower did not reach the end in {max_steps} steps")


CHECKS: Final = (check_compressed, check_tar, check_member, check_rows, check_index)


def check(data: bytes) -> None:
    """Check one input of the fuzzer."""
    if data:
        CHECKS[data[0] % len(CHECKS)](data[1:])


def seeds() -> list[bytes]:
    """Return one honest input for every check, for the fuzzer to begin with."""
    tar = build_tar(_MEMBERS)
    inputs = [bytes([0]) + compress(tar), bytes([1]) + tar]
    for number, name in enumerate(sorted(_MEMBERS)):
        inputs.append(bytes([2, number]) + _MEMBERS[name][:2000])
    for number, source in enumerate(_SOURCES):
        rows = _MEMBERS[SOURCE_FACTS[source].file_name]
        inputs.append(bytes([3, number]) + b"\n".join(rows.split(b"\n")[:6]))
    row = {"episode_id": "01TEST00000000000000000000", "host_id": "lab-a", "sha256": "0" * 64}
    inputs.append(bytes([4]) + jsonl([{**row, "size_bytes": 1}] * 3))
    return inputs
