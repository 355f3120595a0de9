"""Telemetry rows as the bytes of a JSONL file.

Not here: the loop over numbers (``text_kernels``), other files (``documents``).
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.channels import Source, channels_of
from cis490_pipeline.synthetic.signals import SourceRows
from cis490_pipeline.synthetic.text_kernels import LONGEST_NUMBER, WORD_BYTES, render

_HUNDREDTHS: Final = frozenset({"guest_load1"})
_EXTRA_KEYS: Final[dict[Source, dict[str, str]]] = {
    Source.PROC: {"state": "S"},
    Source.GUEST: {"agent": "0.4.1"},
    Source.QMP: {},
    Source.NETFLOW: {},
}
"""Keys that the format does not name: a reader must not mind them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Template:
    """The constant text of a row: before each number, and behind the last; see ``text_kernels``."""

    words: NDArray[np.uint64]
    word_starts: NDArray[np.int64]
    text_sizes: NDArray[np.int64]
    hundredths: NDArray[np.bool_]


def json_text(value: object, *, spaced: bool) -> bytes:
    """Return a value as one line of JSON without its newline."""
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps(value, separators=separators).encode()


@cache
def _template(source: Source, *, spaced: bool) -> _Template:
    comma, colon = (", ", ": ") if spaced else (",", ":")
    names = ["t_mono_ns", "t_wall_ns", *(channel.name for channel in channels_of(source))]
    texts = [f'{comma if i else "{"}"{name}"{colon}' for i, name in enumerate(names)]
    extra = json_text(_EXTRA_KEYS[source], spaced=spaced).decode()[1:]
    texts.append((comma if _EXTRA_KEYS[source] else "") + extra + "\n")
    n_words = [-(-len(text) // WORD_BYTES) for text in texts]
    padded = [
        text.ljust(n * WORD_BYTES, "\0").encode() for text, n in zip(texts, n_words, strict=True)
    ]
    return _Template(
        words=np.frombuffer(b"".join(padded), "<u8").astype(np.uint64),
        word_starts=np.cumsum([0, *n_words], dtype=np.int64),
        text_sizes=np.array([len(text) for text in texts], np.int64),
        hundredths=np.array([f"{source.value}_{name}" in _HUNDREDTHS for name in names]),
    )


class RowWriter:
    """Writes telemetry files into memory that it uses again for the next episode.

    Fresh memory for each would cost the kernel a fifth of an episode's time.
    """

    def __init__(self) -> None:
        self._held: dict[Source, NDArray[np.uint8]] = {}

    def text(self, source: Source, rows: SourceRows, *, spaced: bool) -> memoryview:
        """Return the file that holds the rows; valid until the source's next one is asked for."""
        template = _template(source, spaced=spaced)
        longest_row = int(template.text_sizes.sum()) + rows.numbers.shape[1] * LONGEST_NUMBER
        out = self._room(source, rows.n_rows * longest_row + WORD_BYTES)
        size = render(
            rows.numbers,
            rows.gaps,
            template.hundredths,
            template.words,
            template.word_starts,
            template.text_sizes,
            (out, _at_each_byte(out, np.uint16), _at_each_byte(out, np.uint64)),
        )
        return out.data[:size]

    def _room(self, source: Source, size: int) -> NDArray[np.uint8]:
        held = self._held.get(source)
        if held is None or len(held) < size:
            held = self._held[source] = np.empty(size, np.uint8)
        return held


_Number = TypeVar("_Number", np.uint16, np.uint64)


def _at_each_byte(out: NDArray[np.uint8], kind: type[_Number]) -> NDArray[_Number]:
    """Return overlapping numbers that begin at each byte, as far as they fit."""
    width = np.dtype(kind).itemsize
    return np.ndarray((len(out) - width + 1,), kind, out, 0, (1,))
