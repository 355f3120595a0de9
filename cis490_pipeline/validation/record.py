"""One row of the validation index: what is kept of a verdict.

Not here: judging (``gate``), writing the table (``warehouse``).
Source: episode format, *The columns of the validation index*; ``schema.tables``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, cast

import pyarrow as pa

from cis490_pipeline.episodes.archive import DONE_FILE
from cis490_pipeline.episodes.episode import Episode, EpisodeMeta, JsonScalar
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.printable import storable
from cis490_pipeline.episodes.store import FileStamp
from cis490_pipeline.schema.channels import Source
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, VALIDATION_COLUMNS, Table
from cis490_pipeline.validation.gate import Verdict

_SCHEMA: Final = TABLE_SCHEMAS[Table.VALIDATION_INDEX]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRow:
    """The columns of the validation index, in their order.

    What the tarball alone could say is None where it was not opened. ``rows_*`` are the counts
    that ``meta.json`` declares; ``phases_observed`` and ``n_labels`` come from the labels.
    ``file_size_bytes`` and ``file_mtime_ns`` are what the retry rule compares; None where nothing
    lay on disk.
    """

    episode_id: str
    host_id: str
    sha256: str
    size_bytes: int
    status: str
    reasons: tuple[str, ...]
    soft_reasons: tuple[str, ...]
    profile: str | None = None
    sample_name: str | None = None
    sample_kind: str | None = None
    schema_version: int | None = None
    duration_observed_s: float | None = None
    rows_proc: int | None = None
    rows_guest: int | None = None
    rows_qmp: int | None = None
    rows_netflow: int | None = None
    n_labels: int | None = None
    phases_observed: str | None = None
    has_done_marker: bool | None = None
    has_pcap: bool | None = None
    received_at_s: float | None = None
    code_commit: str | None = None
    code_dirty: bool | None = None
    file_size_bytes: int | None = None
    file_mtime_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What ``meta.json`` says, as far as the table can hold it."""

    profile: str | None = None
    sample_name: str | None = None
    sample_kind: str | None = None
    schema_version: int | None = None
    duration_observed_s: float | None = None
    rows: dict[Source, int | None]
    code_commit: str | None = None
    code_dirty: bool | None = None


def validation_row(
    entry: IndexEntry, verdict: Verdict, episode: Episode | None, stamp: FileStamp | None
) -> ValidationRow:
    """Make the row of one episode.

    Parameters
    ----------
    entry, verdict
        The index row and what the gate says.
    episode
        None where the tarball could not be opened.
    stamp
        Of the file that was judged, taken before it was read; None where it is not on disk.
    """
    said = _said(None if episode is None else episode.meta)
    return ValidationRow(
        episode_id=entry.episode_id,
        host_id=entry.host_id,
        sha256=entry.sha256,
        size_bytes=entry.size_bytes,
        status=verdict.status.value,
        reasons=tuple(reason.render() for reason in verdict.reasons),
        soft_reasons=tuple(reason.render() for reason in verdict.soft_reasons),
        profile=said.profile,
        sample_name=said.sample_name,
        sample_kind=said.sample_kind,
        schema_version=said.schema_version,
        duration_observed_s=said.duration_observed_s,
        rows_proc=said.rows.get(Source.PROC),
        rows_guest=said.rows.get(Source.GUEST),
        rows_qmp=said.rows.get(Source.QMP),
        rows_netflow=said.rows.get(Source.NETFLOW),
        n_labels=None if episode is None else len(episode.labels),
        phases_observed=None if episode is None else _phases(episode),
        has_done_marker=None if episode is None else DONE_FILE in episode.present,
        has_pcap=None if episode is None else episode.has_pcap,
        received_at_s=entry.received_at_s,
        code_commit=said.code_commit,
        code_dirty=said.code_dirty,
        file_size_bytes=None if stamp is None else stamp.size_bytes,
        file_mtime_ns=None if stamp is None else stamp.mtime_ns,
    )


def _said(meta: EpisodeMeta | None) -> _Said:
    if meta is None:
        return _Said(rows={})
    return _Said(
        profile=_storable(meta.profile),
        sample_name=_storable(meta.sample_name),
        sample_kind=_storable(meta.sample_kind),
        schema_version=_int32(meta.schema_version),
        duration_observed_s=meta.duration_observed_s,
        rows={source: _int32(count) for source, count in meta.declared_rows.items()},
        code_commit=_storable(meta.code_commit),
        code_dirty=meta.code_dirty,
    )


def _storable(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _int32(value: JsonScalar) -> int | None:
    """Return an integer that the column holds, else None."""
    if type(value) is not int:
        return None
    return value if -(1 << 31) <= value < 1 << 31 else None


def _phases(episode: Episode) -> str:
    phases = (label.phase for label in episode.labels)
    return ",".join(storable(phase) for phase in phases if isinstance(phase, str) and phase)


def rows_to_table(rows: Sequence[ValidationRow]) -> pa.Table:
    """Return the rows as a table with the schema of the validation index."""
    names = [field.name for field in fields(ValidationRow)]
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    return pa.table(columns, schema=_SCHEMA)


def rows_from_table(table: pa.Table) -> tuple[ValidationRow, ...]:
    """Return the rows of a validation index, as ``rows_to_table`` was given them."""
    held = cast("list[dict[str, Any]]", table.to_pylist())
    return tuple(ValidationRow(**_with_tuples(row)) for row in held)


def _with_tuples(row: dict[str, Any]) -> dict[str, Any]:
    lists = {name: tuple(row[name]) for name in ("reasons", "soft_reasons")}
    return {**row, **lists}


def spec_columns(table: pa.Table) -> pa.Table:
    """Return what is exported: the format's columns, in its order, sorted by episode."""
    chosen = table.select(VALIDATION_COLUMNS.names).cast(VALIDATION_COLUMNS)
    return chosen.sort_by("episode_id")
