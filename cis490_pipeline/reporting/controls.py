"""The sections of a report on negative controls, on hosts told apart and on difficulty.

Not here: the figures (``evaluation.controls``, ``evaluation.shift``, ``evaluation.difficulty``).
"""

import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from cis490_pipeline.evaluation.controls import LUCK, ControlResult
from cis490_pipeline.evaluation.difficulty import THIRDS, EpisodeDifficulty, ModelByDifficulty
from cis490_pipeline.evaluation.host_probe import HostProbe
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, GRAMMAR_ONLY
from cis490_pipeline.evaluation.shift import ModeShift
from cis490_pipeline.reporting.plain_tables import PlainTable
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.text import UNTESTED, number, number_or_dash, scored

_VERDICTS: Final = {True: "at chance", False: "ABOVE CHANCE", None: UNTESTED}
_NOT_MEASURED: Final = (
    "not measured on these sets: run `cis490 evaluate`, or materialize `shift`, then the report"
)


def control_tables(report: Report) -> tuple[PlainTable, ...]:
    """Return the tables, controls first."""
    return (_controls(report), _hosts(report), _difficulty(report), _thirds(report))


def _controls(report: Report) -> PlainTable:
    blind = [
        (report.name(one.key), scored(one.macro_f1), "–", "sees no channel: compared like a model")
        for one in report.ranked()
        if one.key.family in (ELAPSED_TIME, GRAMMAR_ONLY)
    ]
    taught = [_control_row(report, one) for one in report.comparison.controls]
    absent = () if taught else ("no model of permuted labels was fitted: nothing shows that scores "
                                "come from learning",)  # fmt: skip
    return PlainTable(
        title="Negative controls",
        lead="A model of permuted labels has learned nothing and must score like its own answers "
        f"dealt out at random; the interval may begin up to {LUCK:g} above that, for there is one "
        "permutation only.",
        head=("control", "macro F1", "chance", "verdict"),
        rows=(*taught, *blind),
        remarks=absent,
    )


def _control_row(report: Report, one: ControlResult) -> tuple[str, ...]:
    verdict = _VERDICTS[one.is_at_chance]
    return report.name(one.key), scored(one.macro_f1), number_or_dash(one.chance), verdict


def _hosts(report: Report) -> PlainTable:
    modes = () if report.shift is None else report.shift.modes
    return PlainTable(
        title="Can hosts be told apart?",
        lead="Macro F1 over hosts of a ridge classifier on single windows, on episodes that it was "
        "not fitted on. Near 1, a model can learn the host in the place of the phase wherever "
        "hosts ran different things. Informative: no gate.",
        head=("mode", "hosts of", "macro F1 over hosts", "chance", "hosts"),
        rows=tuple(
            (mode.mode.value, whose, *_probe_cells(probe))
            for mode in modes
            for whose, probe in (
                ("training set", mode.training_hosts),
                ("training and test set", mode.all_hosts),
            )
        ),
        remarks=() if modes else (_NOT_MEASURED,),
    )


def _probe_cells(probe: HostProbe) -> tuple[str, str, str]:
    if probe.macro_f1 is None:
        return UNTESTED, "–", probe.reason or ""
    return scored(probe.macro_f1), number_or_dash(probe.chance), ", ".join(probe.hosts)


def _difficulty(report: Report) -> PlainTable:
    modes = () if report.shift is None else report.shift.modes
    return PlainTable(
        title="Difficulty of the test episodes",
        lead="Distance of an episode's statistics to the nearest training episode, divided by the "
        "median distance between nearest training episodes. 1 is like another training episode.",
        head=("slice", "mode", "episodes", "lowest", "median", "highest"),
        rows=tuple(row for mode in modes for row in _difficulty_rows(mode)),
        remarks=() if modes else (_NOT_MEASURED,),
    )


def _difficulty_rows(mode: ModeShift) -> Iterable[tuple[str, ...]]:
    for what in ("host", "profile"):
        groups: dict[str, list[EpisodeDifficulty]] = {}
        for one in mode.episodes:
            groups.setdefault(one.host_id if what == "host" else one.profile, []).append(one)
        for name, members in sorted(groups.items()):
            yield f"{what} {name or '(none)'}", mode.mode.value, *_range(members)


def _range(members: Sequence[EpisodeDifficulty]) -> tuple[str, ...]:
    values = [one.difficulty for one in members if one.difficulty is not None]
    count = f"{len(values)} of {len(members)}" if len(values) < len(members) else f"{len(members)}"
    if not values:
        return count, UNTESTED, UNTESTED, UNTESTED
    return count, *(number(one) for one in (min(values), statistics.median(values), max(values)))


def _thirds(report: Report) -> PlainTable:
    place = {one.key: at for at, one in enumerate(report.ranked())}
    scored_by = sorted(report.by_difficulty, key=lambda one: place[one.key])
    return PlainTable(
        title="Scores by difficulty",
        lead="Macro F1 on the easiest, middle and hardest third of the test episodes, by the "
        "channels of the model's mode. Thirds may hold other phases and do not compare to a point.",
        head=("model", *THIRDS),
        rows=tuple((report.name(one.key), *_third_cells(one)) for one in scored_by),
        remarks=() if scored_by else (_NOT_MEASURED,),
    )


def _third_cells(one: ModelByDifficulty) -> tuple[str, ...]:
    if not one.thirds:
        return tuple(f"{UNTESTED}: {one.reason}" for _ in THIRDS)
    return tuple(
        f"{scored(third.macro_f1)} ({third.from_:.2f} to {third.to:.2f})" for third in one.thirds
    )
