"""The index's rows by the strict reader alone, and the reading that has to equal them."""

import tempfile
from pathlib import Path

from cis490_pipeline.episodes.index import (
    Damage,
    DamageKind,
    Finding,
    IndexEntry,
    IndexReading,
    read_line,
    read_unfinished_line,
)
from cis490_pipeline.episodes.printable import excerpt
from cis490_pipeline.episodes.received import read_received


def findings_of(data: bytes) -> list[Finding]:
    """Return what every line says, one after the other, by the strict reader."""
    *lines, unfinished = data.split(b"\n")
    findings: list[Finding] = []
    offset = 0
    for number, raw in enumerate(lines, start=1):
        findings += read_line(raw, line=number, offset=offset)
        offset += len(raw) + 1
    if unfinished:
        findings += read_unfinished_line(unfinished, line=len(lines) + 1, offset=offset)
    return findings


def strictly(data: bytes) -> tuple[tuple[IndexEntry, ...], tuple[Damage, ...]]:
    """Return the entries and the damage of one file, written as plainly as possible."""
    latest: dict[str, IndexEntry] = {}
    damage: list[Damage] = []
    duplicates: list[Damage] = []
    for one in findings_of(data):
        if isinstance(one, Damage):
            damage.append(one)
            continue
        before = latest.pop(one.episode_id, None)
        if before is not None:
            text = excerpt(data[before.offset :].split(b"\n", 1)[0][:200])
            place = {"line": before.line, "offset": before.offset}
            duplicates.append(Damage(kind=DamageKind.DUPLICATE, excerpt=text, **place))
        latest[one.episode_id] = one
    damage = sorted([*damage, *duplicates], key=lambda one: (one.line, one.offset))
    return tuple(latest[name] for name in sorted(latest)), tuple(damage)


def read_index(data: bytes) -> IndexReading:
    """Read one file's bytes as users do; it must say what the strict reader says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.jsonl"
        path.write_bytes(data)
        reading = read_received(path)
    assert (reading.entries, reading.damage) == strictly(data)
    assert (reading.files, reading.everything) == (("index.jsonl",), True)
    return reading
