"""The one sentence that a reader takes home, made from facts alone.

It says what the models were tested on before it says how they did, and it says so plainly where
they do not beat a baseline that looks at no channel.

Not here: any computation (``comparison``), pages (``reporting``).
"""

from collections.abc import Sequence
from typing import Final

from cis490_pipeline.evaluation.comparison import (
    Comparison,
    DeclaredFamily,
    Difference,
    Verdict,
)
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, GRAMMAR_ONLY, FamilyRole, ModelKey
from cis490_pipeline.evaluation.scores import Coverage
from cis490_pipeline.schema.context import TRANSDUCTIVE_NOTE
from cis490_pipeline.schema.phases import N_PHASES

_MOST_NAMES = 4
MOST_LOSERS: Final = 2
"""Models that are named of those which do not beat the clock; the others are counted."""
NOT_BETTER: Final = {
    Verdict.WORSE: f"worse than {ELAPSED_TIME}",
    Verdict.UNDECIDED: f"not shown to beat {ELAPSED_TIME}",
}
"""What is said of a model that does not beat the clock."""


def headline(comparison: Comparison) -> str:
    """Return the result of a split in one line, conditions first."""
    parts = (
        *_conditions(comparison),
        *_result(comparison),
        *_suspicion(comparison),
        *_transductive(comparison),
    )
    return "; ".join(parts)


def names(items: Sequence[str]) -> str:
    """Join names, with a count in place of a long tail.

    >>> names(["a", "b"]), names(["a", "b", "c", "d", "e", "f"])
    ('a, b', 'a, b, c and 3 more')
    """
    if len(items) <= _MOST_NAMES:
        return ", ".join(items)
    kept = _MOST_NAMES - 1
    return f"{', '.join(items[:kept])} and {len(items) - kept} more"


def _conditions(comparison: Comparison) -> list[str]:
    scope = comparison.scope
    tested = [one for one in comparison.profiles if one.coverage is not Coverage.UNTESTED]
    untested = [one.name for one in comparison.profiles if one.coverage is Coverage.UNTESTED]
    parts = [_hosts(scope.train_hosts, scope.test_hosts)]
    parts.append(f"{len(tested)} of {len(comparison.profiles)} profiles")
    if untested:
        parts.append(f"{names(untested)} untested")
    if comparison.untested_phases:
        n_others = N_PHASES - len(comparison.untested_phases)
        lost = names(comparison.untested_phases)
        parts.append(f"no window of {lost}, macro F1 over the other {n_others} phases")
    if scope.unseen_profiles:
        parts.append(f"{names(scope.unseen_profiles)} tested but not trained")
    return parts


def _hosts(train: Sequence[str], test: Sequence[str]) -> str:
    count = "one host" if len(test) == 1 else f"{len(test)} hosts"
    text = f"trained on {names(train) or 'no host'}, tested on {names(test) or 'no host'}"
    shared = sorted(set(train) & set(test))
    if not shared:
        return f"{text}: conditional on {count}"
    whose = "same hosts" if set(test) <= set(train) else f"{names(shared)} in both"
    return f"{text}: {whose}, not cross-device, conditional on {count}"


def _result(comparison: Comparison) -> list[str]:
    best = comparison.best_learned
    if best is None:
        return ["no learned model has an id_val score: none is chosen"]
    chosen = f"best learned model chosen on id_val: {_scored(comparison, best)}"
    against = [one for one in comparison.differences if one.tests is DeclaredFamily.AGAINST_TIME]
    own = next((one for one in against if one.first == best), None)
    if own is None:
        return [chosen, "no elapsed_time baseline was scored: nothing shows that channels matter"]
    time = _scored(comparison, own.second)
    gap = f"{chosen}, {time}: difference {_signed(own.difference)}"
    order = _against_grammar(comparison, best)
    return [gap, *_plainly(against), *order, *_recommended(comparison)]


