"""The decompressed bytes of a tarball, counted against the limit while they come.

Not here: what the bytes mean (``archive``), whether the frames are whole (``zstd_frames``).
"""

from io import BytesIO
from typing import Final

import zstandard

from cis490_pipeline.episodes.refusal import Refused

MAX_WINDOW_BYTES: Final = 1 << 27
"""What every zstd decoder accepts unasked (128 MiB); more is a way to make us allocate."""

_CHUNK: Final = 1 << 22
_SCRATCH: Final = 1 << 16


class LimitedStream:
    """Decompressed bytes in order.

    Every method raises ``Refused``: ``ZstdError`` for damaged frames, ``ReadError`` where the
    stream ends too early, ``LimitExceeded`` where more than ``max_bytes`` would come out.
    """

    def __init__(self, compressed: bytes, max_bytes: int) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        self._reader = decompressor.stream_reader(compressed, read_across_frames=True)
        self._max_bytes = max_bytes
        self._taken = 0

    def take(self, size: int) -> bytes:
        """Return exactly ``size`` bytes; memory grows with what is there, not what is claimed."""
        self._require_room(size)
        first = self._read(min(size, _CHUNK))
        if len(first) == size:
            return first
        whole = BytesIO()
        whole.write(first)
        while whole.tell() < size:
            whole.write(self._read(min(size - whole.tell(), _CHUNK)))
        return whole.getvalue()

    def skip(self, size: int) -> None:
        """Pass over exactly ``size`` bytes."""
        self._require_room(size)
        while size > 0:
            size -= len(self._read(min(size, _SCRATCH)))

    def drain(self) -> None:
        """Pass over the rest of the stream, so that its damage is found too."""
        while read := self._read_some(_SCRATCH):
            self._taken += len(read)
            self._require_room(0)

    def _require_room(self, size: int) -> None:
        if self._taken + size > self._max_bytes:
            raise Refused("LimitExceeded", f"more than {self._max_bytes} bytes decompressed")

    def _read(self, size: int) -> bytes:
        if size == 0:
            return b""
        read = self._read_some(size)
        if not read:
            raise Refused("ReadError", f"cut off: the tar ends after {self._taken} bytes")
        self._taken += len(read)
        return read

    def _read_some(self, size: int) -> bytes:
        try:
            return self._reader.read(size)
        except zstandard.ZstdError as error:
            raise Refused("ZstdError", str(error)) from error
