"""How a score moved: a line with the band of its interval, one column for each change.

As in ``svg``: horizontal positions are percentages. A line needs numbers, so it stands in an inner
picture of 0 to 100 that is stretched to the place, while texts and points are not.

Not here: the page (``index_page``).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from cis490_pipeline.reporting.text import html_text

_HEIGHT = 170
_TOP = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One column; values are None where there is none. ``title`` is what a pointer shows."""

    title: str
    point: float | None
    low: float | None
    high: float | None
    control: float | None
    colour: str


def history_plot(moments: Sequence[Moment], *, caption: str) -> Markup:
    """Draw the chosen model's macro F1 with its band, and the control dashed, from 0 to 1.

    A moment without a score breaks the line.
    """
    places = [_place(position, len(moments)) for position in range(len(moments))]
    inner = (
        f'<svg x="0" y="{_TOP}" width="100%" height="{_HEIGHT}" viewBox="0 0 100 100" '
        f'preserveAspectRatio="none">{_bands(places, moments)}'
        f"{_lines(places, [one.control for one in moments], 'course control')}"
        f"{_lines(places, [one.point for one in moments], 'course')}</svg>"
    )
    marks = "".join(_mark(x, one) for x, one in zip(places, moments, strict=True))
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="history" role="img" width="100%" height="{_HEIGHT + 2 * _TOP}">'
        f"<title>{html_text(caption)}</title>{_grid()}{inner}{marks}</svg>"
    )


def _place(position: int, count: int) -> float:
    return 50.0 if count == 1 else 6 + 90 * position / (count - 1)


def _runs(values: Sequence[object | None]) -> Iterator[list[int]]:
    """Yield the columns that have a value and stand side by side: no line crosses a gap."""
    for has_value, run in groupby(range(len(values)), key=lambda i: values[i] is not None):
        if has_value:
            yield list(run)


def _lines(places: Sequence[float], values: Sequence[float | None], kind: str) -> str:
    return "".join(
        f'<polyline class="{kind}" points="{_points((places[i], values[i]) for i in run)}"/>'
        for run in _runs(values)
    )


def _bands(places: Sequence[float], moments: Sequence[Moment]) -> str:
    ends = [None if one.low is None or one.high is None else (one.low, one.high) for one in moments]
    shapes: list[str] = []
    for run in _runs(ends):
        upper = [(places[i], moments[i].high) for i in run]
        lower = [(places[i], moments[i].low) for i in reversed(run)]
        shapes.append(f'<polygon class="band" points="{_points([*upper, *lower])}"/>')
    return "".join(shapes)


def _points(course: Iterable[tuple[float, float | None]]) -> str:
    return " ".join(f"{x:.2f},{100 * (1 - y):.2f}" for x, y in course if y is not None)


def _y(value: float) -> float:
    return _TOP + _HEIGHT * (1 - value)


def _grid() -> str:
    return "".join(
        f'<line class="grid" x1="0" x2="100%" y1="{_y(tick):.1f}" y2="{_y(tick):.1f}"/>'
        f'<text class="tick" x="0" y="{_y(tick) - 3:.1f}">{tick:g}</text>'
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
    )


def _mark(x: float, one: Moment) -> str:
    parts = [f"<title>{html_text(one.title)}</title>"]
    if one.low is not None and one.high is not None:
        parts.append(
            f'<line class="ci" x1="{x:.2f}%" x2="{x:.2f}%" y1="{_y(one.low):.1f}" '
            f'y2="{_y(one.high):.1f}" stroke="{html_text(one.colour)}"/>'
        )
    if one.point is not None:
        parts.append(
            f'<circle cx="{x:.2f}%" cy="{_y(one.point):.1f}" r="5" fill="{html_text(one.colour)}"/>'
        )
    return f"<g>{''.join(parts)}</g>"
