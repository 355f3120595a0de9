"""A member of a set, and the hash that names a set.

Not here: the two set files (``training_sets``, ``test_sets``), which share this and nothing else,
so that training code can be kept from ever importing the test side.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.splits.plan import EpisodeFacts


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Member:
    """One episode of a set: its id and the content that was meant."""

    episode_id: EpisodeId
    sha256: str


def members_of(episodes: Iterable[EpisodeFacts]) -> tuple[Member, ...]:
    """Return the members, sorted by episode id."""
    return tuple(sorted(Member(episode_id=e.episode_id, sha256=e.sha256) for e in episodes))


def hash_of_roles(fingerprint: str, **roles: tuple[Member, ...]) -> str:
    """Return the hash of role → (episode, sha256) pairs plus the schema fingerprint."""
    content = {role: [[m.episode_id, m.sha256] for m in who] for role, who in roles.items()}
    text = json.dumps({"fingerprint": fingerprint, **content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
