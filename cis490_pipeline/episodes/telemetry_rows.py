"""Rows of a telemetry file as arrays.

Every row is read by the strict parser, or is so like one that was that its numbers can be taken
without parsing it again (``row_kernels``): a fraction of the time, and never another answer.

Not here: rates and the grid (``telemetry``).
Source: episode format, section *Telemetry rows* and JSON edge cases.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.episodes.episode import Telemetry
from cis490_pipeline.episodes.jsonl import BLANKS, wall_time
from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.row_kernels import Bytes, Words, count_newlines, scan_rows
from cis490_pipeline.episodes.row_template import RowTemplate, learn_template
from cis490_pipeline.episodes.strict_json import JsonFault, parse_object
from cis490_pipeline.schema.channels import SOURCE_FACTS, Source, channels_of

_NAMES: Final = {source: tuple(c.name for c in channels_of(source)) for source in Source}
_COLUMNS: Final = {
    source: {name.encode(): column for column, name in enumerate(names)}
    for source, names in _NAMES.items()
}
_MAX_TEMPLATES: Final = 32
"""Learning one costs like parsing some thirty rows; a file that needs more has no common shape."""
_latest: Final[dict[Source, RowTemplate]] = {}
"""The last template of each source: the next file will be alike. It changes no answer."""


def decode_rows(source: Source, raw: bytes) -> Telemetry:
    """Decode a telemetry file.

    Returns
    -------
    Telemetry
        One row per line, in file order; NaN where a channel is absent, null, a string, a boolean,
        nested, or not finite as float64.

    Raises
    ------
    Refused
        For the first line that is not one JSON object or has no 64-bit integer ``t_wall_ns``.
    """
    return _decode(source, raw, max_templates=_MAX_TEMPLATES)


def decode_strictly(source: Source, raw: bytes) -> Telemetry:
    """Decode with the strict parser alone: what ``decode_rows`` must agree with.

    Raises
    ------
    Refused
        As ``decode_rows``.
    """
    return _decode(source, raw, max_templates=0)


def empty_rows(source: Source) -> Telemetry:
    """Return the rows of a file that is absent or empty."""
    shape = (0, len(_NAMES[source]))
    return Telemetry(t_wall_ns=np.empty(0, np.int64), values=np.empty(shape, np.float64))


@dataclass(slots=True, eq=False)
class _Reading:
    """A file while it is being read; ``row`` and ``position`` are the next row's."""

    source: Source
    body: bytes
    text: Bytes
    words: Words
    t_R: NDArray[np.int64]
    x_RC: NDArray[np.float64]
    row: int = 0
    position: int = 0

    def scan(self, template: RowTemplate) -> None:
        """Read on while rows match."""
        self.row, self.position = scan_rows(
            self.text,
            self.words,
            (self.row, self.position),
            template.literal_W2,
            template.edge_S3,
            self.t_R,
            self.x_RC,
        )

    def parse(self) -> bytes:
        """Read one row strictly and return its line."""
        end = self.body.index(b"\n", self.position)
        line, number = self.body[self.position : end], self.row + 1
        file_name = SOURCE_FACTS[self.source].file_name
        parsed = parse_object(line)
        if isinstance(parsed, JsonFault):
            raise Refused(parsed.kind, f"{file_name} line {number}: {parsed.message}")
        self.t_R[self.row] = wall_time(parsed, file_name=file_name, number=number)
        self.x_RC[self.row] = [_number(parsed.get(name)) for name in _NAMES[self.source]]
        self.row, self.position = number, end + 1
        return line


def _decode(source: Source, raw: bytes, *, max_templates: int) -> Telemetry:
    body = raw if raw.endswith(b"}\n") else raw.rstrip(BLANKS) + b"\n"
    if body == b"\n":
        return empty_rows(source)
    text = np.frombuffer(body, np.uint8)
    n_rows = count_newlines(text)
    reading = _Reading(
        source=source,
        body=body,
        text=text,
        words=_words_of(body),
        t_R=np.empty(n_rows, np.int64),
        x_RC=np.full((n_rows, len(_NAMES[source])), np.nan),
    )
    if max_templates:
        _read_by_templates(reading, max_templates)
    while reading.row < n_rows:
        reading.parse()
    return Telemetry(t_wall_ns=reading.t_R, values=reading.x_RC)


def _read_by_templates(reading: _Reading, max_templates: int) -> None:
    """Read until the end, or until so many templates were learned and none fits."""
    template = _latest.get(reading.source)
    n_learned, unmatched = 0, 0
    while reading.row < len(reading.t_R):
        if template is not None:
            reading.scan(template)
        before = reading.row
        if before == len(reading.t_R):
            return
        line = reading.parse()
        # Two rows that do not match, one behind the other: the shape is another one.
        if template is None or before == unmatched:
            if n_learned == max_templates:
                return
            template = learn_template(line, _COLUMNS[reading.source])
            n_learned += 1
            if template is not None:
                _latest[reading.source] = template
        unmatched = before + 1


def _words_of(body: bytes) -> Words:
    """Return the eight bytes from every position on; empty where there are not as many."""
    return np.ndarray((max(0, len(body) - 7),), np.uint64, body, strides=(1,))


def _number(value: object) -> float:
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return np.nan
    if type(value) is float and math.isfinite(value):
        return value
    return np.nan
