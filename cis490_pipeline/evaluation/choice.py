"""Which model of a mode is chosen, and whether it may be recommended: by id_val alone.

The test set only reports. A configuration (family, mode, context) is judged by the mean over its
seeds, so that no seed is picked because it was lucky. Nor is a family: the best of a dozen on an
id_val of a dozen episodes is mostly the luckiest. So one simple family is declared beforehand
(``keys.FIRST_CHOICE``), and one deep family (``keys.DECLARED_DEEP``) that is recommended where it
is above the simple one on id_val; whoever is to be recommended instead, simple or deep, must be
shown to be better there. A transductive model is no candidate: it has what no device has.

Not here: the paired interval itself (``bootstrap``), the test set (``comparison``).
References: section *Honest evaluation* of the README; DomainBed (a method without a selection rule
is incomplete).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import (
    DECLARED_DEEP,
    FIRST_CHOICE,
    FamilyRole,
    ModelKey,
)
from cis490_pipeline.schema.channels import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model with its macro F1 on id_val; None where it has no id_val predictions."""

    key: ModelKey
    id_val_macro_f1: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Macro F1 of one model minus another, paired on id_val, and the p of no difference.

    Both are asked: with a handful of id_val episodes the interval alone is too narrow. Where the
    first is the best of several that a search tried on the same id_val, its p must pass for all
    of them (Bonferroni): the best of several is also the luckiest. ``least_p`` is the
    smallest that these episodes could give.
    """

    interval: Interval
    p: float | None
    n_tried: int = 1
    least_p: float = 0.0

    @property
    def corrected_p(self) -> float | None:
        """``p`` times what was tried, at most 1."""
        return None if self.p is None else min(1.0, self.p * self.n_tried)

    @property
    def is_shown(self) -> bool:
        """Whether id_val shows that the first model is better."""
        low = self.interval.low
        alpha = 1.0 - self.interval.level
        p = self.corrected_p
        return low is not None and low > 0 and p is not None and p <= alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChoice:
    """What id_val says about the models of one mode.

    Attributes
    ----------
    best_learned
        Best learned model, simple or deep; None where none has an id_val score.
    simple
        The yardstick: best baseline or simple learned model, where the family of first choice wins
        a draw; None where there is none.
    recommended
        What to use; None where nothing can be recommended.
    reason
        Why, in one sentence.
    """

    mode: Mode
    best_learned: ModelKey | None
    simple: ModelKey | None
    recommended: ModelKey | None
    reason: str


_SIMPLEST_FIRST = (FamilyRole.BASELINE, FamilyRole.SIMPLE, FamilyRole.DEEP)


def choose(
    mode: Mode,
    candidates: Sequence[Candidate],
    id_val_gain: Callable[[ModelKey, ModelKey], Gain],
) -> ModeChoice:
    """Choose among the models of a mode and the baselines.

    Parameters
    ----------
    candidates
        Models of any mode; those of another mode and transductive ones are left out, baselines of
        mode ``any`` are in.
    id_val_gain
        First minus second, paired on id_val; asked only where the best model is not of the family
        of first choice.
    """
    judged = _one_per_configuration(candidates, mode)
    learned = _best(judged, (FamilyRole.SIMPLE, FamilyRole.DEEP))
    simple = _yardstick(judged, id_val_gain)
    believed = _declared_deep(judged, simple) or simple
    recommended, reason = _recommend(learned, believed, id_val_gain)
    return ModeChoice(
        mode=mode,
        best_learned=learned[0] if learned else None,
        simple=simple[0] if simple else None,
        recommended=recommended,
        reason=reason,
    )


def _one_per_configuration(candidates: Sequence[Candidate], mode: Mode) -> dict[ModelKey, float]:
    """Map the lowest seed of each configuration to the mean id_val macro F1 over its seeds."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for one in sorted(candidates, key=lambda one: one.key):
        in_mode = one.key.mode == mode or one.key.role is FamilyRole.BASELINE
        if in_mode and one.id_val_macro_f1 is not None and not one.key.is_transductive:
            groups.setdefault((one.key.family, one.key.context), []).append(one)
    return {group[0].key: _mean(group) for group in groups.values()}


