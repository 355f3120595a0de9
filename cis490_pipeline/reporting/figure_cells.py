"""Figures with intervals as cells of tables, for the page and for Markdown alike.

Not here: which tables there are (``measures``, ``detection_tables``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from cis490_pipeline.evaluation.false_alarms import EXACT_HOURS, RULE_OF_THREE_HOURS
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.measures import Measures
from cis490_pipeline.evaluation.replicates import EXACT, RULE_OF_THREE
from cis490_pipeline.reporting.report import Report

NONE: Final = "none"
_SIGNS: Final = {RULE_OF_THREE: "†", RULE_OF_THREE_HOURS: "‡", EXACT: "*", EXACT_HOURS: "**"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure, its interval, what it is of, and what has to be said of it."""

    text: str
    bounds: str = ""
    of: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """All of it on one line."""
        return " ".join(part for part in (self.text, self.bounds, self.of) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuresTable:
    """One table; ``rows`` are (model, family, cells), ``remarks`` each said once."""

    title: str
    lead: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be said of the cells."""
        said = (remark for _, _, cells in self.rows for cell in cells for remark in cell.remarks)
        return tuple(dict.fromkeys(said))


def figure(value: float) -> str:
    """Return a figure with the digits that its size deserves.

    >>> [figure(value) for value in (143.1, 14.26, 0.4, 0.00318, 0.0)]
    ['143', '14.3', '0.40', '0.0032', '0']
    """
    if value == 0:
        return "0"
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else _small(value)


def _small(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def interval_cell(interval: Interval, *, of: str = "") -> Cell:
    """Return a figure with its ends; without one ``none``, and why."""
    remarks = [text for text in (interval.reason, interval.caution) if text]
    if interval.point is None:
        return Cell(text=NONE, of=of, remarks=tuple(remarks))
    sign = _SIGNS.get(interval.method, "")
    if sign:
        remarks.insert(0, f"{sign} {interval.method}")
    bounds = f"{ends(interval.low, interval.high)}{sign}"
    return Cell(text=figure(interval.point), bounds=bounds, of=of, remarks=tuple(remarks))


def ends(low: float | None, high: float | None) -> str:
    """Return the ends of an interval; one that is not known is a question mark.

    >>> ends(0.05, None)
    '[0.05, ?]'
    """
    if low is None and high is None:
        return ""
    return f"[{', '.join('?' if end is None else figure(end) for end in (low, high))}]"


def model_rows(
    report: Report, cells_of: Callable[[Measures], Iterable[Cell]]
) -> tuple[tuple[str, str, tuple[Cell, ...]], ...]:
    """Return a row for every model, in the order of id_val."""
    return tuple(
        (report.name(one.key), one.key.family, tuple(cells_of(report.evaluation(one.key).measures)))
        for one in report.ranked()
    )
