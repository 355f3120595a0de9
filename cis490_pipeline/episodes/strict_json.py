"""JSON as the format means it: the one place that decides what *one JSON object* is.

Stricter than ``json`` (no ``NaN`` and ``Infinity``, UTF-8 only) and more tolerant in one point: an
integer of any length is a number. Not here: which keys an object must have.
Source: episode format, section *The acceptance gate*, JSON edge cases.
"""

import json
from dataclasses import dataclass
from typing import Final, NoReturn

from cis490_pipeline.episodes.episode import JsonScalar

JsonObject = dict[str, object]

_MAX_DIGITS: Final = 4000
"""Python refuses to convert more than 4,300 digits, because the time grows with their square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFault:
    """Why bytes are not one JSON object; ``kind`` is the name of the exception that says so."""

    kind: str
    message: str


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", "", 0)


def _long_integer(digits: str) -> int:
    """Convert digits; what is too long for that keeps its sign and stays too big for any type."""
    if len(digits) <= _MAX_DIGITS:
        return int(digits)
    return -(10**_MAX_DIGITS) if digits.startswith("-") else 10**_MAX_DIGITS


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_LONG_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_long_integer)


def decode_value_at(text: str, start: int) -> tuple[object, int] | JsonFault:
    """Decode the value that begins exactly at ``start``; also return where it ends."""
    try:
        try:
            return _DECODER.raw_decode(text, start)
        except json.JSONDecodeError:
            raise
        except ValueError:  # more digits than ``int`` takes
            return _LONG_DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return JsonFault(kind="JSONDecodeError", message=f"{error.msg} (char {error.pos})")
    except RecursionError:
        return JsonFault(kind="RecursionError", message="nested too deeply")


_BLANKS: Final = " \t\n\r"


def parse_object(raw: bytes) -> JsonObject | JsonFault:
    r"""Decode bytes that must hold one JSON object and nothing else.

    >>> parse_object(b'{"a": 1, "a": 2}')
    {'a': 2}
    >>> parse_object(b'{} {}')
    JsonFault(kind='JSONDecodeError', message='Extra data (char 3)')
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        where = f"{error.reason} (byte {error.start})"
        return JsonFault(kind="UnicodeDecodeError", message=where)
    outcome = decode_value_at(text, len(text) - len(text.lstrip(_BLANKS)))
    if isinstance(outcome, JsonFault):
        return outcome
    value, end = outcome
    rest = text[end:].lstrip(_BLANKS)
    if rest:
        return JsonFault(
            kind="JSONDecodeError", message=f"Extra data (char {len(text) - len(rest)})"
        )
    if not isinstance(value, dict):
        return JsonFault(kind="TypeError", message=f"not a JSON object but {_type_name(value)}")
    return value


def _type_name(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "a number"


def is_integer(value: object) -> bool:
    """Say whether a decoded value was written as a JSON integer (a boolean is none)."""
    return type(value) is int


def scalar(value: object) -> JsonScalar:
    """Return a scalar as it is, a nested value as its JSON text.

    So that it is neither taken for null nor equal to any name that counts.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    try:
        return json.dumps(value, separators=(",", ":"))
    except RecursionError:
        return "(nested too deeply)"
