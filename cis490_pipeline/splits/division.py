"""Each recipe as a function: eligible episodes to a learning side and a test side.

Not here: who may take part (``eligibility``), the cut of the learning side into train and id_val
(``planning``).
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.eligibility import counted, shown
from cis490_pipeline.splits.keyed_hash import Purpose, keyed_fraction
from cis490_pipeline.splits.plan import EpisodeFacts
from cis490_pipeline.splits.recipes import HostLists, LaterInTime, LeaveHostOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """The two sides, what a score on the test side is evidence for, and what was noticed."""

    learn: tuple[EpisodeFacts, ...]
    test: tuple[EpisodeFacts, ...]
    claim: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Indivisible:
    """Why a recipe has nothing to work with, and what to do instead."""

    reason: str
    suggestion: str


Episodes = Sequence[EpisodeFacts]


def leave_host_out(recipe: LeaveHostOut, episodes: Episodes) -> Division | Indivisible:
    """Test on one host, learn from all others."""
    hosts = hosts_of(episodes)
    if recipe.host not in hosts:
        return _unknown_hosts({recipe.host}, hosts)
    if len(hosts) < 2:
        return Indivisible(
            reason=f"only host {recipe.host} has usable episodes: none is left to train on",
            suggestion="ship episodes of a second host, or use split `sample` or `time`",
        )
    learn, test = _partition(episodes, {recipe.host})
    claim = (
        f"unseen host {recipe.host} (trained on {shown(hosts_of(learn))}): "
        f"conditional on this one host"
    )
    return Division(learn=learn, test=test, claim=claim)


def named_hosts(lists: HostLists, episodes: Episodes) -> Division | Indivisible:
    """Learn from the hosts of one list, test on those of the other."""
    unknown = {*lists.train, *lists.test} - hosts_of(episodes)
    if unknown:
        return _unknown_hosts(unknown, hosts_of(episodes))
    learn, test = _partition(episodes, set(lists.test))
    n = len(set(lists.test))
    claim = (
        f"unseen hosts {shown(lists.test)} (trained on {shown(lists.train)}): "
        f"conditional on {'this one host' if n == 1 else f'these {n} hosts'}"
    )
    return Division(learn=learn, test=test, claim=claim)


def deploy(episodes: Episodes) -> Division:
    """Learn from every host and test on none."""
    hosts = hosts_of(episodes)
    claim = (
        f"no test set: trained on every host ({shown(hosts)}), so that no score of this model is "
        f"evidence; quote the leave-one-host-out claim of the same family"
    )
    return Division(learn=tuple(episodes), test=(), claim=claim)


def later_in_time(
    recipe: LaterInTime, episodes: Episodes, config: SplitConfig
) -> Division | Indivisible:
    """Learn from what was received before a cut, test on the rest; equal times stay together."""
    dated = sorted(
        ((_time_of(e), e.episode_id, e) for e in episodes if math.isfinite(_time_of(e))),
        key=lambda item: item[:2],
    )
    # A cut between two equal times would part a bulk shipment at random.
    cuts = [i for i in range(1, len(dated)) if dated[i - 1][0] < dated[i][0]]
    if not cuts:
        return Indivisible(
            reason="the episodes do not have two different times of receipt",
            suggestion="use split `sample` or, with a second host, `host=<host>`",
        )
    percent = recipe.train_percent
    share = config.time_train_share if percent is None else percent / 100
    cut = min(cuts, key=lambda i: (abs(i - share * len(dated)), i))
    undated = len(episodes) - len(dated)
    return _mixed_hosts(
        [e for _, _, e in dated[:cut]],
        [e for _, _, e in dated[cut:]],
        claim="later episodes of the same hosts",
        notes=[f"left out: {counted(undated)} without a time of receipt"] if undated else [],
    )


def hold_out_samples(episodes: Episodes, config: SplitConfig) -> Division | Indivisible:
    """Test on whole sample names, and on a share of the controls.

    Notes
    -----
    Of a profile's n ≥ 2 names, the share (at least one, at most n − 1) with the lowest lots is held
    out, so that a new *name* may move an old one; a new episode of a known name moves nobody. A
    held-out name is held out of every profile that has it.
    """
    named = [e for e in episodes if e.sample_name and not e.is_control]
    names = _names_by_profile(named)
    held = {name for some in names.values() if len(some) > 1 for name in _held(some, config)}
    if not held:
        return Indivisible(
            reason="no malicious profile has two sample names",
            suggestion="ship a second sample of a profile, or use split `time` or `host=<host>`",
        )
    controls = [e for e in episodes if e.is_control]
    held_controls = {e.episode_id for e in controls if _is_test_control(e, config)}
    learn = [e for e in named if e.sample_name not in held]
    test = [e for e in named if e.sample_name in held]
    learn.extend(e for e in controls if e.episode_id not in held_controls)
    test.extend(e for e in controls if e.episode_id in held_controls)
    return _mixed_hosts(
        learn,
        test,
        claim=f"unseen samples ({shown(held)}) and new controls on the same hosts",
        notes=_notes_on_names(names, len(episodes) - len(named) - len(controls)),
    )


def hosts_of(episodes: Episodes) -> set[str]:
    """Return the hosts that occur."""
    return {episode.host_id for episode in episodes}


def _time_of(episode: EpisodeFacts) -> float:
    return math.nan if episode.received_at_s is None else episode.received_at_s


def _partition(
    episodes: Episodes, test_hosts: set[str]
) -> tuple[tuple[EpisodeFacts, ...], tuple[EpisodeFacts, ...]]:
    learn = tuple(e for e in episodes if e.host_id not in test_hosts)
    return learn, tuple(e for e in episodes if e.host_id in test_hosts)


def _unknown_hosts(unknown: set[str], known: set[str]) -> Indivisible:
    return Indivisible(
        reason=f"no usable episode of host {shown(unknown)}",
        suggestion=f"hosts with usable episodes: {shown(known) or 'none'}",
    )


def _mixed_hosts(learn: Episodes, test: Episodes, *, claim: str, notes: Sequence[str]) -> Division:
    new_hosts = hosts_of(test) - hosts_of(learn)
    only = [f"hosts that occur in the test set alone: {shown(new_hosts)}"] if new_hosts else []
    return Division(
        learn=tuple(learn),
        test=tuple(test),
        claim=f"{claim} ({shown(hosts_of(learn))}): not cross-device",
        notes=(*notes, *only),
    )


def _names_by_profile(episodes: Episodes) -> dict[str, set[str]]:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for episode in episodes:
        names[episode.profile].add(episode.sample_name)
    return dict(sorted(names.items()))


def _held(names: set[str], config: SplitConfig) -> list[str]:
    def lot(name: str) -> tuple[float, str]:
        return keyed_fraction(name, salt=config.salt, purpose=Purpose.SAMPLE_TEST), name

    n = round(config.sample_test_share * len(names))
    return sorted(names, key=lot)[: min(max(n, 1), len(names) - 1)]


def _is_test_control(episode: EpisodeFacts, config: SplitConfig) -> bool:
    lot = keyed_fraction(episode.episode_id, salt=config.salt, purpose=Purpose.CONTROL_TEST)
    return lot < config.sample_test_share


def _notes_on_names(names: dict[str, set[str]], n_unnamed: int) -> list[str]:
    single = [profile for profile, some in names.items() if len(some) < 2]
    notes: list[str] = []
    if single:
        notes.append(f"profiles with fewer than two samples, all in training: {shown(single)}")
    if n_unnamed:
        # They could be runs of a sample that is held out.
        notes.append(f"left out: {counted(n_unnamed, 'malicious episode')} without a sample name")
    return notes
