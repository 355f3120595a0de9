"""Where a follower of the index stands: a value that is kept between two looks.

Not here: reading (``tail``), finding the file again after a rotation (``tail_files``).
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final, Self

import msgspec

from cis490_pipeline.errors import ConfigurationError

EDGE_BYTES: Final = 1024
WIRE_VERSION: Final = 1

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """What a file must be, so that it is taken for the one that was read.

    An inode alone is used again by the next file (fluent-bit #8025); a prefix alone is shared by
    files that begin alike (Vector #25079, Filebeat #51417); ``ctime`` changes with every append.
    Hence all of: device, inode, the first bytes, and the last bytes before the position.

    Attributes
    ----------
    prefix_bytes
        Length of both ends: what was read, at most 1 KiB. It grows with a young file, so that a
        small file is followed too.
    prefix_sha256, anchor_sha256
        Hash of the first ``prefix_bytes`` of the file, and of as many right before the position.
    """

    device: int
    inode: int
    prefix_bytes: Annotated[int, msgspec.Meta(ge=0, le=EDGE_BYTES)]
    prefix_sha256: _Sha256
    anchor_sha256: _Sha256

    def is_inode(self, device: int, inode: int) -> bool:
        """Say whether the file system would give these numbers; not yet whether it is the file."""
        return (self.device, self.inode) == (device, inode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Both ends of what was read, as bytes that were in memory.

    They are never read again for a new position: the file could be another one by then, and its
    bytes would vouch for rows that nobody has seen.
    """

    head: bytes = b""
    last: bytes = b""

    def extended(self, read: memoryview) -> "Edges":
        """Return the ends after ``read``, which follows ``last`` in the file.

        >>> Edges(head=b"ab", last=b"ab").extended(memoryview(b"cd"))
        Edges(head=b'abcd', last=b'abcd')
        """
        missing = EDGE_BYTES - len(self.head)
        last = self.last + bytes(read[-EDGE_BYTES:])
        return Edges(head=self.head + bytes(read[:missing]), last=last[-EDGE_BYTES:])

    def identity(self, *, device: int, inode: int) -> FileIdentity:
        """Return what a file with these ends must be."""
        return FileIdentity(
            device=device,
            inode=inode,
            prefix_bytes=len(self.head),
            prefix_sha256=hashlib.sha256(self.head).hexdigest(),
            anchor_sha256=hashlib.sha256(self.last).hexdigest(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in one file.

    Attributes
    ----------
    offset, line
        Byte offset of the first unread line, always a line's start (or the end of a rotated file
        whose last line has no newline), and its number from 1.
    passed_bytes
        How much of that line was looked through already, because it is too long to be held.
    passed_zeros
        Those bytes are all NUL (a tail that a power loss left): what follows them is read as if
        the line began there. Otherwise the rest of the line is passed over too.
    """

    offset: _Count
    line: Annotated[int, msgspec.Meta(ge=1)]
    passed_bytes: _Count
    passed_zeros: bool

    @property
    def next_byte(self) -> int:
        """Where reading goes on."""
        return self.offset + self.passed_bytes


FILE_START: Final = Place(offset=0, line=1, passed_bytes=0, passed_zeros=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TailPosition:
    """Where a follower stands.

    ``generation`` is 0 for the first file that was followed, and one more whenever its place is
    taken: by rotation, truncation or replacement. (generation, offset) never goes back.
    """

    identity: FileIdentity
    generation: _Count
    place: Place

    @property
    def offset(self) -> int:
        """Byte offset of the first unread line."""
        return self.place.offset

    @property
    def line(self) -> int:
        """Number of the first unread line, from 1."""
        return self.place.line

    def to_json(self) -> str:
        """Return the text that a sensor's cursor holds."""
        return msgspec.json.encode({"version": WIRE_VERSION, "position": self}).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote.

        Raises
        ------
        ConfigurationError
            Where it is damaged or of another version. Following may then begin anew without a
            position: that costs time and duplicates, and loses nothing that is still in the file.
        """
        try:
            wire = msgspec.json.decode(text, type=_Wire)
            if wire.version != WIRE_VERSION:
                raise _foreign(f"version {wire.version}")
            position = msgspec.json.decode(wire.position, type=cls)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise _foreign(str(error)) from error
        if position.identity.prefix_bytes != min(EDGE_BYTES, position.place.next_byte):
            raise _foreign("ends that do not fit the offset")
        return position


class _Wire(msgspec.Struct, frozen=True):
    version: int
    position: msgspec.Raw


def _foreign(found: str) -> ConfigurationError:
    return ConfigurationError(
        "the position in the index cannot be read",
        expected=f"what version {WIRE_VERSION} of this program wrote",
        found=found,
        todo="clear the cursor: the index is then read again from its beginning",
    )
