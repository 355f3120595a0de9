"""Foreign bytes and strings in a form that is safe to print and to store.

Not here: what is quoted and why (``index``, ``archive``, ``validation.gate``).
"""

from typing import Final

EXCERPT_BYTES: Final = 120


def excerpt(raw: bytes, *, limit: int = EXCERPT_BYTES) -> str:
    r"""Return the beginning of ``raw`` as printable ASCII of at most ``limit`` bytes.

    >>> excerpt(b'{"a": "\xff\x00"}\r')
    '{"a": "\\xff\\x00"}\\r'
    """
    head = raw[:limit]
    if head.isascii() and (text := head.decode("ascii")).isprintable():
        return text
    return "".join(map(_escaped, head))[:limit]


def _escaped(byte: int) -> str:
    short = {9: "\\t", 10: "\\n", 13: "\\r"}.get(byte)
    if short is not None:
        return short
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"


def storable(text: str) -> str:
    r"""Return ``text`` with lone surrogates and NUL written out.

    JSON may hold a lone ``\ud800``; no table and no terminal can.

    >>> storable("a\ud800")
    'a\\ud800'
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def clipped(text: str, *, limit: int = 200) -> str:
    """Return ``text`` storable and cut to ``limit`` characters, marked where something is gone.

    >>> clipped("abcdef", limit=4)
    'abc…'
    """
    safe = storable(text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
