"""Shipping episodes to a receiver: each until it is acknowledged, none twice.

What is left after an interruption is not remembered but asked: the receiver knows what it has, and
says so before a byte of a tarball is sent.

Not here: the network (``client``), words on the terminal (``cli``).
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

from cis490_pipeline.episodes.store import TARBALL_SUFFIX
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.receiver.client import Client
from cis490_pipeline.schema.ids import EpisodeId, HostId, episode_id_or_none, host_id_or_none


class Fate(StrEnum):
    """What became of a file."""

    SHIPPED = "shipped"
    ALREADY = "already"  # the receiver had it
    CONFLICT = "conflict"  # its id belongs to something else there; the receiver kept it aside
    REFUSED = "refused"  # it will not be taken as it is
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A file and the episode that it is."""

    path: Path
    host_id: HostId
    episode_id: EpisodeId

    @property
    def address(self) -> str:
        """Its path at a receiver."""
        return f"/v1/episodes/{self.host_id}/{self.episode_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How one file fared; ``reason`` is empty where all is well."""

    parcel: Parcel
    fate: Fate
    size_bytes: int = 0
    reason: str = ""


def parcels(paths: Iterable[Path], host: str | None) -> tuple[Parcel, ...]:
    """Name the episodes of files as a store does: ``<host>/<episode>.tar.zst``.

    Parameters
    ----------
    host
        Who recorded them; None takes the name of each file's directory.

    Raises
    ------
    ConfigurationError
        Where a name is none that an episode or a host can have.
    """
    found: list[Parcel] = []
    for path in paths:
        episode_id = episode_id_or_none(path.name.removesuffix(TARBALL_SUFFIX))
        host_id = host_id_or_none(host if host is not None else path.resolve().parent.name)
        if episode_id is None or host_id is None or not path.name.endswith(TARBALL_SUFFIX):
            raise ConfigurationError(
                "this is not named like an episode of a store",
                where=str(path),
                expected=f"HOST/<26 characters of a ULID>{TARBALL_SUFFIX}",
                todo="rename it, or name its host with --host",
            )
        found.append(Parcel(path=path, host_id=host_id, episode_id=episode_id))
    return tuple(found)


def ship(parcels: Iterable[Parcel], client: Client) -> Iterator[Delivery]:
    """Ship one after the other; yields how each fared, and goes on with the next.

    Raises
    ------
    TransferError
        Where the receiver cannot be reached or does not accept the token: the rest is left.
    """
    for parcel in parcels:
        try:
            yield _ship(parcel, client)
        except _UnreadableError as error:
            yield Delivery(parcel=parcel, fate=Fate.UNREADABLE, reason=str(error))


def _ship(parcel: Parcel, client: Client) -> Delivery:
    sha256, size_bytes = _facts(parcel.path)
    there = client.ask("HEAD", parcel.address)
    if there.status == 200 and there.etag == sha256:
        return Delivery(parcel=parcel, fate=Fate.ALREADY, size_bytes=size_bytes)
    headers = {
        "Content-Length": str(size_bytes),
        "Content-Type": "application/zstd",
        "X-Content-SHA256": sha256,
    }
    answer = client.ask("PUT", parcel.address, headers, lambda: _opened(parcel.path))
    fate = _FATES.get(answer.status, Fate.REFUSED)
    reason = "" if answer.status in (200, 201) else answer.reason
    return Delivery(parcel=parcel, fate=fate, size_bytes=size_bytes, reason=reason)


_FATES: Final = {200: Fate.ALREADY, 201: Fate.SHIPPED, 409: Fate.CONFLICT}


class _UnreadableError(Exception):
    """A file of this machine cannot be read: its own fault, and not the network's."""


def _facts(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return digest.hexdigest(), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise _UnreadableError(error.strerror or type(error).__name__) from error


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise _UnreadableError(error.strerror or type(error).__name__) from error


def count(deliveries: Iterable[Delivery]) -> Counter[Fate]:
    """Return how many files fared how."""
    return Counter(one.fate for one in deliveries)
