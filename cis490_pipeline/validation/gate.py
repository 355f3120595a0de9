"""The gate: pure functions from what was found to a verdict with every reason that applies.

Not here: hashing and opening (``episodes``), the row that is stored (``record``).
Source: episode format, section *The acceptance gate*; reasons are in the order of its table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cis490_pipeline.episodes.archive import DONE_FILE, EXPECTED_FILES, NETFLOW_FILE
from cis490_pipeline.episodes.episode import Episode, JsonScalar, Label, OpenFailure
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.printable import clipped
from cis490_pipeline.schema.channels import Source
from cis490_pipeline.schema.phases import Phase

SCHEMA_VERSION: Final = 1


class Status(StrEnum):
    """What the gate says; ``accepted`` and ``degraded`` episodes train."""

    ACCEPTED = "accepted"
    DEGRADED = "degraded"  # nothing to reject, but a soft reason
    REJECTED = "rejected"
    MISSING = "missing"  # indexed, but not on disk
    ERROR = "error"  # cannot be read or opened


TRAINABLE: Final = frozenset({Status.ACCEPTED, Status.DEGRADED})
"""Verdicts whose episodes get a shard, windows and statistics."""


class ReasonCode(StrEnum):
    """The fixed part of a reason."""

    TARBALL_NOT_ON_DISK = "tarball-not-on-disk"
    HASH_FAILED = "hash-failed"
    OPEN_FAILED = "open-failed"
    SHA_MISMATCH = "sha-mismatch"
    SIZE_MISMATCH = "size-mismatch"
    MISSING_FILES = "missing-files"
    SCHEMA_VERSION = "schema-version"
    LABELS_EMPTY = "labels-empty"
    FIRST_PHASE = "first-phase"
    FIRST_PREV = "first-prev"
    LABELS_NOT_MONOTONIC = "labels-not-monotonic"
    PHASES_META_MISMATCH = "phases-meta-mismatch"
    ROWS_PROC_MISMATCH = "rows-proc-mismatch"
    ROWS_GUEST_MISMATCH = "rows-guest-mismatch"
    ROWS_QMP_MISMATCH = "rows-qmp-mismatch"
    ROWS_NETFLOW_MISMATCH = "rows-netflow-mismatch"
    DONE_MARKER_MISSING = "done-marker-missing"


_WITHOUT_DETAIL: Final = frozenset(
    {
        ReasonCode.TARBALL_NOT_ON_DISK,
        ReasonCode.SHA_MISMATCH,
        ReasonCode.SIZE_MISMATCH,
        ReasonCode.LABELS_EMPTY,
        ReasonCode.LABELS_NOT_MONOTONIC,
        ReasonCode.PHASES_META_MISMATCH,
        ReasonCode.DONE_MARKER_MISSING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason; ``detail`` is what stands behind the colon."""

    code: ReasonCode
    detail: str = ""

    def render(self) -> str:
        """Return the reason as the format writes it.

        >>> Reason(code=ReasonCode.FIRST_PREV, detail="clean").render()
        'first-prev:clean'
        """
        if self.code in _WITHOUT_DETAIL:
            return self.code.value
        return f"{self.code.value}:{self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A status with every reason that applies, hard ones and soft ones."""

    status: Status
    reasons: tuple[Reason, ...] = ()
    soft_reasons: tuple[Reason, ...] = ()

    @property
    def trains(self) -> bool:
        """Whether the episode may be used for training and evaluation."""
        return self.status in TRAINABLE


def judge_missing() -> Verdict:
    """Return the verdict on an episode whose tarball is not on disk."""
    return Verdict(status=Status.MISSING, reasons=(Reason(code=ReasonCode.TARBALL_NOT_ON_DISK),))


def judge_unreadable(error: OSError) -> Verdict:
    """Return the verdict on a tarball that the file system would not hand out."""
    reason = Reason(code=ReasonCode.HASH_FAILED, detail=type(error).__name__)
    return Verdict(status=Status.ERROR, reasons=(reason,))


