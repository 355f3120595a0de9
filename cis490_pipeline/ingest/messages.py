"""What a supervisor and its worker say to each other: one job in, JSON lines out.

Not here: the processes (``child``, ``worker``).
"""

from typing import TypeAlias

import msgspec

from cis490_pipeline import errors
from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import FileStamp
from cis490_pipeline.errors import Cis490Error
from cis490_pipeline.ingest.options import Condemned


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What every job says: who asks, what is read, and how.

    ``parent`` is the process that the worker must not outlive; ``box`` the path of the black box.
    """

    parent: int
    box: str
    store: str
    index: str
    threads: int
    episodes_per_commit: int
    limits: ArchiveLimits
    with_content: bool
    condemned: tuple[Condemned, ...] = ()


class IngestJob(Job, tag="ingest", frozen=True, kw_only=True):
    """Bring a host's tables and shards up to date."""

    data: str
    host_id: str
    upto: str


class SweepJob(Job, tag="sweep", frozen=True, kw_only=True):
    """Judge these entries into parts."""

    entries: tuple[IndexEntry, ...]
    parts: str


class AloneJob(Job, tag="alone", frozen=True, kw_only=True):
    """Visit one suspect and keep nothing of it."""

    episode_id: str


AnyJob: TypeAlias = IngestJob | SweepJob | AloneJob


class Progressed(msgspec.Struct, tag="progressed", frozen=True):
    """So many of the due episodes are finished."""

    done: int
    total: int


class Committed(msgspec.Struct, tag="committed", frozen=True):
    """So many episodes were committed at once."""

    n_new: int


class Looking(msgspec.Struct, tag="looking", frozen=True):
    """The suspect is about to be visited, and this is what it is."""

    sha256: str
    stamp: FileStamp


class Finished(msgspec.Struct, tag="finished", frozen=True):
    """The job is done; ``report`` is an ``IngestReport`` where it was an ingest.

    Left encoded, so that a sweep need not load what the tables take.
    """

    report: msgspec.Raw = msgspec.Raw(b"null")


class Refused(msgspec.Struct, tag="refused", frozen=True):
    """The job met a fault of the machine that has an error class of ours."""

    kind: str
    what: str
    where: str
    expected: str
    found: str
    todo: str

    @classmethod
    def of(cls, error: Cis490Error) -> "Refused":
        """Take an error apart."""
        parts = (error.what, error.where, error.expected, error.found, error.todo)
        return cls(type(error).__name__, *parts)

    def error(self) -> Cis490Error:
        """Return the same error again, of the same class."""
        kind = getattr(errors, self.kind, Cis490Error)
        return kind(
            self.what, where=self.where, expected=self.expected, found=self.found, todo=self.todo
        )


class Crashed(msgspec.Struct, tag="crashed", frozen=True):
    """The job met an exception that nobody planned for; its traceback is on standard error."""

    kind: str
    text: str


Message: TypeAlias = Progressed | Committed | Looking | Finished | Refused | Crashed

_JOBS = msgspec.json.Decoder(AnyJob)
_MESSAGES = msgspec.json.Decoder(Message)


def encode(message: AnyJob | Message) -> bytes:
    """Return one line."""
    return msgspec.json.encode(message) + b"\n"


def decode_job(line: bytes) -> AnyJob:
    """Read what a supervisor wants."""
    return _JOBS.decode(line)


def decode_message(line: bytes) -> Message:
    """Read what a worker says."""
    return _MESSAGES.decode(line)
