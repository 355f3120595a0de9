"""Compiled rendering of integer rows as JSON lines.

Constant text is copied in words of eight bytes at any byte position: a word may write beyond the
text's end, and what follows writes over that.

Not here: which text stands between the numbers (``row_text``).
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Codes of ``signals``, written out: numba's cache on disk notices a change of this file only.
NULL: Final = 1
ABSENT: Final = 2

LONGEST_NUMBER: Final = 20
"""Bytes of the longest int64, with a point in it."""
WORD_BYTES: Final = 8

_POWERS: Final = 10 ** np.arange(19, dtype=np.uint64)
_PAIRS: Final = np.array(
    [ord("0") + i // 10 + (ord("0") + i % 10) * 256 for i in range(100)], np.uint16
)
_ZERO: Final = ord("0")
_POINT: Final = ord(".")
_NULL_WORD: Final = np.frombuffer(b"null\0\0\0\0", "<u8")


@njit(nogil=True, cache=True)
def _digits(out: NDArray[np.uint8], pairs_at: NDArray[np.uint16], at: int, value: np.uint64) -> int:
    n = 1
    while n < 19 and value >= _POWERS[n]:
        n += 1
    i = at + n
    while value >= np.uint64(100):
        rest = value // np.uint64(100)
        i -= 2
        pairs_at[i] = _PAIRS[value - rest * np.uint64(100)]
        value = rest
    if value >= np.uint64(10):
        pairs_at[at] = _PAIRS[value]
    else:
        out[at] = np.uint8(value) + np.uint8(_ZERO)
    return at + n


@njit(nogil=True, cache=True)
def render(
    numbers_RC: NDArray[np.int64],
    gaps_RC: NDArray[np.uint8],
    hundredths_C: NDArray[np.bool_],
    words: NDArray[np.uint64],
    word_starts: NDArray[np.int64],
    text_sizes: NDArray[np.int64],
    views: tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.uint64]],
) -> int:
    """Write one line per row; return how many bytes were written.

    Parameters
    ----------
    numbers_RC
        Not negative.
    gaps_RC
        0 where the number is written, ``NULL`` for a null, ``ABSENT`` to leave the key out; never
        ``ABSENT`` in the first column.
    hundredths_C
        Columns that are written with a point before their last two digits.
    words, word_starts, text_sizes
        What stands before each column's number and, last, what ends a line: its first word (there
        is one start more than texts), and its size in bytes.
    views
        The bytes to write to, and numbers of two and of eight bytes at each position in them. They
        must hold what is written, and ``WORD_BYTES`` more.
    """
    out, pairs_at, words_at = views
    n_rows, n_columns = numbers_RC.shape
    at = 0
    for r in range(n_rows):
        for c in range(n_columns + 1):
            gap = gaps_RC[r, c] if c < n_columns else 0
            if gap == ABSENT:
                continue
            for i in range(word_starts[c], word_starts[c + 1]):
                words_at[at + (i - word_starts[c]) * WORD_BYTES] = words[i]
            at += text_sizes[c]
            if c == n_columns:
                continue
            if gap == NULL:
                words_at[at] = _NULL_WORD[0]
                at += 4
            elif hundredths_C[c]:
                whole = numbers_RC[r, c] // 100
                at = _digits(out, pairs_at, at, np.uint64(whole))
                out[at] = _POINT
                pairs_at[at + 1] = _PAIRS[numbers_RC[r, c] - 100 * whole]
                at += 3
            else:
                at = _digits(out, pairs_at, at, np.uint64(numbers_RC[r, c]))
    return at
