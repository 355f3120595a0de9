"""Who may write and read: bearer tokens, kept as hashes.

A token is 256 random bits, so that its plain sha256 tells nobody what it was: there is nothing to
guess, and a slow hash would only make requests slow. A host has one token and may write and read
its own episodes; a reader has one and may read everything. A producer has one of the live hub's,
which keeps a file of its own, and may publish there.

Not here: what is asked with a token (``app``).
"""

import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.receiver.durable import write_private

FORMAT_VERSION: Final = 1
_TOKEN_BYTES: Final = 32
_OTHERS: Final = 0o077
_BEARER: Final = re.compile(r"[Bb]earer +([A-Za-z0-9_-]{20,200})")


class Access(StrEnum):
    """What a token is good for."""

    HOST = "host"  # write and read the episodes of the host of that name
    READER = "reader"  # read every host's episodes, write none
    PRODUCER = "producer"  # publish events to the live hub; nothing of a receiver


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who a token belongs to; ``sha256`` is of the token's characters."""

    name: str
    access: Access
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]

    def may_write(self, host_id: str) -> bool:
        """Say whether episodes of that host may be put."""
        return self.access is Access.HOST and self.name == host_id

    def may_read(self, host_id: str) -> bool:
        """Say whether that host's episodes and rows may be seen."""
        return self.access is Access.READER or self.may_write(host_id)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    tokens: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The file of hashes; read anew for every request, so that a change counts at once."""

    path: Path

    def grants(self) -> tuple[Grant, ...]:
        """Return all grants; none where there is no file.

        Raises
        ------
        ConfigurationError
            Where the file is damaged, or others than its owner may read or write it.
        """
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return ()
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & _OTHERS:
                raise self._unusable(f"mode {mode & 0o777:04o}", "chmod 600")
            return self._parsed(file.read())

    def _parsed(self, data: bytes) -> tuple[Grant, ...]:
        try:
            found = msgspec.json.decode(data, type=_File)
        except msgspec.MsgspecError as error:
            raise self._unusable(str(error), "restore it, or delete it and add tokens") from error
        if found.version != FORMAT_VERSION:
            raise self._unusable(f"version {found.version}", "use the version that wrote it")
        return found.tokens

    def _unusable(self, found: str, todo: str) -> ConfigurationError:
        return ConfigurationError(
            "the tokens cannot be used",
            where=str(self.path),
            expected=f"version {FORMAT_VERSION} of this program's file, mode 0600",
            found=found,
            todo=todo,
        )

    def grant_of(self, token: str) -> Grant | None:
        """Return whose token it is, in a time that does not depend on how much of it is right."""
        offered = _hash(token)
        found: Grant | None = None
        for grant in self.grants():
            if hmac.compare_digest(grant.sha256, offered):
                found = grant
        return found

    def add(self, name: str, access: Access) -> str:
        """Make a token and return it, the only time that it is seen; the former one is void."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        grant = Grant(name=name, access=access, sha256=_hash(token))
        with self._changing() as others:
            kept = [one for one in others if (one.name, one.access) != (name, access)]
            self._write((*kept, grant))
        return token

    def remove(self, name: str) -> bool:
        """Make every token of that name void; say whether there was one."""
        with self._changing() as grants:
            kept = tuple(one for one in grants if one.name != name)
            self._write(kept)
        return len(kept) < len(grants)

    @contextmanager
    def _changing(self) -> Generator[tuple[Grant, ...]]:
        # The directory's own lock: the file is replaced, and a lock would stay with the old one.
        handle = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self.grants()
        finally:
            os.close(handle)

    def _write(self, grants: tuple[Grant, ...]) -> None:
        ordered = tuple(sorted(grants, key=lambda one: (one.access, one.name)))
        data = msgspec.json.encode(_File(version=FORMAT_VERSION, tokens=ordered))
        write_private(self.path, msgspec.json.format(data, indent=1) + b"\n")


def offered(authorization: str) -> str | None:
    """Return the token that an ``Authorization`` header offers; None where it offers none."""
    match = _BEARER.fullmatch(authorization)
    return None if match is None else match[1]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
