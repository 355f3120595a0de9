"""One episode from its plan to its bytes.

A pure function of configuration, host and plan. Not here: files on disk (``store``).
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from cis490_pipeline.schema.channels import SOURCE_FACTS, Source
from cis490_pipeline.synthetic.archive import Member, compress, tar_bytes
from cis490_pipeline.synthetic.archive_damage import (
    cut_off,
    damaged_blob,
    damaged_members,
    damaged_tar,
)
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.content_damage import damaged_files, damaged_labels, damaged_meta
from cis490_pipeline.synthetic.damage import Damage
from cis490_pipeline.synthetic.documents import (
    JsonRow,
    event_rows,
    label_rows,
    meta_object,
    packet_capture,
)
from cis490_pipeline.synthetic.drivers import draw_drivers
from cis490_pipeline.synthetic.hosts import HostStyle
from cis490_pipeline.synthetic.loads import BENIGN
from cis490_pipeline.synthetic.plan import EpisodePlan
from cis490_pipeline.synthetic.random_streams import Stream, generator
from cis490_pipeline.synthetic.row_text import json_text, rows_text
from cis490_pipeline.synthetic.schedule import Schedule, draw_schedule
from cis490_pipeline.synthetic.signals import SourceRows, draw_rows

_WRONG_SHA: Final = hashlib.sha256(b"another tarball").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a row of the index says of a tarball."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """An episode as it was shipped.

    Attributes
    ----------
    blob
        What lies on disk; None where nothing does.
    earlier_blob, earlier_claim
        The broken tarball that was shipped first; None where there was none.
    raw_bytes
        Of the tar.
    """

    blob: bytes | None
    claim: Claim
    earlier_blob: bytes | None
    earlier_claim: Claim | None
    raw_bytes: int


def record_episode(config: SynthConfig, host: HostStyle, plan: EpisodePlan) -> Recording:
    """Make one episode."""
    rng = generator(config.seed, Stream.EPISODE, plan.host, plan.number)
    files = _files(rng, host, plan)
    prefix = f"{plan.episode_id}/" if host.files.directory_prefix else ""
    members = [Member(path=prefix + name, content=text) for name, text in files.items()]
    members = damaged_members(members, plan.damage, max_bytes=config.max_bytes)
    raw = tar_bytes(members, host.files, plan.started_ns + int(plan.seconds * 1e9))
    raw = damaged_tar(raw, plan.damage, rng)
    whole = compress(raw, host.files)
    return _ship(plan, whole, len(raw))


def _ship(plan: EpisodePlan, whole: bytes, raw_bytes: int) -> Recording:
    blob = damaged_blob(whole, plan.damage)
    # What breaks on the way leaves the sender's hash in the index.
    claim = _claim(whole if plan.damage is Damage.CUT_OFF else blob)
    if plan.damage is Damage.SHA_MISMATCH:
        claim = Claim(sha256=_WRONG_SHA, size_bytes=claim.size_bytes)
    elif plan.damage is Damage.SIZE_MISMATCH:
        claim = Claim(sha256=claim.sha256, size_bytes=claim.size_bytes + 1)
    earlier = None if plan.shipped_before_by is None else cut_off(whole)
    not_there = plan.damage in (Damage.TARBALL_MISSING, Damage.NOT_A_FILE)
    return Recording(
        blob=None if not_there else blob,
        claim=claim,
        earlier_blob=earlier,
        earlier_claim=None if earlier is None else _claim(earlier),
        raw_bytes=raw_bytes,
    )


def _claim(blob: bytes) -> Claim:
    return Claim(sha256=hashlib.sha256(blob).hexdigest(), size_bytes=len(blob))


def _files(rng: np.random.Generator, host: HostStyle, plan: EpisodePlan) -> dict[str, bytes]:
    """Return the files by name, in the order in which they stand in the tar."""
    schedule = draw_schedule(rng, plan.seconds, control=plan.profile == BENIGN)
    rows = _telemetry(rng, host, plan, schedule)
    labels = damaged_labels(label_rows(schedule, plan.started_ns), plan.damage)
    n_rows = {source: one.n_rows for source, one in rows.items()}
    if plan.damage is Damage.MISSING_NETFLOW:
        n_rows.pop(Source.NETFLOW)  # else the count would not agree: a reason to reject
    meta, result = meta_object(plan, host, labels, n_rows)
    meta = damaged_meta(meta, result, plan.damage)
    spaced = host.files.spaced
    files = {
        "meta.json": json_text(meta, spaced=spaced) + b"\n",
        "labels.jsonl": _jsonl(labels, spaced=spaced),
        "events.jsonl": _jsonl(event_rows(labels, _ended_ns(plan)), spaced=spaced),
    }
    for source, one in rows.items():
        files[SOURCE_FACTS[source].file_name] = rows_text(source, one, spaced=spaced)
    if plan.has_pcap:
        files["network.pcap"] = packet_capture(rng, plan.started_ns, plan.seconds)
    files["done.marker"] = b"done\n"
    return damaged_files(files, plan.damage, rng)


def _telemetry(
    rng: np.random.Generator, host: HostStyle, plan: EpisodePlan, schedule: Schedule
) -> dict[Source, SourceRows]:
    drivers_TL = draw_drivers(rng, host, plan.profile, schedule)
    sources = [source for source in Source if plan.has_netflow or source is not Source.NETFLOW]
    return {
        source: draw_rows(
            rng, host, drivers_TL, source, seconds=plan.seconds, started_ns=plan.started_ns
        )
        for source in sources
    }


def _ended_ns(plan: EpisodePlan) -> int:
    return plan.started_ns + int(plan.seconds * 1e9)


def _jsonl(rows: list[JsonRow], *, spaced: bool) -> bytes:
    return b"".join(json_text(row, spaced=spaced) + b"\n" for row in rows)
