"""Identifiers of episodes and hosts, and the forms that make them safe to use in a path.

Source: episode format, section *Layout*.
"""

import re
from typing import Final, NewType

EpisodeId = NewType("EpisodeId", str)
HostId = NewType("HostId", str)

_EPISODE: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")  # ULID: Crockford base 32
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def episode_id_or_none(text: str) -> EpisodeId | None:
    """Return the id if it is a ULID, else None.

    >>> episode_id_or_none("../../etc/passwd") is None
    True
    """
    return EpisodeId(text) if _EPISODE.fullmatch(text) else None


def host_id_or_none(text: str) -> HostId | None:
    """Return the host name if it has the form that is safe in a path, else None.

    >>> host_id_or_none("lab-a"), host_id_or_none("a..b")
    ('lab-a', None)
    """
    return HostId(text) if _HOST.fullmatch(text) and ".." not in text else None
