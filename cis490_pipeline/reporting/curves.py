"""The curves of a report: time to detect, reliability, risk over coverage, a panel for each model.

Drawn for what id_val chose, the yardsticks and the controls; each with the table of its numbers.

Not here: how a curve is drawn (``curve_svg``), the tables of all models (``measures``), the figures
(``evaluation``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from cis490_pipeline.evaluation.calibration import ReliabilityBin
from cis490_pipeline.evaluation.detection import TimeToDetect
from cis490_pipeline.evaluation.keys import ELAPSED_TIME
from cis490_pipeline.evaluation.risk_coverage import RiskCoverage
from cis490_pipeline.evaluation.scores import ModelEvaluation
from cis490_pipeline.evaluation.selective import Selective
from cis490_pipeline.reporting.curve_svg import At, Count, Curve, Mark, curve_plot
from cis490_pipeline.reporting.data_svg import axis_ticks
from cis490_pipeline.reporting.figure_cells import ends, interval_cell
from cis490_pipeline.reporting.figure_cells import figure as rounded
from cis490_pipeline.reporting.frame import figure
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.text import UNTESTED

_SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEVEL: Final = "{:g} % interval over episodes"
_LEAST_GAP: Final = 0.12
"""From which on there is room to name what was not detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One model's curve; ``drawing`` is None where ``note`` says why there is none."""

    name: str
    family: str
    note: str
    drawing: Markup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFigure:
    """The panels of one section, and how to read them."""

    reading: str
    panels: tuple[Panel, ...]


def curve_figures(report: Report) -> dict[str, CurveFigure]:
    """Return the figures by the title of their section."""
    clock = clock_of(report)
    level = _LEVEL.format(100 * report.comparison.bootstrap.level)

    def figure_of(
        panel: Callable[[str, ModelEvaluation, ModelEvaluation | None], Panel], reading: str
    ) -> CurveFigure:
        shown = [(report.name(one.key), report.evaluation(one.key)) for one in report.shown()]
        panels = tuple(panel(name, one, clock) for name, one in shown)
        return CurveFigure(reading=reading, panels=panels)

    return {
        "Time to detect": figure_of(
            detection_panel,
            "Line: share of the infected episodes that were detected so many seconds after onset; "
            "what is missing to 1 at the right was not detected while it was watched. Band: "
            f"{level} of Kaplan and Meier's estimate, up to where half of the episodes were still "
            "watched. Dashed: elapsed_time.",
        ),
        "Calibration": figure_of(
            reliability_panel,
            "Share of right windows against the probability of the predicted phase: on the dashed "
            "line it can be believed, below it the model is too sure. Bars at a point: interval "
            "over episodes; at the floor: how many windows. Open: windows of one episode alone.",
        ),
        "Risk over coverage": figure_of(
            risk_panel,
            f"Share of wrong windows when only so many of the surest are answered; band: "
            f"{level}. Diamonds: what conformal sets answer at their alpha, every episode counting "
            "the same. Dashed: elapsed_time.",
        ),
    }


def clock_of(report: Report) -> ModelEvaluation | None:
    """Return the control that other curves are drawn beside; None where it was not scored."""
    clocks = (one.key for one in report.configurations() if one.key.family == ELAPSED_TIME)
    found = next(clocks, None)
    return None if found is None else report.evaluation(found)


def detection_panel(name: str, one: ModelEvaluation, clock: ModelEvaluation | None) -> Panel:
    """Draw the share detected over time, with the alarm's budget beside its name.

    The line counts every infected episode, so that what was missed is missing in it. Kaplan and
    Meier's estimate may reach 1 while most were missed, when those were not watched any longer: its
    band ends where half of the episodes were.
    """
    detection = one.measures.detection
    found, alarm = detection.found, detection.alarm
    if found is None or alarm is None or not found.curve:
        reason = detection.reason or (found.rate.reason if found else None)
        return _none(name, one, reason or "no episode with an infection")
    told = _missed(found)
    budget = (
        f"{told}. Alarm budget {alarm.policy.budget:.0%} of the id_val episodes: "
        f"{alarm.n_false} of {alarm.n_episodes} ring falsely there."
    )
    caption = f"time to detect of {name}: {told}; {_quarters(found)}"
    head = ("seconds after onset", "share detected", "detected", "at risk", "Kaplan and Meier")
    curve = detection_curve(found, one, clock)
    return _panel(name, one, budget, curve, caption, head, _detection_rows(found))


def _missed(found: TimeToDetect) -> str:
    n_missed = found.n_infected - found.n_detected
    return f"{n_missed} of {found.n_infected} infected episodes not detected"


def detection_curve(
    found: TimeToDetect, one: ModelEvaluation, clock: ModelEvaluation | None
) -> Curve:
    """Return what is drawn of a model's detection, the clock's beside it."""
    other = None if clock is None or clock is one else clock.measures.detection.found
    missed = 1.0 - found.n_detected / found.n_infected
    return Curve(
        x_ticks=axis_ticks(found.curve[-1].t_s),
        x_name="seconds after onset",
        y_name="share detected",
        colour=family_colour(one.key.family),
        points=_detected(found),
        stepped=True,
        reference=() if other is None else tuple((each.x, each.y) for each in _detected(other)),
        gap=f"{rounded(missed)} not detected" if missed > _LEAST_GAP else "",
    )


def _detected(found: TimeToDetect) -> tuple[At, ...]:
    """Return the share of all infected episodes over time, with the band that the record has."""
    return tuple(
        At(
            x=point.t_s,
            y=point.n_detected / found.n_infected,
            low=point.low if point.t_s <= found.horizon_s else None,
            high=point.high if point.t_s <= found.horizon_s else None,
        )
        for point in found.curve
    )


