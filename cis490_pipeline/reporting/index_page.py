"""The page over all reports of a store: every split's headline, and how it moved over time.

It is made from what stands in ``reports``: headlines and histories.

Not here: a split's own page (``html``), who writes when (``publish``, ``publish_data``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from markupsafe import Markup

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.reporting.frame import figure
from cis490_pipeline.reporting.history import HistoryEntry, Score, read_history
from cis490_pipeline.reporting.history_svg import Moment, history_plot
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import UNTESTED, number
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout

_NAMES: Final = ("report.html", "comparison.json", "headline.txt")


class _Named(msgspec.Struct, frozen=True):
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLine:
    """One split; ``link`` is relative to the index, ``state`` says whose data its figures are."""

    split: str
    link: str
    headline: str
    state: str
    history: tuple[HistoryEntry, ...]

    @property
    def last(self) -> HistoryEntry | None:
        """The newest line of its history; None for a split without a test set."""
        return self.history[-1] if self.history else None


def publish_index(layout: Layout) -> Path:
    """Write ``reports/index.html`` over all reports that stand.

    Raises
    ------
    WarehouseError
        Where the file cannot be written.
    """
    path = layout.reports_index
    others = [
        (title, f"{place.name}/{place.name}.html")
        for title, place in (
            ("Leave one host out", layout.leave_one_host_out),
            ("Data card", layout.data_card),
        )
        if (place / f"{place.name}.html").is_file()
    ]
    write_bytes(path, render_index(split_lines(layout), others).encode())
    return path


def split_lines(layout: Layout) -> tuple[SplitLine, ...]:
    """Return the splits that have a report, by name."""
    found = [
        _line(layout, place)
        for place in sorted(layout.reports_index.parent.iterdir())
        if all((place / name).is_file() for name in _NAMES)
    ]
    return tuple(sorted(found, key=lambda one: one.split))


def _line(layout: Layout, place: Path) -> SplitLine:
    named = msgspec.json.decode((place / _NAMES[1]).read_bytes(), type=_Named)
    return SplitLine(
        split=named.split,
        link=f"{quote(place.name, safe='=')}/{_NAMES[0]}",
        headline=(place / _NAMES[2]).read_text("utf-8").strip(),
        state=_state(layout, named.split),
        history=read_history(place),
    )


def _state(layout: Layout, split: str) -> str:
    try:
        return "current" if current_records(layout, split) else "of an earlier state of its data"
    except WarehouseError:
        return "cannot be compared with its data"


def render_index(splits: Sequence[SplitLine], others: Sequence[tuple[str, str]]) -> str:
    """Return the page; ``others`` are (title, relative link) of pages that are no split's."""
    context = {
        "splits": splits,
        "others": others,
        "courses": [(one, _course(one)) for one in splits if one.history],
    }
    return render_page(
        "index.html.j2", context, {"score": _told, "minute": _minute, "colour": family_colour}
    )


def _minute(when: str) -> str:
    """Return the time to the minute, UTC; what is no time comes back as it is."""
    try:
        return datetime.fromisoformat(when).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return when


def _told(score: Score | None) -> str:
    if score is None or score.point is None:
        return UNTESTED
    if score.low is None or score.high is None:
        return f"{number(score.point)} no interval"
    return f"{number(score.point)} [{number(score.low)}, {number(score.high)}]"


def _course(one: SplitLine) -> Markup:
    caption = f"{one.split}: macro F1 of the chosen model at every change"
    return figure(
        history_plot([_moment(entry) for entry in one.history], caption=caption),
        caption=caption,
        head=(
            "when",
            "model",
            "macro F1",
            "elapsed_time",
            "training episodes",
            "test episodes",
            "models",
            "training set",
            "test set",
        ),
        rows=[_row(entry) for entry in one.history],
        ends=(_minute(one.history[0].when), _minute(one.history[-1].when)),
    )


def _row(entry: HistoryEntry) -> tuple[str, ...]:
    return (
        entry.when,
        _chosen(entry),
        _told(entry.chosen),
        _told(entry.elapsed_time),
        str(entry.n_training_episodes),
        str(entry.n_episodes),
        str(entry.n_models),
        entry.training_set_hash[:12],
        entry.test_set_hash[:12],
    )


def _chosen(entry: HistoryEntry) -> str:
    if entry.chosen is None:
        return "none"
    return f"{entry.chosen.name}{', recommended' if entry.recommended else ''}"


def _moment(entry: HistoryEntry) -> Moment:
    score, control = entry.chosen, entry.elapsed_time
    return Moment(
        title=f"{entry.when}: {_chosen(entry)} {_told(score)}, {entry.n_training_episodes} "
        f"episodes train, {entry.n_episodes} test",
        point=None if score is None else score.point,
        low=None if score is None else score.low,
        high=None if score is None else score.high,
        control=None if control is None else control.point,
        colour=family_colour("" if score is None else score.family),
    )
