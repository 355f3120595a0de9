"""Whether the roles of a plan cover enough to be worth fitting: who blocks, who warns.

Not here: disjointness (``leakage``), quality of the data itself (``validation``).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cis490_pipeline.splits.eligibility import shown
from cis490_pipeline.splits.plan import EpisodeFacts, SplitPlan
from cis490_pipeline.splits.recipes import Deploy, parse_split


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """Episodes of one profile on one host, by role; 0 is a cell that was counted and is empty."""

    host_id: str
    profile: str
    train: int
    id_val: int
    test: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What makes a plan unsound, and what to do about it."""

    reason: str
    suggestion: str


_NONE_TRAINS: Final = Problem(
    reason="no episode trains",
    suggestion="ship episodes of the training hosts, or include more statuses",
)
_NOTHING_MALICIOUS_TRAINS: Final = Problem(
    reason="no episode of a malicious profile trains",
    suggestion="ship episodes of a malicious profile for a training host",
)
_NO_CONTROL_TRAINS: Final = Problem(
    reason="no control episode trains",
    suggestion="ship control (benign) episodes of a training host",
)
_NO_ID_VAL: Final = Problem(
    reason="no episode is id_val: nothing to choose a model or a threshold on",
    suggestion="ship more episodes of the training hosts; about a fifth of them become id_val",
)
_NONE_TESTS: Final = Problem(
    reason="no episode tests",
    suggestion="ship more episodes, or use split `deploy` for a model without a test",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """Problems that must stop a fit, and sentences on what is thin."""

    blocking: tuple[Problem, ...]
    warnings: tuple[str, ...]


def coverage_table(plan: SplitPlan) -> tuple[CoverageRow, ...]:
    """Return one row for every host × profile that occurs anywhere in the plan, sorted.

    A profile that a host never ran has a row of zeros: the gap is the message.
    """
    train, id_val, test = (_cells(role) for role in (plan.train, plan.id_val, plan.test))
    cells = train.keys() | id_val.keys() | test.keys()
    hosts, profiles = sorted({host for host, _ in cells}), sorted({name for _, name in cells})
    return tuple(
        CoverageRow(
            host_id=host,
            profile=profile,
            train=train[host, profile],
            id_val=id_val[host, profile],
            test=test[host, profile],
        )
        for host in hosts
        for profile in profiles
    )


def soundness(plan: SplitPlan) -> Soundness:
    """Return what blocks a plan and what is thin in it."""
    no_control = bool(plan.train) and not any(e.is_control for e in plan.train)
    return Soundness(
        blocking=(*problems_of_roles(plan), *([_NO_CONTROL_TRAINS] if no_control else [])),
        warnings=coverage_warnings(plan),
    )


def problems_of_roles(plan: SplitPlan) -> tuple[Problem, ...]:
    """Return the problems with which no plan may exist: empty roles, nothing to detect."""
    needs_test = not isinstance(parse_split(plan.split), Deploy)
    untested = needs_test and not plan.test
    return (*training_problems(plan.train, plan.id_val), *([_NONE_TESTS] if untested else []))


def training_problems(
    train: Sequence[EpisodeFacts], id_val: Sequence[EpisodeFacts]
) -> tuple[Problem, ...]:
    """Return the problems of a training side alone, as a training set lists it."""
    found = {
        _NONE_TRAINS: not train,
        _NOTHING_MALICIOUS_TRAINS: bool(train) and all(e.is_control for e in train),
        _NO_ID_VAL: not id_val,
    }
    return tuple(problem for problem, is_there in found.items() if is_there)


def coverage_warnings(plan: SplitPlan) -> tuple[str, ...]:
    """Return sentences on what is thin but not unsound."""
    train, id_val = profiles_of(plan.train), profiles_of(plan.id_val)
    gaps = {
        "profiles without an id_val episode": train - id_val,
        "profiles with an id_val episode but none in train": id_val - train,
    }
    if plan.test:
        gaps["profiles that train but are untested"] = set(plan.untested_profiles)
        gaps["profiles in the test set that never train"] = set(plan.unseen_profiles)
    sentences = [f"{what}: {shown(names)}" for what, names in gaps.items() if names]
    roles = {"train": plan.train, "id_val": plan.id_val, "test": plan.test}
    sentences += [
        f"no control episode in {role}"
        for role, episodes in roles.items()
        if episodes and not any(e.is_control for e in episodes)
    ]
    return tuple(sentences)


def profiles_of(episodes: Iterable[EpisodeFacts]) -> set[str]:
    """Return the profiles that occur; the empty one stands for metadata without a profile."""
    return {episode.profile for episode in episodes}


def _cells(episodes: Sequence[EpisodeFacts]) -> Counter[tuple[str, str]]:
    return Counter((str(e.host_id), e.profile) for e in episodes)
