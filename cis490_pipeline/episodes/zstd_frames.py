"""The structure of a zstd stream: whether it is one, and whether its last frame is whole.

The decompressor of ``zstandard`` returns what it has at the end of its input and does not say
whether a frame was cut off. The block headers say it: they are three bytes each, and a block is
at most 128 KiB of output, so the walk costs nothing beside decompression. Not here: decompressing.
Source: RFC 8878, sections 3.1.1 (frames, blocks) and 3.1.2 (skippable frames).
"""

from typing import Final

import zstandard

from cis490_pipeline.episodes.refusal import Refused

_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE_TAIL: Final = b"\x2a\x4d\x18"
_LONGEST_HEADER: Final = 18
_RLE: Final = 1
_RESERVED: Final = 3
MAX_BLOCKS: Final = 1 << 20
"""Frames and blocks in one stream; honest ones hold 128 KiB or at least a flushed row each."""


def require_whole_frames(data: bytes) -> None:
    """Refuse what is not a sequence of complete zstd frames.

    Raises
    ------
    Refused
        ``ZstdError`` for another format, a cut-off frame or trailing bytes; ``LimitExceeded`` for
        more than ``MAX_BLOCKS`` blocks.
    """
    if not data:
        raise Refused("ZstdError", "empty file")
    position, blocks = 0, 0
    while position < len(data):
        position, blocks = _frame_end(data, position, blocks)


def _frame_end(data: bytes, start: int, blocks: int) -> tuple[int, int]:
    magic = data[start : start + 4]
    if magic[1:] == _SKIPPABLE_TAIL and magic[0] & 0xF0 == 0x50:
        size = int.from_bytes(data[start + 4 : start + 8], "little")
        return _inside(data, start + 8 + size), _counted(blocks)
    if magic != _MAGIC:
        if start and len(magic) < 4:
            raise _cut_off(data)
        raise Refused("ZstdError", f"not a zstd frame at byte {start}")
    head = data[start : start + _LONGEST_HEADER]
    try:
        checksum_bytes = 4 if zstandard.get_frame_parameters(head).has_checksum else 0
        position = start + zstandard.frame_header_size(head)
    except zstandard.ZstdError as error:
        if len(head) < _LONGEST_HEADER:
            raise _cut_off(data) from error
        raise Refused("ZstdError", f"damaged frame header at byte {start}") from error
    end, blocks = _last_block_end(data, position, blocks)
    return _inside(data, end + checksum_bytes), blocks


def _last_block_end(data: bytes, position: int, blocks: int) -> tuple[int, int]:
    while True:
        blocks = _counted(blocks)
        header = int.from_bytes(data[position : _inside(data, position + 3)], "little")
        kind, size = (header >> 1) & 3, header >> 3
        if kind == _RESERVED:
            raise Refused("ZstdError", f"damaged block at byte {position}")
        position = _inside(data, position + 3 + (1 if kind == _RLE else size))
        if header & 1:
            return position, blocks


def _counted(blocks: int) -> int:
    if blocks >= MAX_BLOCKS:
        raise Refused("LimitExceeded", f"more than {MAX_BLOCKS} zstd blocks")
    return blocks + 1


def _inside(data: bytes, end: int) -> int:
    if end > len(data):
        raise _cut_off(data)
    return end


def _cut_off(data: bytes) -> Refused:
    return Refused("ZstdError", f"cut off: the stream ends inside a frame, at byte {len(data)}")
