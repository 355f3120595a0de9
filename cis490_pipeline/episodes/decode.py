"""A tarball's members become an ``Episode``: the door between bytes and values.

Not here: the tar walk (``archive``), the row decoders (``telemetry_rows``), ``meta.json`` and
labels (``documents``), judging (``validation``).
"""

from cis490_pipeline.episodes.archive import (
    DONE_FILE,
    EVENTS_FILE,
    LABELS_FILE,
    META_FILE,
    Archive,
    ArchiveLimits,
    read_archive,
)
from cis490_pipeline.episodes.documents import decode_labels, decode_meta
from cis490_pipeline.episodes.episode import Episode, OpenFailure, Telemetry
from cis490_pipeline.episodes.jsonl import parse_objects, require_bounded
from cis490_pipeline.episodes.refusal import Refused
from cis490_pipeline.episodes.telemetry_rows import decode_rows, empty_rows
from cis490_pipeline.schema.channels import SOURCE_FACTS, Source


def open_episode(compressed: bytes, limits: ArchiveLimits) -> Episode | OpenFailure:
    """Open a ``.tar.zst``; for any bytes the answer is a value."""
    archive = read_archive(compressed, limits)
    return archive if isinstance(archive, OpenFailure) else decode_episode(archive)


def decode_episode(archive: Archive) -> Episode | OpenFailure:
    """Decode all members.

    Returns
    -------
    Episode or OpenFailure
        The failure names the file and line, and as its kind the exception that a reader would have
        raised: ``JSONDecodeError``, ``UnicodeDecodeError``, ``RecursionError``, ``TypeError`` (a
        line that is JSON but no object; a time that is no integer), ``KeyError``,
        ``OverflowError``.
    """
    try:
        return _decode(archive)
    except Refused as refused:
        return refused.failure


def _decode(archive: Archive) -> Episode:
    members = archive.members
    for name in sorted(members.keys() - {DONE_FILE}):
        require_bounded(members[name], file_name=name)
    meta = members.get(META_FILE)
    # Events are free-form and never used, but a line that is not JSON shows a damaged episode.
    parse_objects(members.get(EVENTS_FILE, b""), file_name=EVENTS_FILE)
    return Episode(
        present=frozenset(members),
        has_pcap=archive.has_pcap,
        meta=None if meta is None else decode_meta(meta),
        labels=decode_labels(members.get(LABELS_FILE, b"")),
        telemetry={source: _telemetry(source, members) for source in Source},
    )


def _telemetry(source: Source, members: dict[str, bytes]) -> Telemetry:
    raw = members.get(SOURCE_FACTS[source].file_name)
    return empty_rows(source) if raw is None else decode_rows(source, raw)
