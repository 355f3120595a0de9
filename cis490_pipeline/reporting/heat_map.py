"""The heat map channel × phase as SVG: in a page, and as a file of its own.

As in ``svg``: colours come from the page's style sheet through classes; the file brings the few
rules that it needs. Every name is escaped here, since the result is inserted as it is.

Not here: the figures in it (``explain``), the section around it (``explained``).
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from cis490_pipeline.explain.result import Explanation
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.text import UNTESTED, html_text

_LEFT: Final = 176
_HEAD: Final = 92
_WIDTH: Final = 62
_HEIGHT: Final = 22
_DARK: Final = 0.75
"""Shade from which on the number is written in white."""
_RIGHT: Final = 50
"""Room for the last phase's slanted name."""

_FILE_STYLE: Final = """
svg{--ink:#1b1f24;--soft:#5c6570;--cell:#f2f3f0;--grid:#d8dbd6;--page:#fbfbf9;
background:var(--page);font-family:system-ui,sans-serif}
@media (prefers-color-scheme:dark){svg{--ink:#e8eaec;--soft:#9aa4af;--cell:#23282f;--grid:#363d46;
--page:#14171b}}
text{fill:var(--ink);font-size:13px}.axis,.untested{fill:var(--soft);font-size:12px}
.untested{font-style:italic}.cell{fill:var(--cell)}.count{font-size:12px}
.count.on{fill:#fff;font-weight:600}.hatched{fill:url(#hatch)}
#hatch path{stroke:var(--grid);stroke-width:3}
"""
_HATCH: Final = (
    '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse">'
    '<path d="M-2 2 L2 -2 M0 8 L8 0 M6 10 L10 6"/></pattern></defs>'
)


def heat_map(explanation: Explanation, *, caption: str) -> Markup:
    """Draw the cells, strongest channel first, shaded by their share of the strongest cell.

    A phase without explained windows is hatched and says *untested*.
    """
    width, height = _size(explanation)
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="heatmap" role="img" viewBox="0 0 {width} {height}">'
        f"<title>{html_text(caption)}</title>{_body(explanation)}</svg>"
    )


def heat_map_file(explanation: Explanation, *, caption: str) -> bytes:
    """Return the heat map as a file that stands alone, for light and dark viewers."""
    width, height = _size(explanation)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><title>{html_text(caption)}</title>'
        f"<style>{_FILE_STYLE}</style>{_HATCH}{_body(explanation)}</svg>\n"
    )
    return svg.encode()


def _size(explanation: Explanation) -> tuple[int, int]:
    columns, rows = len(explanation.phases), len(explanation.channels)
    return _LEFT + _WIDTH * columns + _RIGHT, _HEAD + _HEIGHT * rows + 8


def _body(explanation: Explanation) -> str:
    largest = max((cell.attribution for cell in explanation.top(1)), default=0.0)
    colour = family_colour(explanation.family)
    parts = [
        f'<text class="axis" x="{_LEFT - 8}" y="{_HEAD - 8}" text-anchor="end">'
        "channel ↓ phase →</text>"
    ]
    parts += [_phase(position, name) for position, name in enumerate(explanation.phases)]
    for place, row in enumerate(explanation.strongest_channels()):
        y = _HEAD + _HEIGHT * place
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">'
            f"{html_text(explanation.channels[row])}</text>"
        )
        parts += _row(explanation, row, y, largest, colour)
    parts += [
        _untested(position, len(explanation.channels))
        for position, n_windows in enumerate(explanation.n_windows)
        if n_windows == 0
    ]
    return "".join(parts)


def _phase(position: int, name: str) -> str:
    x, y = _LEFT + _WIDTH * position + _WIDTH // 2 - 4, _HEAD - 8
    return f'<text x="{x}" y="{y}" transform="rotate(-40 {x} {y})">{html_text(name)}</text>'


def _row(explanation: Explanation, row: int, y: int, largest: float, colour: str) -> Sequence[str]:
    cells: list[str] = []
    for position, value in enumerate(explanation.cells[row]):
        if value is None:
            continue
        share = value / largest if largest > 0 else 0.0
        x, tone = _LEFT + _WIDTH * position, "on" if share > _DARK else "off"
        box = f'x="{x}" y="{y}" width="{_WIDTH - 2}" height="{_HEIGHT - 2}"'
        name = f"{explanation.channels[row]}, {explanation.phases[position]}"
        cells.append(
            f"<g><title>{html_text(name)}: {value:.3f} logits</title>"
            f'<rect class="cell" {box}/>'
            f'<rect {box} fill="{html_text(colour)}" fill-opacity="{share:.3f}"/>'
            f'<text class="count {tone}" x="{x + _WIDTH // 2 - 1}" y="{y + 15}" '
            f'text-anchor="middle">{value:.2f}</text></g>'
        )
    return cells


def _untested(position: int, n_rows: int) -> str:
    x, height = _LEFT + _WIDTH * position, _HEIGHT * n_rows - 2
    middle, y = x + _WIDTH // 2 - 1, _HEAD + height // 2
    return (
        f'<rect class="hatched" x="{x}" y="{_HEAD}" width="{_WIDTH - 2}" height="{height}"/>'
        f'<text class="untested" x="{middle}" y="{y}" text-anchor="middle" '
        f'transform="rotate(-90 {middle} {y})">{UNTESTED}</text>'
    )
