"""Reading a tarball the slow way: ``tarfile`` over a zstd stream, ``json.loads`` for each line.

Credit: ``open_episode`` of the project's baseline script.
"""

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeAlias

import zstandard

from cis490_pipeline_tests.reference.channel_table import EXPECTED, FILES, SOURCES

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEpisode:
    """Parsed JSON, nothing else: labels and rows by source, in file order."""

    labels: list[Row]
    rows: dict[str, list[Row]]
    meta: Row
    names: frozenset[str]

    @property
    def has_done_marker(self) -> bool:
        return "done.marker" in self.names


def open_episode(compressed: bytes) -> RawEpisode:
    data: dict[str, bytes] = {}
    names: set[str] = set()
    with (
        zstandard.ZstdDecompressor().stream_reader(io.BytesIO(compressed)) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            handle = archive.extractfile(member)
            if handle is None:
                continue
            name = PurePosixPath(member.name).name
            names.add(name)
            if name in EXPECTED:
                data[name] = handle.read()
    return RawEpisode(
        labels=_lines(data.get("labels.jsonl", b"")),
        rows={source: _lines(data.get(FILES[source], b"")) for source in SOURCES},
        meta=json.loads(data["meta.json"]) if "meta.json" in data else {},
        names=frozenset(names),
    )


def _lines(text: bytes) -> list[Row]:
    return [json.loads(line) for line in text.decode().splitlines() if line.strip()]