def _against_grammar(comparison: Comparison, best: ModelKey) -> list[str]:
    """Say what the order of phases alone is worth, and whether the best model is above it."""
    grammar = next((one for one in comparison.models if one.key.family == GRAMMAR_ONLY), None)
    if grammar is None:
        return []
    worth = _scored(comparison, grammar.key)
    points = comparison.macro_f1_of(best).point, grammar.macro_f1.point
    if points[0] is not None and points[1] is not None and points[0] <= points[1]:
        return [f"{best.label} is not above {worth}, which knows only the order of phases"]
    return [worth]


def _plainly(against: Sequence[Difference]) -> list[str]:
    """Say how many learned configurations do not beat the clock, and which are the worst."""
    lost = not_better(against)
    n_learned = sum(one.first.role is not FamilyRole.BASELINE for one in against)
    parts: list[str] = []
    if sum(map(len, lost.values())) == n_learned:
        parts.append(f"no model beats {ELAPSED_TIME}: nothing shows that the channels help")
    for verdict, words in NOT_BETTER.items():
        if lost[verdict]:
            parts.append(f"{words}: {_counted([one.first for one in lost[verdict]], n_learned)}")
    return parts


def not_better(differences: Sequence[Difference]) -> dict[Verdict, tuple[Difference, ...]]:
    """Return the learned configurations that do not beat the clock by verdict, the worst first."""
    against = [
        one
        for one in differences
        if one.tests is DeclaredFamily.AGAINST_TIME and one.first.role is not FamilyRole.BASELINE
    ]
    return {
        verdict: tuple(
            sorted(
                (one for one in against if one.verdict is verdict),
                key=lambda one: (one.difference.point or 0.0, one.first),
            )
        )
        for verdict in NOT_BETTER
    }


def _counted(keys: Sequence[ModelKey], n_learned: int) -> str:
    """Name few, count many: a zoo of any size is one line."""
    labels = [key.label for key in keys]
    if len(labels) <= MOST_LOSERS:
        return ", ".join(labels)
    named = ", ".join(labels[:MOST_LOSERS])
    return f"{len(labels)} of {n_learned} learned models, the lowest {named}"


def _recommended(comparison: Comparison) -> list[str]:
    if comparison.recommended == comparison.best_learned:
        return []
    if comparison.recommended is None:
        return ["no model is recommended"]
    return [f"recommended: {_scored(comparison, comparison.recommended)}"]


def _transductive(comparison: Comparison) -> list[str]:
    """Name the models that no device could be, so that their figures do not pass for others."""
    labels = {one.key.label for one in comparison.models if one.key.is_transductive}
    if not labels:
        return []
    return [f"shown, never chosen: {names(sorted(labels))} ({TRANSDUCTIVE_NOTE})"]


def _suspicion(comparison: Comparison) -> list[str]:
    """Say where a model that was taught nonsense scores: then no other number is worth anything."""
    return [
        f"{one.key.label} {_plain(one.macro_f1)} is above chance ({one.chance:.2f}): "
        f"something other than learning makes scores here, do not believe any of them"
        for one in comparison.controls
        if one.is_at_chance is False
    ]


def _scored(comparison: Comparison, key: ModelKey) -> str:
    lead = "" if key.role is FamilyRole.BASELINE else " macro F1"
    summary = comparison.seeds_of(key)
    several = "" if summary is None else f" (mean of {len(summary.seeds)} seeds)"
    return f"{key.label}{lead} {_plain(comparison.macro_f1_of(key))}{several}"


def _plain(interval: Interval) -> str:
    if interval.point is None:
        return f"untested ({interval.reason})"
    if interval.low is None or interval.high is None:
        return f"{interval.point:.2f} (no interval: {interval.reason})"
    return f"{interval.point:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _signed(interval: Interval) -> str:
    if interval.point is None:
        return f"untested ({interval.reason})"
    if interval.low is None or interval.high is None:
        return f"{interval.point:+.2f} (no interval: {interval.reason})"
    return f"{interval.point:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"
