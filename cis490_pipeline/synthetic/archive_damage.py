"""Damage to the tarball: hostile members, and bytes that are no archive.

Every function returns its argument unchanged where the damage is none of its own. Not here: damage
to the files inside (``content_damage``).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from cis490_pipeline.synthetic.archive import Bytes, Member
from cis490_pipeline.synthetic.damage import Damage

_TOO_MANY: Final = 65
_GZIP_MAGIC: Final = b"\x1f\x8b\x08\x00"


def damaged_members(
    members: Sequence[Member], damage: Damage | None, *, max_bytes: int
) -> list[Member]:
    """Return the members with what a hostile recorder would add to them."""
    added: list[Member] = []
    match damage:
        case Damage.UNSAFE_LINK:
            added = [Member(path="latest", link_to="/etc/passwd")]
        case Damage.UNSAFE_ABSOLUTE:
            added = [Member(path="/etc/cron.d/job", content=b"* * * * * root id\n")]
        case Damage.UNSAFE_PARENT:
            added = [Member(path="../../escaped", content=b"x\n")]
        case Damage.UNSAFE_TWICE:
            added = [Member(path="again/labels.jsonl", content=b"{}\n")]
        case Damage.MANY_MEMBERS:
            added = [Member(path=f"core.{number}") for number in range(_TOO_MANY)]
        case Damage.BOMB:
            added = [Member(path="core.dump", content=bytes(max_bytes))]
        case _:
            pass
    return [*members, *added]


def damaged_tar(
    parts: Sequence[Bytes], damage: Damage | None, rng: np.random.Generator
) -> Sequence[Bytes]:
    """Return the tar's pieces, or what stands in their place inside the zstd frame."""
    if damage is Damage.TAR_CUT_OFF:
        raw = b"".join(parts)
        return [raw[: len(raw) // 2]]
    if damage is Damage.NOT_TAR:
        return [rng.bytes(4096)]
    return parts


def damaged_blob(blob: bytes, damage: Damage | None) -> bytes:
    """Return what lies on disk instead of the whole tarball."""
    if damage is Damage.CUT_OFF:
        return cut_off(blob)
    if damage is Damage.NOT_ZSTD:
        return _GZIP_MAGIC + blob[len(_GZIP_MAGIC) :]
    return blob


def cut_off(blob: bytes) -> bytes:
    """Return the first part of a tarball, as a broken transfer leaves it."""
    return blob[: 2 * len(blob) // 3]
