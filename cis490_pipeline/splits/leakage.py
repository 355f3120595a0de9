"""Nobody is examined on what they learned from: disjointness as a pure check.

It looks at members as they were persisted and trusts no plan. Not here: whether the roles cover
enough (``coverage``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Protocol


class MemberLike(Protocol):
    """A member of a set file, or the facts of an episode."""

    @property
    def episode_id(self) -> str:
        """The episode's id."""
        ...

    @property
    def sha256(self) -> str:
        """Hash of its tarball."""
        ...


class LeakKind(StrEnum):
    """How training data and test data touch."""

    EPISODE_IN_TWO_ROLES = "episode_in_two_roles"
    TARBALL_IN_TWO_ROLES = "tarball_in_two_roles"  # one content under two ids
    DUPLICATE_EPISODE = "duplicate_episode"  # one id twice in one role
    DUPLICATE_TARBALL = "duplicate_tarball"  # one content under two ids in one role
    FOREIGN_TRAINING_IDS = "foreign_training_ids"  # an artifact fitted on other episodes
    CHANGED_HOST = "changed_host"  # shipped again by a host that the role was not planned with


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One leak; ``detail`` names the episodes and roles for a person."""

    kind: LeakKind
    detail: str


def find_leaks(
    train: Iterable[MemberLike], id_val: Iterable[MemberLike], test: Iterable[MemberLike]
) -> tuple[Leak, ...]:
    """Return every way in which the roles overlap, ordered by kind and detail; empty is clean."""
    roles: dict[str, list[MemberLike]] = {
        "train": list(train),
        "id_val": list(id_val),
        "test": list(test),
    }
    leaks = [leak for role, members in roles.items() for leak in _within(role, members)]
    for one, other in combinations(roles, 2):
        leaks.extend(_between(one, roles[one], other, roles[other]))
    return tuple(sorted(leaks, key=lambda leak: (leak.kind, leak.detail)))


def find_moved(
    role: str, members: Iterable[MemberLike], hosts: Iterable[str], host_now: Mapping[str, str]
) -> tuple[Leak, ...]:
    """Return the members whose host is none of those that their role was planned with.

    The tarball may be the same to the byte: of an episode that a training host shipped again, a
    score says nothing about an unseen host any more.

    Parameters
    ----------
    hosts
        The role's hosts when the split was planned.
    host_now
        Episode → the host that the tables name; an episode that they do not hold is left out.
    """
    planned = set(hosts)
    moved = {m.episode_id: host_now.get(m.episode_id) for m in members}
    return tuple(
        Leak(
            kind=LeakKind.CHANGED_HOST,
            detail=f"{one} is in {role} ({_names(planned)}) and now belongs to host {host}",
        )
        for one, host in sorted(moved.items())
        if host is not None and host not in planned
    )


def check_training_ids(bundle_training_hash: str, expected: str) -> Leak | None:
    """Return a leak where a bundle was fitted on other episodes than the training set lists."""
    if bundle_training_hash == expected:
        return None
    return Leak(
        kind=LeakKind.FOREIGN_TRAINING_IDS,
        detail=f"the bundle was fitted on {bundle_training_hash[:12] or 'an unnamed set'}, "
        f"the training set is {expected[:12]}",
    )


def _ids_by_tarball(members: Iterable[MemberLike]) -> Mapping[str, set[str]]:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for member in members:
        ids[member.sha256].add(member.episode_id)
    return ids


def _within(role: str, members: list[MemberLike]) -> list[Leak]:
    times = Counter(member.episode_id for member in members)
    leaks = [
        Leak(kind=LeakKind.DUPLICATE_EPISODE, detail=f"{one} is listed {n} times in {role}")
        for one, n in times.items()
        if n > 1
    ]
    for sha256, holders in _ids_by_tarball(members).items():
        if len(holders) > 1:
            detail = f"tarball {sha256[:12]} is in {role} as {_names(holders)}"
            leaks.append(Leak(kind=LeakKind.DUPLICATE_TARBALL, detail=detail))
    return leaks


def _between(
    one: str, members: list[MemberLike], other: str, others: list[MemberLike]
) -> list[Leak]:
    shared = {m.episode_id for m in members} & {m.episode_id for m in others}
    leaks = [
        Leak(kind=LeakKind.EPISODE_IN_TWO_ROLES, detail=f"{name} is in {one} and in {other}")
        for name in sorted(shared)
    ]
    here, there = _ids_by_tarball(members), _ids_by_tarball(others)
    for sha256 in here.keys() & there.keys():
        if len(here[sha256] | there[sha256]) > 1:
            detail = (
                f"tarball {sha256[:12]} is in {one} as {_names(here[sha256])} "
                f"and in {other} as {_names(there[sha256])}"
            )
            leaks.append(Leak(kind=LeakKind.TARBALL_IN_TWO_ROLES, detail=detail))
    return leaks


def _names(ids: set[str]) -> str:
    return ", ".join(sorted(ids))
