"""Figures as inline SVG: interval tracks, the forest plot, confusion matrices.

Horizontal positions of tracks are percentages and there is no ``viewBox``: the plot follows the
width of the page while its text keeps the page's size, so that it can be read on a phone. Colours
come from the page's style sheet through classes, families' own from ``palette``.

Not here: the page (``html``). Every name is escaped here, since the result is inserted as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.reporting.text import UNTESTED, html_text, scored

_ROW = 44
_TOP = 6
_LABEL_Y = 15
_TRACK_Y = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One line of a forest plot; ``colour`` is a CSS colour, ``note`` stands beside the name.

    ``seeds`` are the scores of the single seeds where the line is of several.
    """

    name: str
    note: str
    interval: Interval
    colour: str
    seeds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The values at the two ends of an axis."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Return a value's position in per cent, 1 % away from the edges so that dots stay in."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return f"{1 + 98 * share:.2f}%"


UNIT = Domain(low=0.0, high=1.0)


def _mark(interval: Interval, domain: Domain, y: int, colour: str) -> str:
    """Draw an interval as a bar with its point; only the point where there is no interval."""
    parts: list[str] = []
    if interval.low is not None and interval.high is not None:
        ends = f'x1="{domain.at(interval.low)}" x2="{domain.at(interval.high)}"'
        parts.append(f'<line class="ci" {ends} y1="{y}" y2="{y}" stroke="{html_text(colour)}"/>')
    if interval.point is not None:
        fill = f'fill="{html_text(colour)}"' if parts else f'class="open" stroke="{colour}"'
        parts.append(f'<circle cx="{domain.at(interval.point)}" cy="{y}" r="5" {fill}/>')
    return "".join(parts)


def forest_plot(rows: Sequence[ForestRow], *, reference: float | None, caption: str) -> Markup:
    """Draw macro F1 with intervals on an axis from 0 to 1.

    Parameters
    ----------
    reference
        A value to mark through all rows (the best control's); None for none.
    """
    bottom = _TOP + _ROW * len(rows)
    parts = [_axis(bottom)]
    if reference is not None:
        x = UNIT.at(reference)
        parts.append(f'<line class="reference" x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}"/>')
    parts += [_forest_row(row, _TOP + _ROW * position) for position, row in enumerate(rows)]
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="forest" role="img" width="100%" height="{bottom + 26}">'
        f"<title>{html_text(caption)}</title>{''.join(parts)}</svg>"
    )


def _axis(bottom: int) -> str:
    parts: list[str] = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = UNIT.at(tick)
        anchor = {0.0: "start", 1.0: "end"}.get(tick, "middle")
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(
            f'<text class="tick" x="{x}" y="{bottom + 17}" text-anchor="{anchor}">{tick:g}</text>'
        )
    return "".join(parts)


def _forest_row(row: ForestRow, top: int) -> str:
    value = scored(row.interval)
    label = f'<tspan class="name">{html_text(row.name)}</tspan>'
    if row.note:
        label += f'<tspan class="note" dx="8">{html_text(row.note)}</tspan>'
    y = top + _TRACK_Y
    return (
        f'<text x="1%" y="{top + _LABEL_Y}">{label}</text>'
        f'<text class="value" x="99%" y="{top + _LABEL_Y}" text-anchor="end">{value}</text>'
        f'<line class="track" x1="1%" x2="99%" y1="{y}" y2="{y}"/>'
        + _mark(row.interval, UNIT, y, row.colour)
        + "".join(
            f'<circle class="seed" cx="{UNIT.at(score)}" cy="{y + 8}" r="2.5" '
            f'stroke="{html_text(row.colour)}"/>'
            for score in row.seeds
        )
    )


def difference_track(interval: Interval, *, reach: float, colour: str) -> Markup:
    """Draw a difference on an axis from ``-reach`` to ``reach`` with a line at 0."""
    domain = Domain(low=-reach, high=reach)
    return Markup(  # noqa: S704 - numbers and a colour only
        f'<svg class="delta" role="img" width="100%" height="20">'
        f"<title>{html_text(scored(interval, signed=True))}</title>"
        f'<line class="track" x1="1%" x2="99%" y1="10" y2="10"/>'
        f'<line class="zero" x1="50%" x2="50%" y1="1" y2="19"/>'
        f"{_mark(interval, domain, 10, colour)}</svg>"
    )


_CELL = 46
_LEFT = 118
_HEAD = 100


def confusion_matrix(
    labels: Sequence[str], counts: Sequence[Sequence[int]], *, colour: str, caption: str
) -> Markup:
    """Draw counts, shaded by the share of their row; a row without support is hatched."""
    width = _LEFT + _CELL * len(labels) + 40
    height = _HEAD + _CELL * len(labels) + 8
    parts = [_column_label(position, label) for position, label in enumerate(labels)]
    parts += [_matrix_row(position, labels, row, colour) for position, row in enumerate(counts)]
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="confusion" role="img" viewBox="0 0 {width} {height}">'
        f"<title>{html_text(caption)}</title>"
        f'<text class="axis" x="{_LEFT - 8}" y="{_HEAD - 8}" text-anchor="end">'
        f"truth ↓ predicted →</text>{''.join(parts)}</svg>"
    )


def _column_label(position: int, label: str) -> str:
    x, y = _LEFT + _CELL * position + _CELL // 2, _HEAD - 8
    return f'<text x="{x}" y="{y}" transform="rotate(-50 {x} {y})">{html_text(label)}</text>'


def _matrix_row(position: int, labels: Sequence[str], row: Sequence[int], colour: str) -> str:
    y = _HEAD + _CELL * position
    total = sum(row)
    label = (
        f'<text x="{_LEFT - 8}" y="{y + _CELL // 2 + 4}" text-anchor="end">'
        f"{html_text(labels[position])}</text>"
    )
    if total == 0:
        middle = _LEFT + _CELL * len(row) // 2
        return (
            f'{label}<rect class="hatched" x="{_LEFT}" y="{y}" width="{_CELL * len(row) - 2}" '
            f'height="{_CELL - 2}"/><text class="untested" x="{middle}" '
            f'y="{y + _CELL // 2 + 4}" text-anchor="middle">{UNTESTED}</text>'
        )
    cells = [
        _cell(_LEFT + _CELL * column, y, count, total, colour, f"{labels[position]} → {name}")
        for column, (count, name) in enumerate(zip(row, labels, strict=True))
    ]
    return label + "".join(cells)


def _cell(x: int, y: int, count: int, total: int, colour: str, pair: str) -> str:
    share = count / total
    tone = "on" if share > 0.75 else "off"
    size = _CELL - 2
    box = f'x="{x}" y="{y}" width="{size}" height="{size}"'
    return (
        f"<g><title>{html_text(pair)}: {count} of {total} ({share:.0%})</title>"
        f'<rect class="cell" {box}/>'
        f'<rect {box} fill="{html_text(colour)}" fill-opacity="{share:.3f}"/>'
        f'<text class="count {tone}" x="{x + size // 2}" y="{y + size // 2 + 4}" '
        f'text-anchor="middle">{count}</text></g>'
    )
