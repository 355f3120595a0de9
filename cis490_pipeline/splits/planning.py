"""From facts about episodes to a plan: eligibility, recipe, id_val, soundness, in this order.

Pure and indifferent to the order of its input. Not here: reading the facts or writing the plan
(``datasets``).

Notes
-----
id_val is a keyed hash of the episode id below a share, drawn for every episode alone. That makes
the share of a small (host, profile) group uneven, down to none, which is warned of; it is the price
of the rule that a new episode never moves an old one.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeAlias

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.coverage import coverage_warnings, problems_of_roles, profiles_of
from cis490_pipeline.splits.division import (
    Division,
    Indivisible,
    deploy,
    hold_out_samples,
    later_in_time,
    leave_host_out,
    named_hosts,
)
from cis490_pipeline.splits.eligibility import eligible_episodes, ids_listed_twice, shown
from cis490_pipeline.splits.keyed_hash import Purpose, keyed_fraction
from cis490_pipeline.splits.plan import EpisodeFacts, Refusal, SplitPlan
from cis490_pipeline.splits.recipes import (
    Deploy,
    HoldOutSamples,
    HostLists,
    LaterInTime,
    LeaveHostOut,
    NamedHosts,
    SplitRecipe,
    lists_by_name,
    parse_split,
)

# A recipe whose name of lists is looked up.
_Resolved: TypeAlias = LeaveHostOut | HoldOutSamples | LaterInTime | HostLists | Deploy


def plan_split(
    key: str,
    episodes: Sequence[EpisodeFacts],
    config: SplitConfig | None = None,
    host_lists: Sequence[HostLists] = (),
) -> SplitPlan | Refusal:
    """Return who trains, who is id_val and who tests under a split key.

    Parameters
    ----------
    key
        A split key, e.g. ``host=lab-b``.
    episodes
        Every known episode, each id once, in any order.
    config
        Statuses, shares and salt; None for the defaults.
    host_lists
        The declared lists that ``hosts:<name>`` refers to.

    Raises
    ------
    ConfigurationError
        Where the key names no recipe or a list that is not declared.
    """
    chosen = SplitConfig() if config is None else config
    recipe = _resolve(parse_split(key), host_lists)
    twice = ids_listed_twice(episodes)
    if twice:
        return Refusal(
            split=key,
            reason=f"episodes are listed twice: {shown(twice)}",
            suggestion="ingest again, so that every episode has one row",
        )
    eligible = eligible_episodes(episodes, chosen, _participants(recipe))
    division = _divide(recipe, eligible.episodes, chosen)
    if isinstance(division, Indivisible):
        return Refusal(split=key, reason=division.reason, suggestion=division.suggestion)
    return _sound_or_refused(_plan_of(key, division, eligible.notes, chosen))


def is_id_val(episode_id: str, config: SplitConfig) -> bool:
    """Return whether an episode of the learning side is id_val; it depends on nothing else."""
    lot = keyed_fraction(episode_id, salt=config.salt, purpose=Purpose.ID_VAL)
    return lot < config.id_val_share


def _resolve(recipe: SplitRecipe, host_lists: Sequence[HostLists]) -> _Resolved:
    if not isinstance(recipe, NamedHosts):
        return recipe
    declared = lists_by_name(host_lists)
    if recipe.name not in declared:
        raise ConfigurationError(
            "no host lists of this name are declared",
            where=f"hosts:{recipe.name}",
            expected=", ".join(sorted(declared)) or "at least one declared list",
            found=recipe.name,
            todo="declare the training and test hosts under this name",
        )
    return declared[recipe.name]


def _participants(recipe: _Resolved) -> Collection[str] | None:
    return {*recipe.train, *recipe.test} if isinstance(recipe, HostLists) else None


def _divide(
    recipe: _Resolved, episodes: Sequence[EpisodeFacts], config: SplitConfig
) -> Division | Indivisible:
    match recipe:
        case LeaveHostOut():
            return leave_host_out(recipe, episodes)
        case HoldOutSamples():
            return hold_out_samples(episodes, config)
        case LaterInTime():
            return later_in_time(recipe, episodes, config)
        case HostLists():
            return named_hosts(recipe, episodes)
        case Deploy():
            return deploy(episodes)


def _plan_of(key: str, division: Division, notes: Sequence[str], config: SplitConfig) -> SplitPlan:
    learn = sorted(division.learn, key=lambda e: e.episode_id)
    test = tuple(sorted(division.test, key=lambda e: e.episode_id))
    train = tuple(e for e in learn if not is_id_val(e.episode_id, config))
    plan = SplitPlan(
        split=key,
        claim=division.claim,
        train=train,
        id_val=tuple(e for e in learn if is_id_val(e.episode_id, config)),
        test=test,
        untested_profiles=tuple(sorted(profiles_of(learn) - profiles_of(test))),
        unseen_profiles=tuple(sorted(profiles_of(test) - profiles_of(train))),
        warnings=(),
    )
    return replace(plan, warnings=(*notes, *division.notes, *coverage_warnings(plan)))


def _sound_or_refused(plan: SplitPlan) -> SplitPlan | Refusal:
    problems = problems_of_roles(plan)
    if not problems:
        return plan
    return Refusal(
        split=plan.split,
        reason="; ".join(problem.reason for problem in problems),
        suggestion="; ".join(problem.suggestion for problem in problems),
    )
