"""What the tests of documents read in Markdown: fenced blocks, headings, links, inline code.

Not here: which document has to say what (the tests).
"""

import re
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1[ ]*$", re.M | re.S)
_LINK: Final = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: the first word after the fence, ``key=value`` words after it, the text."""

    language: str
    options: dict[str, str]
    text: str


def blocks_of(text: str) -> tuple[Block, ...]:
    """Return the fenced blocks of a text, in order.

    >>> blocks_of("```python file=a.py\\nx = 1\\n```\\n")
    (Block(language='python', options={'file': 'a.py'}, text='x = 1\\n'),)
    """
    found: list[Block] = []
    for _, info, body in _FENCE.findall(text):
        language, *words = info.split() or [""]
        options = dict(word.split("=", 1) for word in words)
        found.append(Block(language=language, options=options, text=body))
    return tuple(found)


def without_blocks(text: str) -> str:
    """Return a text without its fenced blocks."""
    return _FENCE.sub("", text)


def section_of(text: str, title: str) -> str:
    """Return what stands below a heading of the second level."""
    _, found, rest = _with_newline(text).partition(f"\n## {title}\n")
    assert found, f"no section {title!r}"
    return re.split(r"^## ", _hide_blocks(rest), maxsplit=1, flags=re.M)[0].replace("\0", "## ")


def _with_newline(text: str) -> str:
    return f"\n{text}"


def _hide_blocks(text: str) -> str:
    return _FENCE.sub(lambda found: re.sub(r"^## ", "\0", found[0], flags=re.M), text)


def anchors_of(text: str) -> frozenset[str]:
    """Return the anchors that GitHub gives to the headings.

    >>> sorted(anchors_of("# A `b`, c\\n## Two words\\n"))
    ['a-b-c', 'two-words']
    """
    titles = re.findall(r"^#{1,6} +(.*?) *$", without_blocks(text), re.M)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)


def links_of(text: str) -> tuple[str, ...]:
    """Return the targets of links and pictures outside of blocks and inline code.

    >>> links_of("[a](b.md#c) ![d](e.png) `[f](g)`")
    ('b.md#c', 'e.png')
    """
    prose = re.sub(r"`[^`\n]*`", "`", without_blocks(text))
    return tuple(_LINK.findall(prose))


def inline_code_of(text: str) -> tuple[str, ...]:
    """Return what stands between single backticks."""
    return tuple(re.findall(r"`([^`\n]+)`", without_blocks(text)))
