"""The shape of a telemetry row: its text cut at the scalars.

Rows of a file are alike but for their numbers, so one parsed row tells how to read the others
without parsing (``row_kernels``). Nested values are literals with slots like everything else.

Not here: whether a line is JSON at all: only lines that the strict parser accepted come here.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.episodes.row_kernels import END, SKIPPED, TIME

TIME_KEY: Final = b"t_wall_ns"
_MAX_SLOTS: Final = 512
_TOKEN: Final = re.compile(
    rb"""[ \t\r]*(?:
        (?P<open>[{\[]) | (?P<close>[}\]]) | (?P<mark>[,:])
        | (?P<text>"(?:[^"\\]|\\.)*") | (?P<number>-?[0-9][0-9.eE+-]*) | (?P<name>true|false|null)
    )""",
    re.VERBOSE,
)
_COLON: Final = re.compile(rb"[ \t\r]*:")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowTemplate:
    """Literals and slots as ``row_kernels.scan_rows`` takes them."""

    literal_W2: NDArray[np.uint64]
    edge_S3: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    start: int
    end: int
    kind: int


def learn_template(line: bytes, columns: dict[bytes, int]) -> RowTemplate | None:
    """Return the template of a line; None where it is none that others will match.

    That is: a key twice, or a channel whose value is neither a number nor null.

    Parameters
    ----------
    line
        One valid JSON object with an integer ``t_wall_ns``, without its newline.
    columns
        Channel name → column.
    """
    slots = _slots(line, columns)
    if slots is None or len(slots) > _MAX_SLOTS:
        return None
    starts = [0, *(slot.end for slot in slots)]
    ends = [*(slot.start for slot in slots), len(line)]
    literals = [line[a:b] for a, b in zip(starts, ends, strict=True)]
    literals[-1] += b"\n"
    return _packed(literals, [*(slot.kind for slot in slots), END])


def _slots(line: bytes, columns: dict[bytes, int]) -> list[_Slot] | None:
    slots: list[_Slot] = []
    keys: set[bytes] = set()
    depth, position, key = 0, 0, b""
    body_end = len(line.rstrip(b" \t\r"))
    while position < body_end:
        token = _TOKEN.match(line, position)
        if token is None:
            return None
        position, kind = token.end(), str(token.lastgroup)
        if kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
        elif kind == "text" and _COLON.match(line, position):
            if depth == 1:
                key = str(json.loads(token["text"])).encode("utf-8", "surrogatepass")
                if key in keys:
                    return None
                keys.add(key)
        elif kind != "mark":
            wanted = _kind_of(key, columns) if depth == 1 else SKIPPED
            if wanted != SKIPPED and kind != "number" and token["name"] != b"null":
                return None
            slots.append(_Slot(start=token.start(kind), end=position, kind=wanted))
    return slots


def _kind_of(key: bytes, columns: dict[bytes, int]) -> int:
    return TIME if key == TIME_KEY else columns.get(key, SKIPPED)


def _packed(literals: list[bytes], kinds: list[int]) -> RowTemplate:
    """Put literals into words of eight bytes; a mask covers what a last word has of its literal."""
    words: list[tuple[int, int]] = []
    edges: list[tuple[int, int, int]] = []
    for literal, kind in zip(literals, kinds, strict=True):
        edges.append((len(words), len(literal), kind))
        for first in range(0, len(literal), 8):
            part = literal[first : first + 8]
            words.append((int.from_bytes(part, "little"), (1 << (8 * len(part))) - 1))
    return RowTemplate(
        literal_W2=np.array(words, dtype=np.uint64).reshape(-1, 2),
        edge_S3=np.array(edges, dtype=np.int64).reshape(-1, 3),
    )
