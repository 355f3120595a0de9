"""Where the receiver puts things, and reading them without leaving the store.

Not here: what stands in the files (``index``, ``archive``).
Source: episode format, section *Layout*.
"""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cis490_pipeline.schema.ids import EpisodeId, HostId

TARBALL_SUFFIX: Final = ".tar.zst"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """What tells cheaply that a file is not the one that was judged."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class EpisodeStore:
    """A store's paths and files; ids must have been validated (``schema.ids``)."""

    root: Path
    index_name: str = "index.jsonl"

    @property
    def index_path(self) -> Path:
        """The receiver's index."""
        return self.root / self.index_name

    @property
    def alerts_path(self) -> Path:
        """Operator alerts; may be absent."""
        return self.root / "alerts.jsonl"

    def tarball_path(self, host_id: HostId, episode_id: EpisodeId) -> Path:
        """Path of an episode, whether or not it is there."""
        return self.root / "episodes" / host_id / f"{episode_id}{TARBALL_SUFFIX}"

    def stamp(self, host_id: HostId, episode_id: EpisodeId) -> FileStamp | None:
        """Return size and mtime of what lies at the episode's path, None where nothing does.

        A symbolic link is not followed.

        Raises
        ------
        OSError
            Where the file system does not say (permission, a stale mount): that is not *missing*.
        """
        try:
            found = os.lstat(f"{self.root}/episodes/{host_id}/{episode_id}{TARBALL_SUFFIX}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileStamp(size_bytes=found.st_size, mtime_ns=found.st_mtime_ns)

    def read(self, host_id: HostId, episode_id: EpisodeId) -> bytes:
        """Return a tarball's bytes.

        Raises
        ------
        OSError
            Of the file system; also where the path is not a regular file (a symbolic link, a
            pipe), or where the host's directory is a link that leads out of the store.
        """
        path = self.tarball_path(host_id, episode_id)
        self._require_inside(path.parent)
        # NONBLOCK: opening a pipe for reading would wait for a writer for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(path, flags), "rb", closefd=True) as file:  # noqa: PTH123 - a descriptor
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "not a regular file", str(path))
            return file.read()

    def _require_inside(self, directory: Path) -> None:
        if not stat.S_ISLNK(os.lstat(directory).st_mode):  # a host's name cannot lead anywhere
            return
        base = os.path.realpath(self.root / "episodes")
        real = os.path.realpath(directory)
        if os.path.commonpath((base, real)) != base:
            raise PermissionError(errno.EPERM, "leads out of the store", str(directory))