def _detection_rows(found: TimeToDetect) -> list[tuple[str, ...]]:
    return [
        (
            f"{point.t_s:g}",
            rounded(point.n_detected / found.n_infected),
            str(point.n_detected),
            str(point.n_at_risk),
            _between(point.detected, point.low, point.high),
        )
        for point in found.curve
    ]


def _quarters(found: TimeToDetect) -> str:
    """Say in words when a quarter, half and three quarters are detected."""
    told: list[str] = []
    for share in (0.25, 0.5, 0.75):
        first = next((each.x for each in _detected(found) if each.y >= share), None)
        told.append(f"{share:g} never" if first is None else f"{share:g} within {first:g} s")
    return ", ".join(told)


def reliability_panel(name: str, one: ModelEvaluation, _: ModelEvaluation | None) -> Panel:
    """Draw how often the predicted phase is right at each of its probabilities."""
    found = one.measures.calibration
    if not any(each.n_windows for each in found.bins):
        return _none(name, one, found.ece.reason or "no labelled window")
    told = f"ECE {interval_cell(found.ece).whole}"
    curve = Curve(
        x_ticks=_SHARES,
        x_name="probability of the predicted phase",
        y_name="share that is right",
        colour=family_colour(one.key.family),
        points=tuple(point for each in found.bins if (point := _reliable(each)) is not None),
        dotted=True,
        reference=((0.0, 0.0), (1.0, 1.0)),
        counts=_counts(found.bins),
    )
    head = ("from", "to", "windows", "episodes", "mean probability", "share that is right")
    rows = [_bin_row(each) for each in found.bins]
    return _panel(name, one, told, curve, f"reliability of {name}: {told}", head, rows)


def _counts(bins: Sequence[ReliabilityBin]) -> tuple[Count, ...]:
    fullest = max(each.n_windows for each in bins)
    return tuple(
        Count(
            low=each.low,
            high=each.high,
            share=each.n_windows / fullest,
            title=f"{each.n_windows} windows of {each.n_episodes} episodes",
        )
        for each in bins
    )


def _bin_row(each: ReliabilityBin) -> tuple[str, ...]:
    return (
        f"{each.low:.3f}",
        f"{each.high:.3f}",
        str(each.n_windows),
        str(each.n_episodes),
        UNTESTED if each.mean_probability is None else rounded(each.mean_probability),
        _between(each.accuracy, each.accuracy_low, each.accuracy_high),
    )


def _reliable(each: ReliabilityBin) -> At | None:
    if each.mean_probability is None or each.accuracy is None:
        return None
    told = _between(each.accuracy, each.accuracy_low, each.accuracy_high)
    return At(
        x=each.mean_probability,
        y=each.accuracy,
        low=each.accuracy_low,
        high=each.accuracy_high,
        title=f"at {rounded(each.mean_probability)} right {told}, {each.n_windows} windows",
    )


def risk_panel(name: str, one: ModelEvaluation, clock: ModelEvaluation | None) -> Panel:
    """Draw the error of the surest windows over how many are answered."""
    selective = one.selective
    found = selective.risk_coverage
    if not found.points:
        return _none(name, one, found.reason or "no labelled window")
    told = f"AURC {interval_cell(found.aurc).whole}"
    curve = Curve(
        x_ticks=_SHARES,
        x_name="share of windows answered",
        y_name="share of them that is wrong",
        colour=family_colour(one.key.family),
        points=_risks(found),
        reference=()
        if clock is None or clock is one
        else tuple((each.x, each.y) for each in _risks(clock.selective.risk_coverage)),
        marks=_marks(selective),
    )
    head = ("answered", "by", "error", "1 - macro F1")
    rows = [
        (
            f"{p.coverage:.3f}",
            f"probability from {p.threshold:.3f}",
            interval_cell(p.error).whole,
            interval_cell(p.macro_risk).whole,
        )
        for p in found.points
    ]
    rows += _conformal_rows(selective)
    return _panel(name, one, told, curve, f"risk over coverage of {name}: {told}", head, rows)


def _risks(found: RiskCoverage) -> tuple[At, ...]:
    return tuple(
        At(x=p.coverage, y=p.error.point, low=p.error.low, high=p.error.high)
        for p in found.points
        if p.error.point is not None
    )


def _marks(selective: Selective) -> tuple[Mark, ...]:
    return tuple(
        Mark(x=answered, y=error, name=f"α {alpha:g}")
        for alpha, answered, error in _rejected(selective)
    )


def _rejected(selective: Selective) -> list[tuple[float, float, float]]:
    """Return (alpha, share answered, error of those) of each level that could be calibrated."""
    return [
        (level.alpha, 1.0 - level.abstained.point, level.kept_error.point)
        for level in selective.rejection.levels
        if level.abstained is not None
        and level.kept_error is not None
        and level.abstained.point is not None
        and level.kept_error.point is not None
    ]


def _conformal_rows(selective: Selective) -> list[tuple[str, ...]]:
    return [
        (f"{answered:.3f}", f"conformal sets, alpha {alpha:g}", rounded(error), "–")
        for alpha, answered, error in _rejected(selective)
    ]


def _between(point: float | None, low: float | None, high: float | None) -> str:
    return UNTESTED if point is None else f"{rounded(point)} {ends(low, high)}".rstrip()


def _none(name: str, one: ModelEvaluation, reason: str) -> Panel:
    return Panel(name=name, family=one.key.family, note=f"{UNTESTED}: {reason}", drawing=None)


def _panel(
    name: str,
    one: ModelEvaluation,
    note: str,
    curve: Curve,
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> Panel:
    drawing = figure(curve_plot(curve, caption=caption), caption=caption, head=head, rows=rows)
    return Panel(name=name, family=one.key.family, note=note, drawing=drawing)
