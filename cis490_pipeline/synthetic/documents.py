"""``meta.json``, ``labels.jsonl``, ``events.jsonl`` and a packet capture of one episode.

Not here: telemetry (``row_text``), damage.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from cis490_pipeline.schema.channels import Source
from cis490_pipeline.schema.phases import FAILED, Phase
from cis490_pipeline.synthetic.hosts import HostStyle
from cis490_pipeline.synthetic.loads import BENIGN
from cis490_pipeline.synthetic.plan import EpisodePlan
from cis490_pipeline.synthetic.schedule import Schedule

JsonRow = dict[str, object]

_REASONS = {
    Phase.CLEAN.value: "episode-start",
    Phase.ARMED.value: "payload-delivery",
    Phase.INFECTING.value: "payload-exec",
    Phase.INFECTED_RUNNING.value: "payload-active",
    Phase.DORMANT.value: "payload-paused",
    FAILED: "payload-died",
}
_SNAP_BYTES = 96
_PCAP_BYTES_PER_S = 785  # 200 kB in 255 s
_PCAP_HEADER = np.array([0xA1B2C3D4, 0x00040002, 0, 0, _SNAP_BYTES, 1], "<u4").tobytes()


def iso_time(t_ns: int) -> str:
    """Return Unix nanoseconds as ISO 8601 in UTC, with milliseconds.

    >>> iso_time(1_795_322_867_469_581_373)
    '2026-11-22T04:47:47.469Z'
    """
    whole = datetime.fromtimestamp(t_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{t_ns // 1_000_000 % 1000:03d}Z"


def label_rows(schedule: Schedule, started_ns: int) -> list[JsonRow]:
    """Return the labels: a row opens each phase."""
    times_ns = [int(start_s * 1e9) for start_s in schedule.starts_s]
    before = (None, *schedule.phases)
    return [
        {
            "t_mono_ns": t_ns,
            "t_wall_ns": started_ns + t_ns,
            "phase": phase,
            "prev": prev,
            "reason": _REASONS[phase],
        }
        for t_ns, phase, prev in zip(times_ns, schedule.phases, before, strict=False)
    ]


def event_rows(labels: list[JsonRow], ended_ns: int) -> list[JsonRow]:
    """Return what the orchestrator says about the labels."""
    events = [
        {"t_mono_ns": row["t_mono_ns"], "t_wall_ns": row["t_wall_ns"], "event": row["reason"]}
        for row in labels
    ]
    return [*events, {"t_wall_ns": ended_ns, "event": "episode-end"}]


def meta_object(
    plan: EpisodePlan, host: HostStyle, labels: list[JsonRow], n_rows: Mapping[Source, int]
) -> tuple[JsonRow, JsonRow]:
    """Return ``meta.json``, and the ``result`` in it.

    A source without an entry in ``n_rows`` is declared as null.
    """
    kind = "control" if plan.profile == BENIGN else "emulated"
    declared = {f"rows_{source.value}": n_rows.get(source) for source in Source}
    result: JsonRow = {
        "duration_observed_s": plan.seconds,
        **declared,
        "phases_observed": [row["phase"] for row in labels],
    }
    meta: JsonRow = {
        "schema_version": 1,
        "episode_id": plan.episode_id,
        "host_id": plan.host,
        "started_at_wall": iso_time(plan.started_ns),
        "code_version": {"commit": host.commit, "branch": "main", "dirty": False},
        "sample": {"profile": plan.profile, "name": plan.sample, "kind": kind},
        "result": result,
    }
    return meta, result


def packet_capture(rng: np.random.Generator, started_ns: int, seconds: float) -> bytes:
    """Return a capture with packets of noise: as many bytes as it is long."""
    packet = np.dtype(
        [("s", "<u4"), ("us", "<u4"), ("kept", "<u4"), ("size", "<u4"), ("data", "V96")]
    )
    n = max(1, int(seconds * _PCAP_BYTES_PER_S) // packet.itemsize)
    packets = np.frombuffer(rng.bytes(n * packet.itemsize), packet).copy()
    t_us = started_ns // 1000 + np.sort(rng.integers(0, int(seconds * 1e6), size=n))
    packets["s"], packets["us"] = t_us // 1_000_000, t_us % 1_000_000
    packets["kept"], packets["size"] = _SNAP_BYTES, rng.integers(_SNAP_BYTES, 1514, size=n)
    return _PCAP_HEADER + packets.tobytes()
