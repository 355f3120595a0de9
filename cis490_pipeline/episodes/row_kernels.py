"""Compiled loop over telemetry rows that look like one that was parsed before.

Shape suffixes: R rows, C channels, W words of the template's literals, S slots.

A template is the text of one row cut at its scalars: literals, and slots between them. A row
matches where every literal stands there byte for byte and every slot holds a scalar of a plain
form. The literals were part of a row that the strict parser accepted, so a row that matches is one
JSON object with the same keys; whatever does not match is left to the strict parser. Nothing here
allocates or raises.

Plain numbers are read exactly: integers of up to 19 digits, and decimals whose digits fit into 53
bits with up to 19 of them (a quotient of two exact float64 is correctly rounded). Exponents and
longer digits do not match.

Not here: making templates (``row_template``), rows that do not match (``telemetry_rows``).

References
----------
Clinger, W. D. (1990). How to read floating point numbers accurately. PLDI '90, 92–101 (the exact
quotient). Lemire, D. (2022), *fast_float*, ``parse_eight_digits_unrolled`` (eight digits at once).
"""

from typing import Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint8]]
Words: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint64]]

SKIPPED: Final = -1
"""Slot whose value is not wanted: any plain scalar."""
TIME: Final = -2
"""Slot of ``t_wall_ns``; slots from 0 on are columns."""
END: Final = -3
"""No slot: the row ends here."""
SLACK: Final = 64
"""Bytes that must follow a literal, so that words are loaded without asking where the file ends."""

_QUOTE, _MINUS, _PLUS, _POINT, _ZERO, _BACKSLASH, _SMALL_E, _BIG_E, _SMALL_U, _SMALL_A = (
    ord(character) for character in '"-+.0\\eEua'
)
_NEWLINE: Final = np.uint8(ord("\n"))
_BLOCK: Final = 128
_ESCAPES: Final = np.frombuffer(b'"\\/bfnrt', np.uint8)

# Mixing signed and unsigned integers gives float64 in compiled code: words stay np.uint64.
_U = np.uint64
_BYTE: Final = _U(8)
_LOW_BYTE: Final = _U(0xFF)
_FOUR_BYTES: Final = _U(0xFFFFFFFF)
_TOP_BYTE: Final = _U(56)
_WORD_BITS: Final = _U(64)
_NOTHING: Final = _U(0)
_ONE: Final = _U(1)
_ZEROS: Final = _U(0x3030303030303030)
_ABOVE_NINE: Final = _U(0x7676767676767676)
_HIGH_BITS: Final = _U(0x8080808080808080)
_SEVEN: Final = _U(7)
_BYTE_NUMBERS: Final = _U(0x0001020304050607)
_LARGEST_TIME: Final = _U((1 << 63) - 1)
_EXACT: Final = _U(1 << 53)
_NULL: Final = _U(int.from_bytes(b"null", "little"))
_TRUE: Final = _U(int.from_bytes(b"true", "little"))
_FALS: Final = _U(int.from_bytes(b"fals", "little"))
_MINUS_WORD: Final = _U(_MINUS)
_POINT_WORD: Final = _U(_POINT)
_ZERO_WORD: Final = _U(_ZERO)
_POWERS: Final = np.array([10**k for k in range(20)], dtype=np.uint64)
_FLOAT_POWERS: Final = np.array([10.0**k for k in range(20)])

# Without ``_nrt`` compiled code does not count references to the arrays that it passes on,
# which it otherwise does for every token. Allowed where nothing is allocated, refused elsewhere.
_compiled: Final = njit(nogil=True, cache=True, error_model="numpy", _nrt=False)  # pyright: ignore[reportCallIssue]
_inlined: Final = njit(  # pyright: ignore[reportCallIssue]
    nogil=True, cache=True, error_model="numpy", _nrt=False, forceinline=True
)


@_inlined
def _value_of_eight(digits: np.uint64) -> np.uint64:
    pairs = (digits * _U(10) + (digits >> _BYTE)) & _U(0x00FF00FF00FF00FF)
    fours = (pairs * _U(100) + (pairs >> _U(16))) & _U(0x0000FFFF0000FFFF)
    return (fours * _U(10_000) + (fours >> _U(32))) & _FOUR_BYTES


