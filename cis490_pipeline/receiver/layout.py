"""Paths of the directory that the receiver has in a store.

Not here: the store's own paths (``episodes.store``).
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.errors import StoreError
from cis490_pipeline.receiver.durable import make_directory


@dataclass(frozen=True, slots=True)
class ReceiverLayout:
    """Where the receiver keeps what is not an episode of the store."""

    store: Path

    @property
    def root(self) -> Path:
        """Its own directory, mode 0700."""
        return self.store / "receiver"

    @property
    def incoming(self) -> Path:
        """Half-received episodes; garbage once their process is gone."""
        return self.root / "incoming"

    @property
    def conflicts(self) -> Path:
        """Bytes that came under a taken id: ``<host>/<episode>.<sha256>.tar.zst``."""
        return self.root / "conflicts"

    @property
    def tokens(self) -> Path:
        """Hashes of the tokens."""
        return self.root / "tokens.json"

    @property
    def pull(self) -> Path:
        """How far a mirror has come in the index that it follows."""
        return self.root / "pull.json"

    def make(self) -> None:
        """Make the directories that are not there."""
        self.store.mkdir(parents=True, exist_ok=True)
        make_directory(self.store / "episodes")
        make_directory(self.root, 0o700)
        make_directory(self.incoming)
        make_directory(self.conflicts)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Be the only writer of the store; the kernel frees the lock when its owner dies.

        Raises
        ------
        StoreError
            Where another process has it.
        """
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(
                    "another receiver, or another pull, writes into this store",
                    where=str(self.store),
                    todo="end it first: two writers would file an episode twice",
                ) from error
            yield
        finally:
            os.close(handle)
