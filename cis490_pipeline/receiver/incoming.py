"""An episode on its way into the store: a temporary file, its hash and its size.

Not here: where it goes (``keeper``), limits and the network (``app``, ``pulling``).
"""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from cis490_pipeline.receiver.durable import write_all
from cis490_pipeline.schema.ids import EpisodeId, HostId

RECEIVED_SUFFIX: Final = ".part"
"""Of one request: garbage once its process is gone."""
PULLED_SUFFIX: Final = ".pull"
"""Of a mirror: gone on with by the next one."""
_CHUNK_BYTES: Final = 1 << 20


class Incoming:
    """Bytes that belong to nobody until they are kept; nothing is on disk before the first.

    A request that is cancelled discards while a thread may still be writing: every method takes
    the lock, and a late one finds the file closed.
    """

    def __init__(self, path: Path, host_id: HostId, episode_id: EpisodeId) -> None:
        self.path = path
        self.host_id = host_id
        self.episode_id = episode_id
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._handle: int | None = None
        self._closed = False
        self._lock = Lock()

    @property
    def sha256(self) -> str:
        """Of everything so far."""
        return self._digest.hexdigest()

    def resume(self) -> None:
        """Take up what an earlier process wrote there, if it did."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                self._digest.update(chunk)
                self.size_bytes += len(chunk)

    def write(self, data: bytes) -> None:
        """Append.

        Raises
        ------
        OSError
            Of the file system: no space, for one; ``ValueError`` once it is closed.
        """
        with self._lock:
            write_all(self._open(), data)
            self._digest.update(data)
            self.size_bytes += len(data)

    def restart(self) -> None:
        """Forget everything so far."""
        with self._lock:
            self._close()
            self._closed = False
            self.path.unlink(missing_ok=True)
            self._digest = hashlib.sha256()
            self.size_bytes = 0

    def seal(self) -> None:
        """Make what was written durable; nothing can be written behind it."""
        with self._lock:
            os.fsync(self._open())
            self._close()

    def close(self) -> None:
        """Stop writing; the file stays for a later one to go on with."""
        with self._lock:
            self._close()

    def discard(self) -> None:
        """Stop writing and delete what is under the temporary name."""
        with self._lock:
            self._close()
            self.path.unlink(missing_ok=True)

    def _open(self) -> int:
        if self._closed:
            raise ValueError(f"{self.path.name} is closed")
        if self._handle is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._handle = os.open(self.path, flags, 0o644)
        return self._handle

    def _close(self) -> None:
        self._closed = True
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def received(directory: Path, host_id: HostId, episode_id: EpisodeId) -> Incoming:
    """Return what one request writes to: a name of its own."""
    name = f"{episode_id}.{secrets.token_hex(8)}{RECEIVED_SUFFIX}"
    return Incoming(directory / name, host_id, episode_id)


def pulled(directory: Path, host_id: HostId, episode_id: EpisodeId, sha256: str) -> Incoming:
    """Return what a mirror writes to: the name says which bytes it has to become."""
    incoming = Incoming(directory / f"{episode_id}.{sha256}{PULLED_SUFFIX}", host_id, episode_id)
    incoming.resume()
    return incoming


def clear(directory: Path, suffix: str) -> None:
    """Delete what was left half-received."""
    for path in directory.glob(f"*{suffix}"):
        path.unlink(missing_ok=True)
