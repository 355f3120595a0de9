"""Tables of words, for the page and for Markdown alike; cells are escaped on the way out.

Not here: which tables there are (``controls``, ``leave_one_host_out``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import markdown_table, markdown_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTable:
    """A titled table; the first cell of a row names it, ``remarks`` stand below."""

    title: str
    lead: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()


def tables_section(tables: Sequence[PlainTable]) -> Markup:
    """Return the tables as HTML."""
    page = render_page("plain_tables.html.j2", {"tables": tables}, {})
    return Markup(page)  # noqa: S704 - rendered with autoescape


def tables_markdown(tables: Sequence[PlainTable]) -> list[list[str]]:
    """Return each table's lines in Markdown."""
    return [
        [
            f"## {markdown_text(table.title)}",
            "",
            markdown_text(table.lead),
            "",
            *(markdown_table(table.head, table.rows) if table.rows else ["None."]),
            *([""] if table.remarks else []),
            *(f"- {markdown_text(remark)}" for remark in table.remarks),
        ]
        for table in tables
    ]
