"""The store's ``alerts.jsonl``: read whatever stands in it, append what is new.

Other programs append too, some of them die meanwhile. An append here is one write to a descriptor
opened with ``O_APPEND``, under a lock, and synced; a last line without newline is closed first, so
that it is never glued to ours. A writer that is killed leaves at most a torn line, which readers
count and skip.

Not here: what is worth an alert (``downgrade``). Source: episode format, *alerts.jsonl*.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cis490_pipeline.episodes.printable import storable
from cis490_pipeline.episodes.strict_json import (
    JsonFault,
    JsonObject,
    decode_value_at,
    parse_object,
)

_MAX_RESYNCS: Final = 200
_NAMES: Final = ("host", "symptom", "detail", "suggested_fix", "detected_at_wall", "dedup_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One line of the file, every value as text; a key that a foreign writer left out is empty."""

    host: str
    symptom: str
    detail: str
    suggested_fix: str
    detected_at_wall: str
    dedup_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsReading:
    """What a file holds; ``n_damaged`` counts lines of which at least a part is unreadable."""

    alerts: tuple[Alert, ...]
    n_damaged: int

    @property
    def keys(self) -> frozenset[str]:
        """The dedup keys that are there."""
        return frozenset(alert.dedup_key for alert in self.alerts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of some alerts; ``failure`` says why they could not be written, else empty."""

    n_new: int
    failure: str = ""


def read_alerts(path: Path) -> AlertsReading:
    """Read a file of alerts; empty where it is absent.

    Raises
    ------
    OSError
        Where it is there and cannot be read.
    """
    try:
        return parse_alerts(path.read_bytes())
    except FileNotFoundError:
        return AlertsReading(alerts=(), n_damaged=0)


def readable_alerts(path: Path) -> AlertsReading:
    """Read a file of alerts; one that cannot be read is a damaged one and stops nobody."""
    try:
        return read_alerts(path)
    except OSError:
        return AlertsReading(alerts=(), n_damaged=1)


def parse_alerts(data: bytes) -> AlertsReading:
    """Read the bytes of a file of alerts; any bytes are an answer."""
    alerts: list[Alert] = []
    n_damaged = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        parsed = parse_object(line)
        if isinstance(parsed, JsonFault):
            n_damaged += 1
            alerts += (_alert(one) for one in _salvaged(line))
        else:
            alerts.append(_alert(parsed))
    return AlertsReading(alerts=tuple(alerts), n_damaged=n_damaged)


def _salvaged(line: bytes) -> Iterator[JsonObject]:
    """Yield the whole objects of a damaged line: two on one line, or one behind a torn one."""
    text = line.decode("utf-8", "replace")
    position, failures = text.find("{"), 0
    while position >= 0 and failures < _MAX_RESYNCS:
        outcome = decode_value_at(text, position)
        end = position + 1
        if isinstance(outcome, JsonFault):
            failures += 1
        else:
            value, end = outcome
            if isinstance(value, dict) and "dedup_key" in value:
                yield value
        position = text.find("{", end)


def _alert(found: JsonObject) -> Alert:
    return Alert(**{name: _text(found.get(name)) for name in _NAMES})


def _text(value: object) -> str:
    return "" if value is None else storable(str(value))


def append_alerts(path: Path, alerts: Sequence[Alert]) -> Appended:
    """Append the alerts whose dedup key is not in the file yet.

    A store that this program may not write, or a full disk, is an outcome and no exception: an
    alert that cannot be filed must not hide the finding that caused it.
    """
    try:
        known = read_alerts(path).keys
        if all(alert.dedup_key in known for alert in alerts):
            return Appended(n_new=0)  # needs no right to write
        return Appended(n_new=_append_locked(path, alerts))
    except OSError as error:
        return Appended(n_new=0, failure=f"{path}: {error.strerror or type(error).__name__}")


def _append_locked(path: Path, alerts: Sequence[Alert]) -> int:
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # the kernel frees it when its owner dies
        held = _read_all(handle)
        known = parse_alerts(held).keys
        new = {alert.dedup_key: alert for alert in alerts if alert.dedup_key not in known}
        if new:
            lines = b"".join(msgspec.json.encode(alert) + b"\n" for alert in new.values())
            unfinished = held and not held.endswith(b"\n")
            _write_whole(handle, b"\n" + lines if unfinished else lines)
        return len(new)
    finally:
        os.close(handle)


def _read_all(handle: int) -> bytes:
    parts: list[bytes] = []
    while part := os.pread(handle, 1 << 20, sum(map(len, parts))):
        parts.append(part)
    return b"".join(parts)


def _write_whole(handle: int, data: bytes) -> None:
    """Write in one call: two would let another program's line in between."""
    written = os.write(handle, data)
    os.fsync(handle)
    if written < len(data):
        raise OSError(0, f"only {written} of {len(data)} bytes were written")
