"""The only writer of a store: what has been received, and receiving one more exactly once.

An episode is acknowledged when its bytes are synced, renamed to their final name (directory synced)
and its index row is appended (one write, synced), in that order. So a crash leaves, at any moment:

- a file in ``incoming/``: nobody was told that it arrived; deleted at the next start;
- a final file without a row: nobody was told. It is no episode, for every reader goes by the index.
  When it is shipped again, the row is written; should other bytes come, the first ones are kept
  aside. (Filing it at the start instead would file everything again whose rows were rotated away
  and deleted.)
- a row without its newline, or a part of one: closed before the next row (``index_file``). A whole
  row counts, and the one who ships again is told that it is there.

Nothing is deleted or replaced that was ever acknowledged: other bytes under a taken id go to
``conflicts/``. Only a mirror replaces, where the index that it follows has a later row.

Not here: requests (``app``), tokens, reading tarballs.
"""

import hashlib
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import TARBALL_SUFFIX, EpisodeStore
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.receiver.durable import make_directory, move, sync_directory
from cis490_pipeline.receiver.incoming import RECEIVED_SUFFIX, Incoming, clear
from cis490_pipeline.receiver.index_file import IndexFile, Row
from cis490_pipeline.receiver.layout import ReceiverLayout
from cis490_pipeline.schema.ids import EpisodeId, HostId


class Outcome(StrEnum):
    """What became of an episode that arrived whole."""

    NEW = "new"
    SAME = "same"  # it was there already
    CONFLICT = "conflict"  # its id belongs to other bytes or to another host; kept aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An episode of the index; ``digest`` is its sha256 in 32 bytes, for there are many."""

    host_id: HostId
    digest: bytes
    size_bytes: int

    @property
    def sha256(self) -> str:
        """In hex."""
        return self.digest.hex()


class Keeper:
    """The open store; its methods block, and may be called from many threads."""

    def __init__(self, store: EpisodeStore, entries: Iterable[IndexEntry]) -> None:
        self.store = store
        self.layout = ReceiverLayout(store.root)
        self._index = IndexFile(store.index_path)
        self._lock = Lock()
        self._held = {
            entry.episode_id: Held(
                host_id=entry.host_id,
                digest=bytes.fromhex(entry.sha256),
                size_bytes=entry.size_bytes,
            )
            for entry in entries
        }

    def __len__(self) -> int:
        """Return how many episodes the index holds."""
        return len(self._held)

    def held(self, episode_id: EpisodeId) -> Held | None:
        """Return what the index says of an episode; None where it is not in it."""
        return self._held.get(episode_id)

    def keep(
        self,
        incoming: Incoming,
        received_at_wall: str | float | None,
        *,
        supersede: bool = False,
    ) -> Outcome:
        """File what arrived; on return it is durable, and under its temporary name no more.

        Parameters
        ----------
        supersede
            What is held of this id under another hash or host is replaced: a mirror's way.

        Raises
        ------
        OSError, StoreError
            Where the machine refuses: then nothing was acknowledged, and the same bytes may come
            again.
        """
        incoming.seal()
        arrived = Held(
            host_id=incoming.host_id,
            digest=bytes.fromhex(incoming.sha256),
            size_bytes=incoming.size_bytes,
        )
        with self._lock:
            known = self._held.get(incoming.episode_id)
            if known == arrived:
                self._restore(incoming)
                return Outcome.SAME
            if known is not None and not supersede:
                self._put_aside(incoming.path, incoming.host_id, incoming)
                return Outcome.CONFLICT
            self._place(incoming, rescue=known is None)
            self._index.append(_row(incoming.episode_id, arrived, received_at_wall))
            self._held[incoming.episode_id] = arrived
            return Outcome.NEW

    def _final(self, incoming: Incoming) -> Path:
        return self.store.tarball_path(incoming.host_id, incoming.episode_id)

    def _restore(self, incoming: Incoming) -> None:
        """Put back a file that the index names and the disk has lost."""
        found = self.store.stamp(incoming.host_id, incoming.episode_id)
        if found is None or found.size_bytes != incoming.size_bytes:
            self._place(incoming, rescue=False)

    def _place(self, incoming: Incoming, *, rescue: bool) -> None:
        final = self._final(incoming)
        make_directory(final.parent)
        if rescue:
            self._rescue(final, incoming)
        move(incoming.path, final)

    def _rescue(self, final: Path, incoming: Incoming) -> None:
        """Keep aside what lies at the final name without a row, where it is something else."""
        try:
            found = final.lstat()
        except FileNotFoundError:
            return
        if stat.S_ISREG(found.st_mode) and _sha256_of(final) != incoming.sha256:
            self._put_aside(final, incoming.host_id, incoming)

    def _put_aside(self, path: Path, host_id: HostId, incoming: Incoming) -> None:
        sha256 = incoming.sha256 if path == incoming.path else _sha256_of(path)
        directory = self.layout.conflicts / host_id
        make_directory(directory)
        move(path, directory / f"{incoming.episode_id}.{sha256}{TARBALL_SUFFIX}")
        if path.parent != self.layout.incoming:
            sync_directory(path.parent)


def now_iso() -> str:
    """Return the time as the index has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def open_keeper(root: Path) -> Generator[Keeper]:
    """Open a store to write into it, made where it is not there; repaired after a crash.

    Raises
    ------
    StoreError
        Where another process writes into it, or its index cannot be read.
    ConfigurationError
        Where ``episodes`` is on another file system: a rename could not be atomic.
    OSError
        Where the directories cannot be made.
    """
    layout = ReceiverLayout(root)
    layout.make()
    with layout.locked():
        _require_one_file_system(layout)
        clear(layout.incoming, RECEIVED_SUFFIX)
        store = EpisodeStore(root)
        IndexFile(store.index_path).repair()
        yield Keeper(store, read_received(store.index_path).entries)


def _require_one_file_system(layout: ReceiverLayout) -> None:
    episodes = layout.store / "episodes"
    if episodes.stat().st_dev != layout.incoming.stat().st_dev:
        raise ConfigurationError(
            "an episode could not be renamed into place",
            where=str(episodes),
            expected=f"the file system of {layout.incoming}",
            found="another one",
            todo="mount the whole store as one file system",
        )


def _row(episode_id: EpisodeId, held: Held, received_at_wall: str | float | None) -> Row:
    return Row(
        episode_id=episode_id,
        host_id=held.host_id,
        sha256=held.sha256,
        size_bytes=held.size_bytes,
        received_at_wall=received_at_wall,
    )


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
