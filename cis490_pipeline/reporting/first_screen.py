"""What a report says before anything else: what was claimed, how sure it is, what was not tested.

Sentences from facts alone. Not here: the layout (``report.html.j2``), the one-line headline
(``evaluation.headline``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cis490_pipeline.evaluation.comparison import DeclaredFamily, Difference, Verdict
from cis490_pipeline.evaluation.headline import names
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, GRAMMAR_ONLY, FamilyRole, ModelKey
from cis490_pipeline.evaluation.scores import ClassScore, Coverage, SliceScore, TestScope
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.svg import ForestRow, forest_plot
from cis490_pipeline.reporting.text import p_value, scored
from cis490_pipeline.schema.channels import Mode

_MODES = {
    Mode.REALISTIC: "It sees the channels that a deployed detector has",
    Mode.ORACLE: "It sees channels that no deployed detector has",
    Mode.ANY: "It sees no channel",
}
_CONTEXTS = {
    "none": "each window on its own",
    "recent": "each window beside those before it",
    "commissioned": "each window beside those before it and a first one believed to be clean",
}
_AGAINST_TIME = {
    Verdict.BETTER: "Better than elapsed_time, which sees only the clock",
    Verdict.WORSE: "Worse than elapsed_time, which sees only the clock",
    Verdict.UNDECIDED: "Not shown to beat elapsed_time, which sees only the clock",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The model that the claim is about."""

    name: str
    colour: str
    macro_f1: Interval
    standing: str
    sees: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstScreen:
    """``n_phases`` occur in the test set; ``plot`` is the chosen model beside the controls.

    ``gaps`` are (bold, rest) of a sentence.
    """

    trained: str
    tested: str
    profiles: str
    n_phases: int
    chosen: Chosen | None
    loses: bool
    plot: Markup | None
    sureness: tuple[str, ...]
    gaps: tuple[tuple[str, str], ...]


def first_screen(report: Report) -> FirstScreen:
    """Put together what the page's head says."""
    key, scope = report.chosen, report.comparison.scope
    return FirstScreen(
        trained=names(scope.train_hosts) or "no host",
        tested=names(scope.test_hosts) or "no host",
        profiles=_tested_profiles(report),
        n_phases=sum(one.n_windows > 0 for one in report.evaluations[0].classes),
        chosen=None if key is None else _chosen(report, key),
        loses=_nothing_beats_time(report.comparison.differences),
        plot=_plot(report),
        sureness=tuple(_sureness(report)),
        gaps=tuple(gaps_of(scope, report.comparison.profiles, report.evaluations[0].classes)),
    )


def _tested_profiles(report: Report) -> str:
    profiles = report.comparison.profiles
    n_tested = sum(one.coverage is not Coverage.UNTESTED for one in profiles)
    return f"{n_tested} of {_count(len(profiles), 'profile')}"


def _nothing_beats_time(differences: tuple[Difference, ...]) -> bool:
    against = [one for one in differences if one.second.family == ELAPSED_TIME]
    learned = [one for one in against if one.first.role is not FamilyRole.BASELINE]
    return bool(learned) and all(one.verdict is not Verdict.BETTER for one in learned)


def _chosen(report: Report, key: ModelKey) -> Chosen:
    recommended = report.comparison.recommended == key
    return Chosen(
        name=report.configured(key),
        colour=family_colour(key.family),
        macro_f1=report.comparison.macro_f1_of(key),
        standing="recommended; chosen on id_val, before the test set"
        if recommended
        else "best learned model on id_val; nothing is recommended",
        sees=f"{_MODES[key.mode]}; {_CONTEXTS.get(key.context, f'context {key.context}')}.",
    )


def _plot(report: Report) -> Markup | None:
    controls = [
        one.key for one in report.configurations() if one.key.family in {ELAPSED_TIME, GRAMMAR_ONLY}
    ]
    keys = [*([report.chosen] if report.chosen else []), *controls]
    rows = [
        ForestRow(
            name=report.configured(key),
            note="",
            interval=report.comparison.macro_f1_of(key),
            colour=family_colour(key.family),
        )
        for key in keys
    ]
    caption = "macro F1 of the chosen model beside the controls"
    return forest_plot(rows, reference=None, caption=caption) if rows else None


def _sureness(report: Report) -> Iterator[str]:
    key = report.chosen
    against = next(
        (
            one
            for one in report.comparison.differences
            if one.tests is DeclaredFamily.AGAINST_TIME and one.first == key
        ),
        None,
    )
    if against is not None:
        gap = scored(against.difference, signed=True)
        yield f"{_AGAINST_TIME[against.verdict]}: {gap}, p {p_value(against.p_holm)} (Holm)."
    elif key is not None:
        yield "No elapsed_time baseline was scored: nothing shows that the channels matter."
    size = (
        report.comparison.models[0].macro_f1 if key is None else report.comparison.macro_f1_of(key)
    )
    yield (
        f"Rests on {_count(size.n_episodes, 'episode')} of {_count(size.n_samples, 'sample')} "
        f"on {_count(size.n_hosts, 'host')}; the interval is over episodes, {size.condition}."
    )
    if size.caution:
        yield f"{size.caution[:1].upper()}{size.caution[1:]}."
    yield (
        f"{_count(len(report.configurations()), 'configuration')} were compared; this test set "
        f"has been read {_count(len(report.ledger), 'time')}, for which no p is corrected."
    )


def gaps_of(
    scope: TestScope, profiles: Sequence[SliceScore], classes: Sequence[ClassScore]
) -> Iterator[tuple[str, str]]:
    """Yield (bold, rest) of a sentence for everything that a test set says nothing about."""
    shared = set(scope.train_hosts) & set(scope.test_hosts)
    if shared:
        yield "Another device", f": {names(sorted(shared))} trained and tested, not cross-device"
    elif scope.test_hosts:
        yield "Any host but", f" {names(scope.test_hosts)}"
    untested = [one.name for one in profiles if one.coverage is Coverage.UNTESTED]
    if untested:
        yield names(untested), f": {_profiles(untested)} without an episode in the test set"
    phases = [one.phase for one in classes if not one.n_windows]
    if phases:
        yield names(phases), ": no window of it in the test set"
    if scope.unseen_profiles:
        yield names(scope.unseen_profiles), ": tested, but in no training set"
    yield "Deployment", ": how rare infections are there is declared, not measured"


def _profiles(found: list[str]) -> str:
    return "a profile" if len(found) == 1 else "profiles"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
