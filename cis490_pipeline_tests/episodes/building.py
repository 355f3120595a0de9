"""Episodes and stores made in memory, for every test that needs one.

The shortest uses::

    blob = build_episode()                                    # accepted: 30 s, all five phases
    blob = build_episode(drop=["netflow.jsonl"])              # degraded
    blob = build_episode(meta={"schema_version": 2})          # rejected
    blob = build_episode(replace={"meta.json": b"["})         # open-failed
    store = build_store(tmp_path, {"lab-a": 3, "lab-b": 2})   # a whole store, index included
    store = build_store(tmp_path, {"lab-a": 2}, seconds=5, profile="benign", phases=["clean"])
    add_episode(store.root, "lab-a", episode_id(7), build_episode(seconds=60))

An episode is consistent unless a knob says otherwise: ``meta.json`` declares the rows and phases
that the files have. Telemetry is made by arithmetic (no randomness): counters rise, gauges swing.
Not here: realistic signals (``cis490_pipeline.synthetic``) and the real corpus.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import zstandard

from cis490_pipeline.schema.channels import SOURCE_FACTS, Kind, Source, channels_of

T0_NS = 1_795_322_672_000_000_000
"""``t_wall_ns`` of the first label."""

PHASES = ("clean", "armed", "infecting", "infected_running", "dormant")
_ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Row = dict[str, Any]


def episode_id(number: int) -> str:
    """Return the ``number``-th ULID of the tests; they sort like their numbers.

    >>> episode_id(33)
    '01TEST00000000000000000011'
    """
    digits = ""
    for _ in range(20):
        number, digit = divmod(number, 32)
        digits = _ULID_DIGITS[digit] + digits
    return "01TEST" + digits


def jsonl(rows: Iterable[object]) -> bytes:
    """Return rows as compact JSON lines, each with its newline."""
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)


def label_rows(phases: Sequence[str] = PHASES, *, seconds: float = 30.0) -> list[Row]:
    """Return labels that share ``seconds`` evenly among ``phases``."""
    step_ns = int(seconds * 1e9 / max(1, len(phases)))
    return [
        {
            "t_mono_ns": i * step_ns,
            "t_wall_ns": T0_NS + i * step_ns,
            "phase": phase,
            "prev": phases[i - 1] if i else None,
            "reason": "test",
        }
        for i, phase in enumerate(phases)
    ]


def telemetry_rows(source: Source, *, seconds: float = 30.0) -> list[Row]:
    """Return one source's rows at its nominal period, all channels present."""
    period_ns = SOURCE_FACTS[source].period_ns
    return [_telemetry_row(source, i, period_ns) for i in range(int(seconds * 1e9) // period_ns)]


def _telemetry_row(source: Source, i: int, period_ns: int) -> Row:
    uptime_ns = 4_000_000_000_000 if source is Source.NETFLOW else 0
    row: Row = {"t_mono_ns": uptime_ns + i * period_ns, "t_wall_ns": T0_NS + i * period_ns}
    for j, channel in enumerate(channels_of(source)):
        swing = (i * (j + 3)) % 17
        row[channel.name] = 1000 * (j + 1) + (
            i * (j + 1) if channel.kind is Kind.COUNTER else swing
        )
    return row


def meta_object(
    *,
    labels: Sequence[Row],
    rows: Mapping[Source, Sequence[Row]],
    seconds: float = 30.0,
    profile: str = "io-walk",
    sample_name: str = "walker-a",
    host_id: str = "lab-a",
    episode: str | None = None,
) -> Row:
    """Return a ``meta.json`` that agrees with labels and rows (None for a source without rows)."""
    return {
        "schema_version": 1,
        "episode_id": episode or episode_id(0),
        "host_id": host_id,
        "started_at_wall": "2026-11-22T04:44:32.000Z",
        "code_version": {"commit": "c0ffee", "branch": "main", "dirty": False},
        "sample": {
            "profile": profile,
            "name": sample_name,
            "kind": "control" if profile == "benign" else "emulated",
        },
        "result": {
            "duration_observed_s": seconds,
            **{
                f"rows_{source.value}": len(rows[source]) if source in rows else None
                for source in Source
            },
            "phases_observed": [label.get("phase") for label in labels],
        },
    }


def build_members(
    *,
    seconds: float = 30.0,
    phases: Sequence[str] = PHASES,
    profile: str = "io-walk",
    sample_name: str = "walker-a",
    host_id: str = "lab-a",
    episode: str | None = None,
    labels: Sequence[Row] | None = None,
    rows: Mapping[Source, Sequence[Row]] | None = None,
    meta: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
    drop: Iterable[str] = (),
    replace: Mapping[str, bytes] | None = None,
    pcap: bool = False,
) -> dict[str, bytes]:
    """Return an episode's members by base name.

    Parameters
    ----------
    seconds, phases
        Length and labels (evenly spread over it).
    labels, rows
        Rows to use instead of the made ones; ``rows`` by source, others are made.
    meta, result
        Keys that override those of ``meta.json`` and of its ``result``.
    drop
        Base names to leave out. A dropped telemetry file is declared as null rows.
    replace
        Bytes to use for a member as they are; also adds members of any name.
    pcap
        Add a ``network.pcap`` of a few kB.
    """
    dropped = set(drop)
    the_labels = label_rows(phases, seconds=seconds) if labels is None else list(labels)
    made = {s: telemetry_rows(s, seconds=seconds) for s in Source if s not in (rows or {})}
    all_rows = {
        source: chosen
        for source, chosen in {**made, **(rows or {})}.items()
        if SOURCE_FACTS[source].file_name not in dropped
    }
    the_meta = meta_object(
        labels=the_labels, rows=all_rows, seconds=seconds, profile=profile,
        sample_name=sample_name, host_id=host_id, episode=episode,
    )  # fmt: skip
    the_meta["result"].update(result or {})
    the_meta.update(meta or {})
    members = {
        "meta.json": json.dumps(the_meta, indent=1).encode(),
        "labels.jsonl": jsonl(the_labels),
        "events.jsonl": jsonl([{"t_wall_ns": T0_NS, "event": "episode-start"}]),
        **{SOURCE_FACTS[s].file_name: jsonl(chosen) for s, chosen in all_rows.items()},
        **({"network.pcap": bytes(range(256)) * 16} if pcap else {}),
        "done.marker": b"done\n",
        **(replace or {}),
    }
    return {name: raw for name, raw in members.items() if name not in dropped}


def build_tar(
    members: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    *,
    prefix: str = "",
    tar_format: int = tarfile.USTAR_FORMAT,
    extra: Iterable[tarfile.TarInfo] = (),
) -> bytes:
    """Return a tar; pairs may repeat a name, ``extra`` are headers without content."""
    if isinstance(members, Mapping):
        members = cast("Mapping[str, bytes]", members).items()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for name, raw in members:
            info = tarfile.TarInfo(prefix + name)
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
        for info in extra:
            tar.addfile(info)
    return buffer.getvalue()


def compress(raw: bytes, *, level: int = 3, content_size: bool = True) -> bytes:
    """Return one zstd frame."""
    return zstandard.ZstdCompressor(level=level, write_content_size=content_size).compress(raw)


def build_episode(*, prefix: str = "", **knobs: Any) -> bytes:
    """Return a ``.tar.zst``; the knobs are those of ``build_members``."""
    return compress(build_tar(build_members(**knobs), prefix=prefix))


def index_row(host_id: str, episode: str, blob: bytes, /, **changes: Any) -> Row:
    """Return the index row that a receiver would write, with some keys changed."""
    return {
        "episode_id": episode,
        "host_id": host_id,
        "sha256": hashlib.sha256(blob).hexdigest(),
        "size_bytes": len(blob),
        "received_at_wall": "2026-11-22T04:45:11.653Z",
        **changes,
    }


def add_episode(root: Path, host_id: str, episode: str, blob: bytes, /, **changes: Any) -> Row:
    """Put a tarball into a store and append its index row (``changes`` falsify the row)."""
    path = root / "episodes" / host_id / f"{episode}.tar.zst"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(blob)
    row = index_row(host_id, episode, blob, **changes)
    with (root / "index.jsonl").open("ab") as index:
        index.write(jsonl([row]))
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltStore:
    """A store on disk and the index rows in it."""

    root: Path
    rows: tuple[Row, ...]


def build_store(root: Path, hosts: Mapping[str, int], **knobs: Any) -> BuiltStore:
    """Make a store with so many episodes per host; ids count through all hosts from 0.

    The knobs are those of ``build_members`` and hold for all; sample names differ by episode, so
    that no two tarballs are equal.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / "index.jsonl").touch()
    owners = [host for host, count in hosts.items() for _ in range(count)]
    rows: list[Row] = []
    for number, host in enumerate(owners):
        name = episode_id(number)
        blob = build_episode(
            **{"sample_name": f"sample-{number}", "host_id": host, "episode": name, **knobs}
        )
        rows.append(add_episode(root, host, name, blob))
    return BuiltStore(root=root, rows=tuple(rows))