@_inlined
def _leading_digits(word: np.uint64) -> tuple[int, np.uint64]:
    """Return how many of a word's first bytes are digits, and their value."""
    digits = word ^ _ZEROS
    # A carry out of a byte can only spoil later ones: the first byte that is none is found.
    others = ((digits + _ABOVE_NINE) | digits) & _HIGH_BITS
    if others == _NOTHING:
        return 8, _value_of_eight(digits)
    first = others & (~others + _ONE)
    count = ((first >> _SEVEN) * _BYTE_NUMBERS) >> _TOP_BYTE
    if count == _NOTHING:
        return 0, _NOTHING
    return int(np.int64(count)), _value_of_eight(digits << (_WORD_BITS - _BYTE * count))


@_inlined
def _digits(first: np.uint64, second: np.uint64, third: np.uint64) -> tuple[int, np.uint64]:
    """Return count and value of the digits at the beginning of 24 bytes; 0 of 20 and more."""
    count, value = _leading_digits(first)
    if count < 8:
        return count, value
    more, rest = _leading_digits(second)
    value = value * _POWERS[more] + rest
    if more < 8:
        return 8 + more, value
    more, rest = _leading_digits(third)
    if more > 3:
        return 0, value
    return 16 + more, value * _POWERS[more] + rest


@_inlined
def _integer(first: np.uint64, second: np.uint64, third: np.uint64) -> tuple[int, np.uint64, bool]:
    """Return length (0: none, or too long), magnitude and sign of the JSON integer in 24 bytes."""
    negative = first & _LOW_BYTE == _MINUS_WORD
    if negative:
        first = (first >> _BYTE) | (second << _TOP_BYTE)
        second = (second >> _BYTE) | (third << _TOP_BYTE)
        third = third >> _BYTE
    count, value = _digits(first, second, third)
    if count == 0 or (count > 1 and first & _LOW_BYTE == _ZERO_WORD):
        return 0, value, negative
    return count + (1 if negative else 0), value, negative


@_inlined
def _decimal(
    whole: np.uint64, n_digits: int, first: np.uint64, second: np.uint64, third: np.uint64
) -> tuple[int, float]:
    """Return length of the digits behind a point (0: not exactly readable), and the number."""
    count, part = _digits(first, second, third)
    if count == 0 or n_digits + count > 19:
        return 0, np.nan
    mantissa = whole * _POWERS[count] + part
    if mantissa > _EXACT:
        return 0, np.nan
    return count, np.float64(mantissa) / _FLOAT_POWERS[count]


@_compiled
def _after_digits(body: Bytes, position: int) -> int:
    """Return where a run of digits of any length ends; -1 where there is no digit."""
    end = position
    while end < body.shape[0] and np.uint8(body[end] - _ZERO) <= 9:
        end += 1
    return end if end > position else -1


@_compiled
def _after_number(body: Bytes, position: int) -> int:
    """Return where a JSON number of any length ends; -1 where it is none."""
    n = body.shape[0]
    start = position + 1 if body[position] == _MINUS else position
    end = _after_digits(body, start)
    if end < 0 or (end - start > 1 and body[start] == _ZERO):
        return -1
    if end < n and body[end] == _POINT:
        end = _after_digits(body, end + 1)
        if end < 0:
            return -1
    if end < n and (body[end] == _SMALL_E or body[end] == _BIG_E):
        end += 1
        if end < n and (body[end] == _PLUS or body[end] == _MINUS):
            end += 1
        return _after_digits(body, end)
    return end


@_compiled
def _after_escape(body: Bytes, position: int) -> int:
    """Return where the escape behind a backslash ends; -1 where it is none."""
    if position + 4 >= body.shape[0]:
        return -1
    if body[position] != _SMALL_U:
        for allowed in _ESCAPES:
            if body[position] == allowed:
                return position + 1
        return -1
    for k in range(position + 1, position + 5):
        is_digit = np.uint8(body[k] - _ZERO) <= 9
        if not (is_digit or np.uint8((body[k] | 0x20) - _SMALL_A) <= 5):
            return -1
    return position + 5


@_compiled
def _after_text(body: Bytes, position: int) -> int:
    """Return where a string of printable ASCII ends; -1 where it is none."""
    end = position + 1
    while 0 <= end < body.shape[0]:
        byte = body[end]
        if byte == _QUOTE:
            return end + 1
        if byte < 0x20 or byte > 0x7E:
            return -1
        end = _after_escape(body, end + 1) if byte == _BACKSLASH else end + 1
    return -1


