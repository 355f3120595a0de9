"""A process says what it is doing while it ingests or compacts, so that it can be killed there.

Functions of the program are wrapped in the process that is to be killed, and nowhere else. Each
phase lasts until the next one is announced. Not here: who kills (``kills``).
"""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from cis490_pipeline.ingest import batches, commit, compaction, garbage, journal, run, shard_merging
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.tables import Tables

_STEPS: Final = ("write", "fsync", "rename", "directory fsync")
_SIMPLE: Final = (
    (run, "publish_schema", "schema"),
    (run, "read_received", "reading the index"),
    (run, "read_held", "reading the tables"),
    (batches, "_gathered", "decoding"),
    (run, "report_on", "report"),
    (journal.Journal, "finish", "journal: finish"),
    (Tables, "change_partition", "larger shard: commit"),
    (compaction, "merge_shards", "shards to merge"),
    (compaction, "sweep_shards", "sweep of shards"),
    (compaction, "merge_small_files", "table files"),
    (compaction, "vacuum", "vacuum"),
    (compaction, "tidy_log", "log"),
    (compaction, "sweep_temporaries", "sweep of temporaries"),
)
_WRITERS: Final = (
    (journal, "write_bytes", "journal"),
    (commit, "write_hashed", "shard"),
    (shard_merging, "write_hashed", "larger shard"),
    (garbage, "write_bytes", "garbage list"),
)
_COMMITS: Final = (
    Table.WINDOW_FEATURES,
    Table.EPISODE_FEATURES,
    Table.EPISODES,
    Table.VALIDATION_INDEX,
)

UNDO: Final = "undo"
"""Reached only where an interrupted batch has an episode that moved to another host."""


def _of_file(name: str) -> tuple[str, ...]:
    return tuple(f"{name}: {step}" for step in _STEPS)


INGEST: Final = (
    "schema", "reading the index", UNDO, "reading the tables", "decoding",
    *_of_file("journal"), *_of_file("shard"), *(f"commit: {table.value}" for table in _COMMITS),
    "journal: finish", "report",
)  # fmt: skip
"""Phases of an ingest, in their order."""

COMPACTION: Final = (
    "shards to merge", *_of_file("larger shard"), "larger shard: commit", "sweep of shards",
    *_of_file("garbage list"), "table files", "vacuum", "log", "sweep of temporaries",
)  # fmt: skip
"""Phases of a compaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to be killed: when ``phase`` begins for the ``nth`` time, or some time after that.

    ``pause_s`` is for how long the process then stands still; ``pipe`` is a named pipe that takes
    a line ``pid phase`` for every phase, with a star where it is this one.
    """

    pipe: str
    phase: str
    nth: int
    pause_s: float


class Announcer:
    """Says the phases of this process."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._left = target.nth
        self._pipe = os.open(target.pipe, os.O_WRONLY | os.O_CLOEXEC)
        self._file = ""

    def announce(self, phase: str) -> None:
        """Say that a phase begins; stand still where it is the one to be killed in."""
        self._left -= phase == self._target.phase
        here = phase == self._target.phase and self._left == 0
        os.write(self._pipe, f"{os.getpid()} {phase}{'*' if here else ''}\n".encode())
        if here:
            time.sleep(self._target.pause_s)

    def install(self) -> None:
        """Wrap the functions of all phases in this process, for the rest of its life."""
        for owner, name, phase in _SIMPLE:
            self._wrap(owner, name, lambda *_, phase=phase: self.announce(phase))
        for owner, name, file in _WRITERS:
            setattr(owner, name, self._writing(file, getattr(owner, name)))
        self._wrap(commit, "_write_table", self._before_commit)
        self._wrap(run, "undo", self._before_undo)
        self._wrap(os, "fsync", self._before_fsync)
        self._wrap(os, "replace", lambda *_: self._in_file("rename"))

    def _wrap(self, owner: Any, name: str, before: Callable[..., None]) -> None:
        real = getattr(owner, name)

        @wraps(real)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            before(*arguments)
            return real(*arguments, **named)

        setattr(owner, name, wrapped)

    def _writing(self, file: str, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self._file = file
            self._in_file("write")
            try:
                return real(*arguments, **named)
            finally:
                self._file = ""

        return wrapped

    def _in_file(self, step: str) -> None:
        if self._file:
            self.announce(f"{self._file}: {step}")

    def _before_commit(self, _tables: Tables, table: Table, *_: object) -> None:
        self.announce(f"commit: {table.value}")

    def _before_undo(self, *arguments: Any) -> None:
        if arguments[-1]:
            self.announce(UNDO)

    def _before_fsync(self, descriptor: int) -> None:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        self._in_file("directory fsync" if is_directory else "fsync")
