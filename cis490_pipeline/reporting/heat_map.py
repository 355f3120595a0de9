"""Heat maps with a channel per row as SVG: in a page, and as a file of its own.

As in ``svg``: colours come from the page's style sheet through classes; the file brings the few
rules that it needs. Every name is escaped here, since the result is inserted as it is.

Not here: the figures in it (``explain``, ``evaluation.drift``), the sections around it
(``explained``, ``drift``).
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from cis490_pipeline.explain.result import Explanation
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.text import UNTESTED, html_text

_LEFT: Final = 216
"""Room for the longest name of a channel."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is drawn: ``cells[row][column]``, rows from top to bottom.

    Attributes
    ----------
    fullest
        Value of the fullest colour.
    untested
        Columns without any figure; they are hatched from top to bottom.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]
    fullest: float
    colour: str
    corner: str
    unit: str
    untested: tuple[int, ...]


def grid_of(explanation: Explanation) -> Grid:
    """Return an explanation as a grid, the strongest channel first."""
    order = explanation.strongest_channels()
    return Grid(
        rows=tuple(explanation.channels[row] for row in order),
        columns=explanation.phases,
        cells=tuple(explanation.cells[row] for row in order),
        fullest=max((cell.attribution for cell in explanation.top(1)), default=0.0),
        colour=family_colour(explanation.family),
        corner="channel ↓ phase →",
        unit="logits",
        untested=tuple(i for i, n in enumerate(explanation.n_windows) if n == 0),
    )


def heat_map(explanation: Explanation, *, caption: str) -> Markup:
    """Draw the cells, strongest channel first, shaded by their share of the strongest cell.

    A phase without explained windows is hatched and says *untested*.
    """
    return draw_grid(grid_of(explanation), caption=caption)


def draw_grid(grid: Grid, *, caption: str) -> Markup:
    """Draw a grid for a page; a cell without a figure is hatched."""
    width, height = _size(grid)
    return Markup(  # noqa: S704 - every text in it went through html_text
        f'<svg class="heatmap" role="img" viewBox="0 0 {width} {height}">'
        f"<title>{html_text(caption)}</title>{_body(grid)}</svg>"
    )


def heat_map_file(explanation: Explanation, *, caption: str) -> bytes:
    """Return the heat map as a file that stands alone, for light and dark viewers."""
    grid = grid_of(explanation)
    width, height = _size(grid)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><title>{html_text(caption)}</title>'
        f"<style>{_FILE_STYLE}</style>{_HATCH}{_body(grid)}</svg>\n"
    )
    return svg.encode()


def _size(grid: Grid) -> tuple[int, int]:
    columns, rows = len(grid.columns), len(grid.rows)
    return _LEFT + _WIDTH * columns + _RIGHT, _HEAD + _HEIGHT * rows + 8


def _body(grid: Grid) -> str:
    parts = [
        f'<text class="axis" x="{_LEFT - 8}" y="{_HEAD - 8}" text-anchor="end">'
        f"{html_text(grid.corner)}</text>"
    ]
    parts += [_column(position, name) for position, name in enumerate(grid.columns)]
    for row, name in enumerate(grid.rows):
        y = _HEAD + _HEIGHT * row
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{html_text(name)}</text>'
        )
        parts += [
            _cell(grid, row, position, y)
            for position in range(len(grid.columns))
            if position not in grid.untested
        ]
    parts += [_untested(position, len(grid.rows)) for position in grid.untested]
    return "".join(parts)


def _column(position: int, name: str) -> str:
    x, y = _LEFT + _WIDTH * position + _WIDTH // 2 - 4, _HEAD - 8
    return f'<text x="{x}" y="{y}" transform="rotate(-40 {x} {y})">{html_text(name)}</text>'


def _cell(grid: Grid, row: int, position: int, y: int) -> str:
    value, x = grid.cells[row][position], _LEFT + _WIDTH * position
    box = f'x="{x}" y="{y}" width="{_WIDTH - 2}" height="{_HEIGHT - 2}"'
    name = html_text(f"{grid.rows[row]}, {grid.columns[position]}")
    if value is None:
        return f'<g><title>{name}: {UNTESTED}</title><rect class="hatched" {box}/></g>'
    share = value / grid.fullest if grid.fullest > 0 else 0.0
    tone = "on" if share > _DARK else "off"
    return (
        f"<g><title>{name}: {value:.3f} {html_text(grid.unit)}</title>"
        f'<rect class="cell" {box}/>'
        f'<rect {box} fill="{html_text(grid.colour)}" fill-opacity="{share:.3f}"/>'
        f'<text class="count {tone}" x="{x + _WIDTH // 2 - 1}" y="{y + 15}" '
        f'text-anchor="middle">{value:.2f}</text></g>'
    )


def _untested(position: int, n_rows: int) -> str:
    x, height = _LEFT + _WIDTH * position, _HEIGHT * n_rows - 2
    middle, y = x + _WIDTH // 2 - 1, _HEAD + height // 2
    return (
        f'<rect class="hatched" x="{x}" y="{_HEAD}" width="{_WIDTH - 2}" height="{height}"/>'
        f'<text class="untested" x="{middle}" y="{y}" text-anchor="middle" '
        f'transform="rotate(-90 {middle} {y})">{UNTESTED}</text>'
    )
