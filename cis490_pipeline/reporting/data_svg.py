"""Figures of the data card as inline SVG: stacked bars, episodes over time, lengths.

As in ``svg``: horizontal positions are percentages and there is no ``viewBox``, so that a figure
follows the width of its place while its text keeps the page's size. Every figure says in a
``<title>`` what it shows.

Not here: figures of models (``svg``), the page (``data_page``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from cis490_pipeline.reporting.text import html_text

_ROW: Final = 46
_LABEL_Y: Final = 15
_TRACK_Y: Final = 31
_TIME_HEIGHT: Final = 72
_GAP: Final = 0.12
"""Share of a bin's width that stays free between two bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a stacked bar."""

    name: str
    value: float
    colour: str


def stacked_bar(parts: Sequence[Part], *, whole: float, height: int, caption: str) -> Markup:
    """Draw parts side by side; ``whole`` is the value of the full width."""
    drawn: list[str] = []
    left = 0.0
    for part in parts:
        width = 100 * part.value / whole if whole > 0 else 0.0
        if width > 0:
            drawn.append(
                f'<rect x="{left:.2f}%" width="{width:.2f}%" height="{height}" '
                f'fill="{html_text(part.colour)}"><title>{html_text(part.name)}</title></rect>'
            )
        left += width
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="stack" role="img" width="100%" height="{height}">'
        f"<title>{html_text(caption)}</title>{''.join(drawn)}</svg>"
    )


def time_bars(bins: Sequence[Sequence[Part]], *, most: float, caption: str) -> Markup:
    """Draw a column of stacked parts for each bin of time; ``most`` is the full height."""
    drawn: list[str] = []
    width = 100 / max(1, len(bins))
    for position, parts in enumerate(bins):
        bottom = float(_TIME_HEIGHT)
        x = (position + _GAP / 2) * width
        for part in parts:
            height = (_TIME_HEIGHT - 4) * part.value / most if most > 0 else 0.0
            bottom -= height
            if height > 0:
                drawn.append(
                    f'<rect x="{x:.2f}%" y="{bottom:.1f}" width="{width * (1 - _GAP):.2f}%" '
                    f'height="{height:.1f}" fill="{html_text(part.colour)}">'
                    f"<title>{html_text(part.name)}</title></rect>"
                )
    line = f'<line class="track" x1="0%" x2="100%" y1="{_TIME_HEIGHT}" y2="{_TIME_HEIGHT}"/>'
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="time" role="img" width="100%" height="{_TIME_HEIGHT + 1}">'
        f"<title>{html_text(caption)}</title>{line}{''.join(drawn)}</svg>"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthRow:
    """A host's lengths: minimum, quartiles and maximum, in seconds."""

    name: str
    quartiles: tuple[float, float, float, float, float]


def length_plot(rows: Sequence[LengthRow], *, caption: str) -> Markup:
    """Draw range, middle half and median of each row on one axis that begins at 0."""
    ticks = axis_ticks(max((row.quartiles[-1] for row in rows), default=0.0))
    bottom = 6 + _ROW * len(rows)
    parts = [_axis(ticks, bottom)]
    parts += [_length_row(row, ticks[-1], 6 + _ROW * i) for i, row in enumerate(rows)]
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="forest" role="img" width="100%" height="{bottom + 26}">'
        f"<title>{html_text(caption)}</title>{''.join(parts)}</svg>"
    )


def axis_ticks(largest: float) -> tuple[float, ...]:
    """Return 3 to 6 round positions from 0 to at least ``largest``.

    >>> axis_ticks(194.0), axis_ticks(0.0)
    ((0.0, 50.0, 100.0, 150.0, 200.0), (0.0, 0.5, 1.0))
    """
    if largest <= 0:
        return (0.0, 0.5, 1.0)
    magnitude = 10.0 ** math.floor(math.log10(largest / 4))
    step = next(
        magnitude * factor
        for factor in (1, 2, 2.5, 5, 10)
        if math.ceil(largest / (magnitude * factor)) <= 5
    )
    return tuple(step * i for i in range(math.ceil(largest / step) + 1))


def _at(value: float, largest: float) -> str:
    return f"{1 + 98 * value / largest:.2f}%"


def _axis(ticks: Sequence[float], bottom: int) -> str:
    parts: list[str] = []
    for tick in ticks:
        x = _at(tick, ticks[-1])
        anchor = {ticks[0]: "start", ticks[-1]: "end"}.get(tick, "middle")
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="6" y2="{bottom}"/>')
        parts.append(
            f'<text class="tick" x="{x}" y="{bottom + 17}" text-anchor="{anchor}">{tick:g} s</text>'
        )
    return "".join(parts)


def _length_row(row: LengthRow, largest: float, top: int) -> str:
    low, first, middle, third, high = (_at(value, largest) for value in row.quartiles)
    shortest, _, median, _, longest = row.quartiles
    y = top + _TRACK_Y
    return (
        f'<text class="name" x="1%" y="{top + _LABEL_Y}">{html_text(row.name)}</text>'
        f'<text class="value" x="99%" y="{top + _LABEL_Y}" text-anchor="end">'
        f"median {median:.0f} s, {shortest:.0f} to {longest:.0f} s</text>"
        f'<line class="whisker" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
        f'<line class="half" x1="{first}" x2="{third}" y1="{y}" y2="{y}"/>'
        f'<circle class="median" cx="{middle}" cy="{y}" r="5"/>'
    )
