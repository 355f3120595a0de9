"""One curve with its band, a reference, marks and counts on an axis of shares, as inline SVG.

As in ``svg``: horizontal positions are percentages, texts keep the page's size. A line needs
numbers, so lines and bands stand in an inner picture of 0 to 100 that is stretched to the place.

Not here: which curves there are (``curves``), how a score moved over time (``history_svg``).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from markupsafe import Markup

from cis490_pipeline.reporting.text import html_text

_HEIGHT: Final = 176
_TOP: Final = 20
_BOTTOM: Final = _TOP + _HEIGHT
_LEFT: Final = 9.0
_RIGHT: Final = 98.0
_COUNTS: Final = 0.22
"""Share of the height that the fullest count has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """One point; ``low`` and ``high`` are None where there is no interval."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point of its own, named beside it."""

    x: float
    y: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A bar on the floor from ``low`` to ``high``; ``share`` is 1 for the fullest."""

    low: float
    high: float
    share: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What is drawn, on a horizontal axis from 0 to ``x_ticks[-1]`` and a vertical one of shares.

    Attributes
    ----------
    stepped
        Whether a value holds until the next point, as a share detected does.
    dotted
        Whether every point is drawn with an interval of its own, in the place of a band.
    reference
        A dashed line to compare with, empty for none.
    gap
        What is told between the last point and 1, nothing for none.
    """

    x_ticks: tuple[float, ...]
    x_name: str
    y_name: str
    colour: str
    points: tuple[At, ...]
    stepped: bool = False
    dotted: bool = False
    reference: tuple[tuple[float, float], ...] = ()
    marks: tuple[Mark, ...] = ()
    counts: tuple[Count, ...] = ()
    gap: str = ""


def curve_plot(curve: Curve, *, caption: str) -> Markup:
    """Draw a curve; ``caption`` says in words what it shows, for those who do not see it."""
    inner = (
        f'<svg x="0" y="{_TOP}" width="100%" height="{_HEIGHT}" viewBox="0 0 100 100" '
        f'preserveAspectRatio="none">{_lines(curve)}</svg>'
    )
    dots = "".join(_dot(curve, one) for one in curve.points) if curve.dotted else ""
    marks = "".join(_mark(curve, one) for one in curve.marks)
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="curve" role="img" width="100%" height="{_BOTTOM + 36}" '
        f'style="--tone:{html_text(curve.colour)}"><title>{html_text(caption)}</title>'
        f"{_axes(curve)}{_bars(curve)}{inner}{dots}{marks}{_gap(curve)}</svg>"
    )


def _x(curve: Curve, value: float) -> float:
    share = min(max(value / curve.x_ticks[-1], 0.0), 1.0)
    return _LEFT + (_RIGHT - _LEFT) * share


def _y(value: float) -> float:
    return _TOP + _HEIGHT * (1 - value)


def _axes(curve: Curve) -> str:
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}%" x2="{_RIGHT}%" y1="{_y(tick):.1f}" y2="{_y(tick):.1f}"/>'
        f'<text class="tick" x="0" y="{_y(tick) + 4:.1f}">{tick:g}</text>'
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    last = curve.x_ticks[-1]
    columns = "".join(
        f'<text class="tick" x="{_x(curve, tick):.2f}%" y="{_BOTTOM + 16}" '
        f'text-anchor="{"end" if tick == last else "middle"}">{tick:g}</text>'
        for tick in curve.x_ticks
    )
    return (
        f'{rows}{columns}<text class="axis" x="0" y="10">{html_text(curve.y_name)} ↑</text>'
        f'<text class="axis" x="{_RIGHT}%" y="{_BOTTOM + 32}" text-anchor="end">'
        f"{html_text(curve.x_name)} →</text>"
    )


def _bars(curve: Curve) -> str:
    parts: list[str] = []
    for one in curve.counts:
        x, height = _x(curve, one.low), _HEIGHT * _COUNTS * one.share
        width = _x(curve, one.high) - x - 0.4
        parts.append(
            f'<rect class="amount" x="{x:.2f}%" y="{_BOTTOM - height:.1f}" width="{width:.2f}%" '
            f'height="{height:.1f}"><title>{html_text(one.title)}</title></rect>'
        )
    return "".join(parts)


def _lines(curve: Curve) -> str:
    bands = "" if curve.dotted else "".join(_band(curve, run) for run in _banded(curve.points))
    reference = _polyline(curve, curve.reference, "course control")
    own = _polyline(curve, [(one.x, one.y) for one in curve.points], "course")
    return bands + reference + own


def _banded(points: Sequence[At]) -> Iterator[list[At]]:
    """Yield the points that have an interval and stand side by side: no band crosses a gap."""
    for has_band, run in groupby(points, key=lambda one: one.low is not None):
        if has_band:
            yield list(run)


def _band(curve: Curve, run: Sequence[At]) -> str:
    upper = _course(curve, [(one.x, one.high) for one in run if one.high is not None])
    lower = _course(curve, [(one.x, one.low) for one in run if one.low is not None])
    return f'<polygon class="band" points="{_text(upper + lower[::-1])}"/>'


def _polyline(curve: Curve, course: Sequence[tuple[float, float]], kind: str) -> str:
    if len(course) < 2:
        return ""
    return f'<polyline class="{kind}" points="{_text(_course(curve, course))}"/>'


def _course(curve: Curve, values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return positions in the inner picture, with the corners of steps."""
    placed = [(_x(curve, x), 100 * (1 - y)) for x, y in values]
    if not curve.stepped:
        return placed
    corners = [[here, (there[0], here[1])] for here, there in pairwise(placed)]
    return [*(place for pair in corners for place in pair), placed[-1]]


def _text(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in places)


def _dot(curve: Curve, one: At) -> str:
    x = f"{_x(curve, one.x):.2f}%"
    ends = ""
    if one.low is not None and one.high is not None:
        ends = (
            f'<line class="end" x1="{x}" x2="{x}" y1="{_y(one.low):.1f}" y2="{_y(one.high):.1f}"/>'
        )
    kind = "dot-of" if ends else "dot-of open"
    return (
        f"<g><title>{html_text(one.title)}</title>{ends}"
        f'<circle class="{kind}" cx="{x}" cy="{_y(one.y):.1f}" r="4"/></g>'
    )


def _mark(curve: Curve, one: Mark) -> str:
    x, y = _x(curve, one.x), _y(one.y)
    # a name stands on the side where there is room for it
    side, move = ("end", -9) if x > 60 else ("start", 9)
    return (
        f'<svg x="{x:.2f}%" y="{y:.1f}" width="1" height="1">'
        f'<path class="diamond" d="M0 -6 L6 0 L0 6 L-6 0 Z"/>'
        f'<text class="named" x="{move}" y="4" text-anchor="{side}">{html_text(one.name)}</text>'
        "</svg>"
    )


def _gap(curve: Curve) -> str:
    if not curve.gap or not curve.points:
        return ""
    last = curve.points[-1]
    x, middle = _x(curve, last.x), (_y(last.y) + _y(1.0)) / 2
    return (
        f'<line class="missed" x1="{x:.2f}%" x2="{x:.2f}%" y1="{_y(last.y):.1f}" y2="{_y(1):.1f}"/>'
        f'<text class="named" x="{x - 1.5:.2f}%" y="{middle + 4:.1f}" text-anchor="end">'
        f"{html_text(curve.gap)}</text>"
    )