@_compiled
def _after_scalar(body: Bytes, words: Words, position: int) -> int:
    """Return where a plain scalar of any type ends; -1 where it is none."""
    if body[position] == _QUOTE:
        return _after_text(body, position)
    four = words[position] & _FOUR_BYTES
    if four in (_NULL, _TRUE):
        return position + 4
    if four == _FALS and body[position + 4] == _SMALL_E:
        return position + 5
    return _after_number(body, position)


@_inlined
def _read_column(words: Words, position: int) -> tuple[int, float]:
    """Return where a plain number or null ends and its value (null: NaN); -1 where it is neither.

    What follows is not looked at: the next literal must stand there.
    """
    first, second, third = words[position], words[position + 8], words[position + 16]
    length, whole, negative = _integer(first, second, third)
    if length == 0:
        return (position + 4 if first & _FOUR_BYTES == _NULL else -1), np.nan
    end = position + length
    value = np.float64(whole)
    if words[end] & _LOW_BYTE == _POINT_WORD:
        more, value = _decimal(whole, length, words[end + 1], words[end + 9], words[end + 17])
        if more == 0:
            return -1, np.nan
        end += 1 + more
    elif whole == _NOTHING:  # minus zero is the integer 0
        return end, 0.0
    return end, -value if negative else value


@_inlined
def _read_time(words: Words, position: int) -> tuple[int, np.int64]:
    """Return where an integer of 63 bits ends and its value; -1 where it is none."""
    first, second, third = words[position], words[position + 8], words[position + 16]
    length, value, negative = _integer(first, second, third)
    if length == 0 or negative or value > _LARGEST_TIME:
        return -1, np.int64(0)
    return position + length, np.int64(value)


@_compiled
def count_newlines(text: Bytes) -> int:
    """Count the newlines, in registers: to compare first and count then takes four times as long.

    A block is so short that its count fits into a byte.
    """
    count = 0
    whole = text.shape[0] - text.shape[0] % _BLOCK
    for first in range(0, whole, _BLOCK):
        in_block = np.uint8(0)
        for i in range(_BLOCK):
            in_block = np.uint8(in_block + np.uint8(text[np.uintp(first + i)] == _NEWLINE))
        count += int(in_block)
    for i in range(whole, text.shape[0]):
        count += int(text[i] == _NEWLINE)
    return count


@_compiled
def scan_rows(
    body: Bytes,
    words: Words,
    place: tuple[int, int],
    literal_W2: NDArray[np.uint64],
    edge_S3: NDArray[np.int64],
    t_R: NDArray[np.int64],
    x_RC: NDArray[np.float64],
) -> tuple[int, int]:
    """Read rows from a place on, as long as they match.

    Parameters
    ----------
    body, words
        The lines, each with its newline, and the same bytes as the 8-byte word at every position.
    place
        Row and byte to begin at.
    literal_W2
        Words and masks of all literals, in order.
    edge_S3
        For each literal its first word, its bytes, and what the slot behind it is: a column,
        ``SKIPPED``, ``TIME``, and ``END`` behind the last.
    t_R, x_RC
        Filled in for the rows read; of a row that does not match, any of it may be overwritten.

    Returns
    -------
    tuple[int, int]
        Row and byte of the first row that does not match or has fewer than ``SLACK`` bytes behind
        it, or of the end.
    """
    row, start = place
    while row < t_R.shape[0]:
        position, slot, s = start, SKIPPED, 0
        while slot != END:
            if position + edge_S3[s, 1] + SLACK > body.shape[0]:
                return row, start
            n_bytes = edge_S3[s, 1]
            for k in range((n_bytes + 7) // 8):
                w = edge_S3[s, 0] + k
                if (words[position + 8 * k] ^ literal_W2[w, 0]) & literal_W2[w, 1] != _NOTHING:
                    return row, start
            position += n_bytes
            slot = edge_S3[s, 2]
            s += 1
            if slot >= 0:
                position, x_RC[row, slot] = _read_column(words, position)
            elif slot == TIME:
                position, t_R[row] = _read_time(words, position)
            elif slot == SKIPPED:
                position = _after_scalar(body, words, position)
            if position < 0:
                return row, start
        row += 1
        start = position
    return row, start
