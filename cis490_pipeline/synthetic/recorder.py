"""One episode from its plan to its bytes.

Not here: files on disk (``store``).
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from cis490_pipeline.schema.channels import SOURCE_FACTS, Source
from cis490_pipeline.synthetic.archive import Bytes, Compressor, Member, tar_parts
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
from cis490_pipeline.synthetic.hosts import HostStyle, host_styles
from cis490_pipeline.synthetic.loads import BENIGN
from cis490_pipeline.synthetic.plan import EpisodePlan
from cis490_pipeline.synthetic.random_streams import Stream, generator
from cis490_pipeline.synthetic.row_text import RowWriter, json_text
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


class Recorder:
    """Makes episodes one after the other; what it makes depends on nothing but its arguments.

    Notes
    -----
    It only holds memory that is used again: not to be shared between threads.
    """

    def __init__(self, config: SynthConfig) -> None:
        self._config = config
        self._hosts = host_styles(config.seed, list(config.hosts))
        self._rows = RowWriter()
        self._compressor = Compressor()

    def record(self, plan: EpisodePlan) -> Recording:
        """Make one episode."""
        host = self._hosts[plan.host]
        rng = generator(self._config.seed, Stream.EPISODE, plan.host, plan.number)
        files = damaged_files(self._files(rng, host, plan), plan.damage, rng)
        prefix = f"{plan.episode_id}/" if host.files.directory_prefix else ""
        members = [Member(path=prefix + name, content=text) for name, text in files.items()]
        members = damaged_members(members, plan.damage, max_bytes=self._config.max_bytes)
        parts = damaged_tar(tar_parts(members, host.files, _ended_ns(plan)), plan.damage, rng)
        raw_bytes = sum(map(len, parts))
        whole = self._compressor.compress(parts, raw_bytes, host.files)
        return _ship(plan, whole, raw_bytes)

    def _files(
        self, rng: np.random.Generator, host: HostStyle, plan: EpisodePlan
    ) -> dict[str, Bytes]:
        """Return the files by name, in the order in which they stand in the tar."""
        schedule = draw_schedule(rng, plan.seconds, control=plan.profile == BENIGN)
        rows = _telemetry(rng, host, plan, schedule)
        labels = damaged_labels(label_rows(schedule, plan.started_ns), plan.damage)
        spaced = host.files.spaced
        files: dict[str, Bytes] = {
            "meta.json": json_text(_meta(plan, host, labels, rows), spaced=spaced) + b"\n",
            "labels.jsonl": _jsonl(labels, spaced=spaced),
            "events.jsonl": _jsonl(event_rows(labels, _ended_ns(plan)), spaced=spaced),
        }
        for source, one in rows.items():
            name = SOURCE_FACTS[source].file_name
            files[name] = self._rows.text(source, one, spaced=spaced)
        if plan.has_pcap:
            files["network.pcap"] = packet_capture(rng, plan.started_ns, plan.seconds)
        return {**files, "done.marker": b"done\n"}


def _meta(
    plan: EpisodePlan, host: HostStyle, labels: list[JsonRow], rows: dict[Source, SourceRows]
) -> JsonRow:
    n_rows = {source: one.n_rows for source, one in rows.items()}
    if plan.damage is Damage.MISSING_NETFLOW:
        n_rows.pop(Source.NETFLOW)  # else the count would not agree: a reason to reject
    meta, result = meta_object(plan, host, labels, n_rows)
    return damaged_meta(meta, result, plan.damage)


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