def _mean(group: Sequence[Candidate]) -> float:
    scores = [one.id_val_macro_f1 for one in group if one.id_val_macro_f1 is not None]
    return sum(scores) / len(scores)


def _best(
    judged: dict[ModelKey, float], roles: tuple[FamilyRole, ...]
) -> tuple[ModelKey, float] | None:
    """Return the best of the given roles; a tie goes to the simpler one, then by name."""
    entries = [(key, score) for key, score in judged.items() if key.role in roles]
    if not entries:
        return None
    return min(entries, key=lambda entry: (-entry[1], _SIMPLEST_FIRST.index(entry[0].role), entry))


def _yardstick(
    judged: dict[ModelKey, float], id_val_gain: Callable[[ModelKey, ModelKey], Gain]
) -> tuple[ModelKey, float] | None:
    """Return the best simple model or baseline; a draw of learned ones goes to the first choice."""
    best = _best(judged, (FamilyRole.BASELINE, FamilyRole.SIMPLE))
    baseline = _best(judged, (FamilyRole.BASELINE,))
    declared = {key: score for key, score in judged.items() if key.family == FIRST_CHOICE}
    first = _best(declared, (FamilyRole.SIMPLE,))
    if best is None or first is None or best[0].role is FamilyRole.BASELINE:
        return best
    if first == best or (baseline is not None and baseline[1] >= first[1]):
        return best
    return best if id_val_gain(best[0], first[0]).is_shown else first


def _declared_deep(
    judged: dict[ModelKey, float], simple: tuple[ModelKey, float] | None
) -> tuple[ModelKey, float] | None:
    """Return the declared deep model where it is above a simple model that is learned."""
    declared = {key: score for key, score in judged.items() if key.family == DECLARED_DEEP}
    found = _best(declared, (FamilyRole.DEEP,))
    if found is None or simple is None or simple[0].role is FamilyRole.BASELINE:
        return None
    return found if found[1] > simple[1] else None


def _recommend(
    learned: tuple[ModelKey, float] | None,
    believed: tuple[ModelKey, float] | None,
    id_val_gain: Callable[[ModelKey, ModelKey], Gain],
) -> tuple[ModelKey | None, str]:
    if learned is None:
        return None, "no learned model of this mode can be chosen: none has an id_val score"
    if believed is None:
        return None, f"{learned[0].label} has no simple model to be measured against"
    if believed[0].role is FamilyRole.BASELINE and believed[1] >= learned[1]:
        return None, f"no learned model is better on id_val than {believed[0].label}"
    if learned == believed:
        return learned[0], f"best on id_val (macro F1 {learned[1]:.2f})"
    return _against(learned[0], believed[0], id_val_gain(learned[0], believed[0]))


def _against(best: ModelKey, believed: ModelKey, gain: Gain) -> tuple[ModelKey | None, str]:
    """Recommend another model than the believed one only where id_val shows that it is better."""
    if gain.is_shown:
        return best, f"{best.role.value}, and better on id_val than {believed.label} {_range(gain)}"
    verdict = f"{best.label} is not shown to beat {believed.label} on id_val {_range(gain)}"
    if believed.role is FamilyRole.BASELINE:
        return None, verdict
    return believed, f"{verdict}, and {_winner_of_a_draw(best, believed)} wins a draw"


def _winner_of_a_draw(best: ModelKey, believed: ModelKey) -> str:
    if believed.role is FamilyRole.DEEP:
        return "the declared deep model"
    return "the simple model" if best.role is FamilyRole.DEEP else "the family of first choice"


def _range(gain: Gain) -> str:
    found = gain.interval
    if found.point is None or found.low is None or found.high is None:
        return f"(no interval: {found.reason})"
    p = "" if gain.corrected_p is None else f", p {gain.corrected_p:.3f}"
    if p and gain.n_tried > 1:
        p += f" for the best of {gain.n_tried} tried"
    if p and gain.least_p * gain.n_tried > 1.0 - found.level:
        p += ", which so few episodes cannot bring low enough"
    return f"({found.point:+.2f} [{found.low:+.2f}, {found.high:+.2f}]{p})"
