"""Whether an episode must be looked at (again), or its verdict stands.

Not here: looking at it (``ingest``).
Source: episode format, section *The acceptance gate*, Retry.
"""

from dataclasses import dataclass

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import FileStamp
from cis490_pipeline.validation.gate import ReasonCode, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVerdict:
    """What the validation index holds of an episode; its file's stamp is None where it was missing.

    ``host_id`` is the host in whose partition it is held.
    """

    host_id: str
    sha256: str
    status: str
    reasons: tuple[str, ...]
    file_size_bytes: int | None
    file_mtime_ns: int | None


def needs_visit(entry: IndexEntry, held: HeldVerdict | None, stamp: FileStamp | None) -> bool:
    """Say whether an indexed episode has to be judged in this run.

    Parameters
    ----------
    entry
        What the index says now.
    held
        The verdict at hand, None for a new episode.
    stamp
        Of the file on disk now, None where there is none.

    Notes
    -----
    ``missing`` and ``error`` from the file system are tried at every run. Every other verdict
    stands until the index names another host or hash, or the file changed. A file that is gone
    has changed: an incremental sweep then says what a fresh one would.
    """
    if held is None or held.host_id != entry.host_id or held.sha256 != entry.sha256:
        return True
    if held.status == Status.MISSING.value or _is_file_system_error(held):
        return True
    if stamp is None:
        return True
    return (stamp.size_bytes, stamp.mtime_ns) != (held.file_size_bytes, held.file_mtime_ns)


def _is_file_system_error(held: HeldVerdict) -> bool:
    prefix = f"{ReasonCode.HASH_FAILED.value}:"
    return held.status == Status.ERROR.value and any(r.startswith(prefix) for r in held.reasons)
