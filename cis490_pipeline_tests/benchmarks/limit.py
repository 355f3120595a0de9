"""The physical limit of ingest: read, sha256, zstd and a simdjson DOM of the same bytes; no output.

One thread, one reused buffer, one reused parser. A DOM for each line would be slower, so the lines
of a member are joined into one array and parsed once; finding the members and joining their lines
is *not* counted, which makes the limit lower than anything that could use it.
"""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import simdjson
import zstandard

_BLOCK = 512
_BUFFER_BYTES = 64 << 20


class PhysicalLimit:
    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._parser = simdjson.Parser()
        self._zstd = zstandard.ZstdDecompressor()

    def visit(self, path: Path) -> float:
        """Do the least that must be done to one tarball; return the CPU seconds not to count."""
        compressed = path.read_bytes()
        hashlib.sha256(compressed).hexdigest()
        raw = self._decompressed(compressed)
        began = time.thread_time()
        documents = list(joined_documents(raw))
        joining_s = time.thread_time() - began
        for document in documents:
            # the parser refuses to go on while anything refers to what it parsed before
            self._parser.parse(document)
        return joining_s

    def _decompressed(self, compressed: bytes) -> memoryview:
        n_bytes = 0
        with self._zstd.stream_reader(compressed, read_across_frames=True) as reader:
            while read := reader.readinto(self._buffer[n_bytes:]):
                n_bytes += read
        return self._buffer[:n_bytes]


def joined_documents(raw: memoryview) -> Iterator[bytes]:
    """JSON of a tar: documents as they are, the lines of a JSONL file as one array."""
    for name, body in _members(raw):
        if name.endswith(".json"):
            yield bytes(body)
        elif name.endswith(".jsonl"):
            yield b"[" + bytes(body).rstrip().replace(b"\n", b",") + b"]"


def _members(raw: memoryview) -> Iterator[tuple[str, memoryview]]:
    offset = 0
    while offset + _BLOCK <= len(raw) and raw[offset]:
        header = bytes(raw[offset : offset + _BLOCK])
        size = int(header[124:135].rstrip(b" \0"), 8)
        first = offset + _BLOCK
        if header[156:157] in (b"0", b"\0"):
            name = header[:100].split(b"\0", 1)[0].decode()
            yield name, raw[first : first + size]
        offset = first + -(-size // _BLOCK) * _BLOCK
