"""The outermost fields of an ONNX file, read without a runtime: what it says and what it asks for.

A runtime that gets a foreign file may open others (tensors whose data lie elsewhere) or run for
ever (loops). So the bytes are looked at first; only as deep as that takes.

Not here: the meaning of the header inside (``header``), running the graph (``onnx_model``).
Source: onnx.proto3 (field numbers), https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_FIXED32: Final = 5
_MODEL_GRAPH: Final = 7
_MODEL_OPSETS: Final = 8
_MODEL_METADATA: Final = 14
_MODEL_FUNCTIONS: Final = 25
_GRAPH_NODES: Final = 1
_NODE_OPERATOR: Final = 4
_EXTERNAL_KEY: Final = b"location"
"""Every tensor whose data lie in another file has an entry of this name."""


class OnnxBytesError(ValueError):
    """Bytes that are no ONNX file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxOutline:
    """What a file says of itself.

    ``domains`` are those of its operators, ``operators`` the kinds in its main graph.
    ``names_other_files`` may be true of a file that names none, never false of one that does.
    """

    metadata: dict[str, str]
    domains: frozenset[str]
    operators: frozenset[str]
    has_functions: bool
    names_other_files: bool


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise OnnxBytesError("torn")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise OnnxBytesError("a number without an end")


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of every field that has a length; the others are passed over."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind, length = key & 7, 0
        if kind == _VARINT:
            _, at = _varint(data, at)
            continue
        if kind == _LENGTH:
            length, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise OnnxBytesError(f"no such kind of field: {kind}")
        if length > len(data) - at:
            raise OnnxBytesError("torn")
        if kind == _LENGTH:
            yield key >> 3, data[at : at + length]
        at += length


def _text(data: memoryview) -> str:
    try:
        return bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise OnnxBytesError("a text that is not UTF-8") from error


def _pair(data: memoryview) -> tuple[str, str]:
    found = {number: _text(value) for number, value in _fields(data)}
    return found.get(1, ""), found.get(2, "")


def _operators(graph: memoryview) -> Iterator[str]:
    for number, node in _fields(graph):
        if number == _GRAPH_NODES:
            yield from (_text(v) for n, v in _fields(node) if n == _NODE_OPERATOR)


def outline_of(data: bytes) -> OnnxOutline:
    """Read the outermost fields.

    Raises
    ------
    OnnxBytesError
        Where the bytes are no protocol buffer, or torn.
    """
    metadata: dict[str, str] = {}
    domains: set[str] = set()
    operators: set[str] = set()
    has_functions = False
    for number, value in _fields(memoryview(data)):
        if number == _MODEL_METADATA:
            name, text = _pair(value)
            if name in metadata:
                raise OnnxBytesError(f"metadata {ascii(name)[:40]} comes twice")
            metadata[name] = text
        elif number == _MODEL_OPSETS:
            domains.add(next((_text(v) for n, v in _fields(value) if n == 1), ""))
        elif number == _MODEL_GRAPH:
            operators.update(_operators(value))
        has_functions |= number == _MODEL_FUNCTIONS
    return OnnxOutline(
        metadata=metadata,
        domains=frozenset(domains),
        operators=frozenset(operators),
        has_functions=has_functions,
        names_other_files=_EXTERNAL_KEY in data,
    )