def judge(
    entry: IndexEntry, sha256: str, size_bytes: int, opened: Episode | OpenFailure
) -> Verdict:
    """Judge a tarball that was read.

    Parameters
    ----------
    entry
        What the index says of it.
    sha256, size_bytes
        What the bytes on disk have.
    opened
        What the bytes on disk hold.
    """
    shipped = tuple(_shipping_reasons(entry, sha256, size_bytes))
    if isinstance(opened, OpenFailure):
        detail = clipped(f"{opened.kind}:{opened.message}", limit=400)
        failure = Reason(code=ReasonCode.OPEN_FAILED, detail=detail)
        return Verdict(status=Status.ERROR, reasons=(failure, *shipped))
    soft = tuple(_soft_reasons(opened))
    reasons = (*shipped, *_content_reasons(opened))
    if reasons:
        return Verdict(status=Status.REJECTED, reasons=reasons, soft_reasons=soft)
    return Verdict(status=Status.DEGRADED if soft else Status.ACCEPTED, soft_reasons=soft)


def _shipping_reasons(entry: IndexEntry, sha256: str, size_bytes: int) -> Iterator[Reason]:
    if sha256 != entry.sha256:
        yield Reason(code=ReasonCode.SHA_MISMATCH)
    if size_bytes != entry.size_bytes:
        yield Reason(code=ReasonCode.SIZE_MISMATCH)


def _soft_reasons(episode: Episode) -> Iterator[Reason]:
    if NETFLOW_FILE not in episode.present:
        yield Reason(code=ReasonCode.MISSING_FILES, detail=NETFLOW_FILE)


def _content_reasons(episode: Episode) -> Iterator[Reason]:
    missing = EXPECTED_FILES - episode.present - {NETFLOW_FILE}
    if missing:
        yield Reason(code=ReasonCode.MISSING_FILES, detail=",".join(sorted(missing)))
    version = None if episode.meta is None else episode.meta.schema_version
    if not _same(version, SCHEMA_VERSION):
        yield Reason(code=ReasonCode.SCHEMA_VERSION, detail=_rendered(version))
    yield from _label_reasons(episode)
    yield from _row_reasons(episode)
    if DONE_FILE not in episode.present:
        yield Reason(code=ReasonCode.DONE_MARKER_MISSING)


def _label_reasons(episode: Episode) -> Iterator[Reason]:
    labels = episode.labels
    if not labels:
        yield Reason(code=ReasonCode.LABELS_EMPTY)
        return
    first = labels[0]
    if first.phase != Phase.CLEAN.value:
        yield Reason(code=ReasonCode.FIRST_PHASE, detail=_rendered(first.phase))
    if first.prev is not None:
        yield Reason(code=ReasonCode.FIRST_PREV, detail=_rendered(first.prev))
    if not _is_monotonic(labels):
        yield Reason(code=ReasonCode.LABELS_NOT_MONOTONIC)
    if _phases_differ(episode):
        yield Reason(code=ReasonCode.PHASES_META_MISMATCH)


def _is_monotonic(labels: tuple[Label, ...]) -> bool:
    times = [label.t_mono_ns for label in labels if label.t_mono_ns is not None]
    return len(times) == len(labels) and times == sorted(times)


def _phases_differ(episode: Episode) -> bool:
    declared = () if episode.meta is None else episode.meta.phases_observed
    if not declared:
        return False
    observed = [label.phase for label in episode.labels]
    return len(declared) != len(observed) or not all(map(_same, declared, observed))


def _row_reasons(episode: Episode) -> Iterator[Reason]:
    declared_rows = {} if episode.meta is None else episode.meta.declared_rows
    for source in Source:
        actual, declared = episode.telemetry[source].n_rows, declared_rows.get(source)
        if declared is not None and declared != actual:
            code = ReasonCode(f"rows-{source.value}-mismatch")
            yield Reason(code=code, detail=f"{actual}!={clipped(str(declared))}")


def _same(a: JsonScalar, b: JsonScalar) -> bool:
    """Compare as JSON: true is not 1, and 1.0 is not the integer 1."""
    return type(a) is type(b) and a == b


def _rendered(value: JsonScalar) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return clipped(str(value))
