"""Numbers and names as text: one form of each in HTML, SVG and Markdown.

Not here: layout (``html``, ``markdown``, ``svg``), but for the one form of a Markdown table.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

from cis490_pipeline.evaluation.interval import Interval

UNTESTED: Final = "untested"
_REPLACEMENT: Final = "�"
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#|!~:@$^=+])")
_AUTOLINK: Final = re.compile(r"(?i)\bwww\.")
_LINE_START: Final = re.compile(r"^(\s*)([-+]|\d+\.)(?=\s|$)")


def visible(text: str) -> str:
    """Return the text with control and direction characters replaced.

    A name with a line break would end a Markdown row, one with a right-to-left override would
    swap the digits that follow it.

    >>> visible("lab" + chr(0x202E) + "b" + chr(10) + "x")
    'lab�b x'
    """
    spaced = " ".join(text.splitlines())
    return "".join(
        _REPLACEMENT if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co"} else one
        for one in spaced
    )


def html_text(text: str) -> Markup:
    """Return the text escaped for HTML and SVG, content or quoted attribute."""
    return escape(visible(text))


def breakable(text: str) -> Markup:
    """Return an escaped name that a narrow column may break after a slash, and nowhere in a word.

    >>> str(breakable("gbt/<oracle>"))
    'gbt/<wbr>&lt;oracle&gt;'
    """
    return Markup("/<wbr>").join(html_text(part) for part in text.split("/"))


def markdown_text(text: str) -> str:
    r"""Return the text escaped for one cell or line of Markdown.

    >>> markdown_text("a|b <script>")
    'a\\|b &lt;script&gt;'
    """
    plain = visible(text).replace("&", "&amp;")
    plain = _AUTOLINK.sub(lambda found: f"{found.group()[:-1]}\\.", plain)
    plain = _MARKDOWN.sub(r"\\\1", plain)
    plain = _LINE_START.sub(r"\1\\\2", plain)
    return plain.replace("\\<", "&lt;").replace("\\>", "&gt;")


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    r"""Return the lines of a table; cells are escaped here and nowhere before.

    >>> markdown_table(["a"], [["x|y"]])
    ['| a |', '| --- |', '| x\\|y |']
    """
    rule = f"| {' | '.join(['---'] * len(head))} |"
    return [_table_line(head), rule, *(_table_line(row) for row in rows)]


def _table_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(markdown_text(cell) for cell in cells)} |"


def number(value: float | None) -> str:
    """Return a score with two decimals, ``untested`` where it is absent.

    >>> number(0.4), number(None)
    ('0.40', 'untested')
    """
    return UNTESTED if value is None else f"{value:.2f}"


def number_or_dash(value: float | None, *, digits: int = 3) -> str:
    """Return a secondary figure, a dash where it is absent."""
    return "–" if value is None else f"{value:.{digits}f}"


def bounds(interval: Interval, *, signed: bool = False) -> str:
    """Return ``[low, high]``, or ``no interval``.

    >>> bounds(Interval(point=0.5, low=0.4, high=0.6, level=0.95, n_hosts=1, n_samples=1,
    ...                 n_episodes=9, n_windows=90, condition=""))
    '[0.40, 0.60]'
    """
    if interval.low is None or interval.high is None:
        return "no interval"
    form = "+.2f" if signed else ".2f"
    return f"[{interval.low:{form}}, {interval.high:{form}}]"


def scored(interval: Interval, *, signed: bool = False) -> str:
    """Return ``point [low, high]``; ``untested`` where there is no point."""
    if interval.point is None:
        return UNTESTED
    point = f"{interval.point:+.2f}" if signed else number(interval.point)
    return f"{point} {bounds(interval, signed=signed)}"


def p_value(value: float | None) -> str:
    """Return a p-value with three decimals.

    >>> p_value(0.0004), p_value(0.04), p_value(None)
    ('< 0.001', '0.040', '–')
    """
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def signed_number(value: float | None) -> str:
    """Return a difference with its sign, ``untested`` where it is absent."""
    return UNTESTED if value is None else f"{value:+.2f}"
