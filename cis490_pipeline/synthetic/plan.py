"""Which episodes a store has, and what is wrong with which: all that is decided beforehand.

Everything here is a pure function of the configuration, so the episodes can be written in any
order by anybody. Not here: their content (``recorder``), the bytes of the index (``index_lines``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Final

import numpy as np

from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.damage import NEEDS_NETFLOW, RESHIPS, Damage, IndexDamage
from cis490_pipeline.synthetic.hosts import HostStyle
from cis490_pipeline.synthetic.loads import BENIGN, BENIGN_SAMPLE, PROFILES
from cis490_pipeline.synthetic.random_streams import Stream, generator

_FIRST_NS: Final = 1_795_322_672_000_000_000
_REST_S: Final = 20.0
"""Mean pause between two episodes of a host."""
_DAMAGED_PER_INDEX_DAMAGE: Final = 5
_ULID_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodePlan:
    """One episode before it is made.

    Attributes
    ----------
    number
        Among the episodes of its host, from 0.
    has_netflow, has_pcap
        Whether the host shipped these files.
    damage
        None for an intact episode.
    shipped_before_by
        Host of an earlier row of the same episode in the index, whose file was cut off; None where
        it was shipped once.
    """

    number: int
    host: str
    episode_id: EpisodeId
    started_ns: int
    received_ns: int
    seconds: float
    profile: str
    sample: str
    has_netflow: bool
    has_pcap: bool
    damage: Damage | None = None
    shipped_before_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlan:
    """All episodes in the order in which they were received, and the damage of the index.

    ``index_damage`` has the position of the episode at whose row it is done.
    """

    episodes: tuple[EpisodePlan, ...]
    index_damage: tuple[tuple[int, IndexDamage], ...]


def plan_store(config: SynthConfig, hosts: Sequence[HostStyle]) -> StorePlan:
    """Plan a store."""
    intact = [one for host in hosts for one in _plan_host(config, host, config.hosts[host.name])]
    intact.sort(key=lambda one: (one.received_ns, one.episode_id))
    damaged = _with_damage(config, intact)
    index_damage = _index_damage(config, damaged)
    return StorePlan(
        episodes=tuple(_with_reships(damaged, index_damage, [host.name for host in hosts])),
        index_damage=index_damage,
    )


def _plan_host(config: SynthConfig, host: HostStyle, count: int) -> list[EpisodePlan]:
    rng = generator(config.seed, Stream.PLAN, host.name)
    profiles = _profiles(rng, host, count, config.controls)
    no_netflow = set(rng.permutation(count)[: round(host.netflow_missing * count)].tolist())
    pause_s = rng.exponential(_REST_S, size=count)
    started_s = np.cumsum(config.seconds + 2.0 + pause_s) - config.seconds
    return [
        _plan_episode(
            rng,
            EpisodePlan(
                number=number,
                host=host.name,
                episode_id=EpisodeId(""),
                started_ns=_FIRST_NS + int(started_s[number] * 1e9),
                received_ns=0,
                seconds=config.seconds,
                profile=profiles[number],
                sample=BENIGN_SAMPLE,
                has_netflow=number not in no_netflow,
                has_pcap=bool(rng.random() < host.pcap_share),
            ),
        )
        for number in range(count)
    ]


def _plan_episode(rng: np.random.Generator, plan: EpisodePlan) -> EpisodePlan:
    samples = PROFILES[plan.profile].samples if plan.profile in PROFILES else (BENIGN_SAMPLE,)
    shipping_s = plan.seconds + rng.uniform(0.5, 8.0)
    return replace(
        plan,
        episode_id=_ulid(plan.started_ns // 1_000_000, rng.bytes(10)),
        received_ns=plan.started_ns + int(shipping_s * 1e9),
        sample=samples[int(rng.integers(len(samples)))],
    )


def _profiles(rng: np.random.Generator, host: HostStyle, count: int, controls: float) -> list[str]:
    """Return a profile for each episode: as even as can be, in random order."""
    n_controls = round(controls * count)
    malicious = islice(cycle(host.profiles), count - n_controls)
    names = [*[BENIGN] * n_controls, *malicious]
    return [names[i] for i in rng.permutation(count).tolist()]


def _ulid(time_ms: int, noise: bytes) -> EpisodeId:
    number = (time_ms << 80) | int.from_bytes(noise, "big")
    digits = (_ULID_DIGITS[number >> (5 * i) & 31] for i in range(25, -1, -1))
    return EpisodeId("".join(digits))


def _with_damage(config: SynthConfig, episodes: Sequence[EpisodePlan]) -> list[EpisodePlan]:
    """Damage a share of the episodes: each kind in turn, in random order."""
    rng = generator(config.seed, Stream.DAMAGE)
    kinds = [list(Damage)[i] for i in rng.permutation(len(Damage)).tolist()]
    chosen = rng.permutation(len(episodes))[: round(config.damage * len(episodes))].tolist()
    damaged = list(episodes)
    for position, kind in zip(chosen, cycle(kinds), strict=False):
        plan = damaged[position]
        netflow = plan.has_netflow or kind in NEEDS_NETFLOW
        damaged[position] = replace(plan, damage=kind, has_netflow=netflow)
    return damaged


def _index_damage(
    config: SynthConfig, episodes: Sequence[EpisodePlan]
) -> tuple[tuple[int, IndexDamage], ...]:
    """Choose places, no two beside each other, and a kind for each in turn; one partial line.

    A re-ship needs a file that is there and is not cut off anyway.
    """
    n_damaged = sum(one.damage is not None for one in episodes)
    if n_damaged == 0:
        return ()
    rng = generator(config.seed, Stream.INDEX)
    n_wanted = -(-n_damaged // _DAMAGED_PER_INDEX_DAMAGE)
    several = [kind for kind in IndexDamage if kind is not IndexDamage.PARTIAL]
    order = [several[i] for i in rng.permutation(len(several)).tolist()]
    places = rng.permutation(max(0, (len(episodes) - 1) // 2))[: n_wanted - 1] * 2
    kinds = list(islice(cycle(order), len(places)))
    intact = [place for place in places.tolist() if episodes[place].damage is None]
    others = [place for place in places.tolist() if episodes[place].damage is not None]
    found: list[tuple[int, IndexDamage]] = []
    for kind in sorted(kinds, key=lambda one: one not in RESHIPS):
        if kind in RESHIPS:
            reshipped = kind if intact else IndexDamage.BLANK
            found.append(((intact or others).pop(), reshipped))
        else:
            found.append(((others or intact).pop(), kind))
    return (*sorted(found), (len(episodes) - 1, IndexDamage.PARTIAL))


def _with_reships(
    episodes: Sequence[EpisodePlan],
    index_damage: Sequence[tuple[int, IndexDamage]],
    hosts: Sequence[str],
) -> list[EpisodePlan]:
    shipped = list(episodes)
    for position, kind in index_damage:
        if kind not in RESHIPS:
            continue
        plan = shipped[position]
        others = [name for name in hosts if name != plan.host]
        other = kind is IndexDamage.RESHIP_OTHER_HOST and bool(others)
        shipped[position] = replace(plan, shipped_before_by=others[0] if other else plan.host)
    return shipped
