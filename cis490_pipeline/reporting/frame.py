"""What every page has around its sections: the list of them, and how each was computed.

The conventions that a section follows, whichever module writes it:

- ``<h2>Title</h2>`` opens it; it ends where the next one, or the footer, begins. The title is
  listed in the page's navigation, and its text of ``methods`` stands below the first paragraph.
- Numbers are in a ``<table>`` with ``thead`` and ``tbody`` inside ``<div class="scroll">``. The
  page's script makes its columns sortable and offers it as CSV; nothing else is needed. A cell
  whose text does not say its order ("1.5 h" after "12 s") carries it in ``data-sort``.
- A figure is drawn by ``figure``, which puts the table of its numbers below it, folded: for CSV,
  for screen readers, and for those who want to know.

Without script everything is there to read; nothing but sorting and CSV needs it.

Not here: the page around it all (``page.html.j2``), the script (``report.js``).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from cis490_pipeline.reporting.methods import METHODS
from cis490_pipeline.reporting.text import html_text

_PARTS: Final = re.compile(r"(?=<h2[ >]|<footer[ >])")
_TITLE: Final = re.compile(r"<h2[^>]*>(.*?)</h2>\s*(<p class=\"lead\">.*?</p>)?", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")


def sectioned(body: str, page: str) -> Markup:
    """Divide a page's body into its sections and list them after what comes before the first.

    Parameters
    ----------
    body
        Rendered and escaped already.
    page
        Whose methods are meant, a key of ``METHODS``.
    """
    head, *parts = _PARTS.split(str(body))
    places: dict[str, str] = {}
    sections = [_section(part, METHODS.get(page, {}), places) for part in parts]
    items = "".join(f'<li><a href="#{place}">{title}</a></li>' for place, title in places.items())
    listed = f'<nav class="sections" aria-label="Sections"><ol>{items}</ol></nav>\n'
    first = f'<section class="first">{head}</section>\n'
    return Markup(first + (listed if items else "") + "".join(sections))  # noqa: S704 - escaped


def _section(part: str, methods: dict[str, str], places: dict[str, str]) -> str:
    found = _TITLE.match(part)
    if found is None:
        return part
    title = _TAG.sub("", found[1]).strip()
    place = _place(title, places)
    places[place] = title
    opening = f'<section id="{place}" aria-labelledby="{place}-title">\n'
    heading = f'<h2 id="{place}-title">{found[1]}</h2>\n{found[2] or ""}\n'
    method = methods.get(title)
    told = (
        f'<details class="method"><summary>How this was computed</summary><p>{html_text(method)}'
        "</p></details>\n"
        if method
        else ""
    )
    return f"{opening}{heading}{told}{part[found.end() :]}</section>\n"


def _place(title: str, taken: Iterable[str]) -> str:
    """Return an identifier for a title that no other section of the page has.

    >>> _place("Time to detect", ["time-to-detect"])
    'time-to-detect-2'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
    others = set(taken)
    names = (plain, *(f"{plain}-{n}" for n in range(2, len(others) + 3)))
    return next(name for name in names if name not in others)


def figure(
    drawing: Markup,
    *,
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    ends: tuple[str, str] = ("", ""),
) -> Markup:
    """Return a figure with the table of its numbers below it.

    Parameters
    ----------
    caption
        Names the table, for people who hear it and for the CSV file.
    rows
        Cells as text, the first of each names the row.
    ends
        What stands below the two ends of an axis that is no scale of numbers.
    """
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(html_text(h)) for h in head)
    body = Markup("\n").join(_row(row) for row in rows)
    below = Markup('<p class="ends"><span>{}</span><span>{}</span></p>').format(
        *map(html_text, ends)
    )
    return Markup(
        '<figure>{}{}<details class="numbers"><summary>Numbers</summary><div class="scroll"><table>'
        "<caption>{}</caption><thead><tr>{}</tr></thead><tbody>\n{}\n</tbody></table></div>"
        "</details></figure>"
    ).format(drawing, below if any(ends) else "", html_text(caption), heads, body)


def _row(row: Sequence[str]) -> Markup:
    name, *cells = row
    rest = Markup("").join(Markup("<td>{}</td>").format(html_text(cell)) for cell in cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(html_text(name), rest)
