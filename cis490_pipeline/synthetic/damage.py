"""Every damage that the format names, and what a reader has to say to it.

Not here: doing the damage (``content_damage``, ``archive_damage``, ``index_lines``).
Source: episode format, sections *index.jsonl* and *The acceptance gate*.
"""

from enum import StrEnum
from typing import Final


class Expected(StrEnum):
    """The verdict that an episode must get; the names are those of the format."""

    ACCEPTED = "accepted"
    DEGRADED = "degraded"
    REJECTED = "rejected"
    MISSING = "missing"
    ERROR = "error"


class Damage(StrEnum):
    """What is wrong with one episode."""

    TARBALL_MISSING = "tarball-missing"
    NOT_A_FILE = "not-a-file"  # a directory stands where the tarball should
    SHA_MISMATCH = "sha-mismatch"
    SIZE_MISMATCH = "size-mismatch"
    CUT_OFF = "cut-off"
    NOT_ZSTD = "not-zstd"
    NOT_TAR = "not-tar"
    TAR_CUT_OFF = "tar-cut-off"  # a whole zstd frame around half a tar
    MISSING_META = "missing-meta"
    MISSING_LABELS = "missing-labels"
    MISSING_EVENTS = "missing-events"
    MISSING_PROC = "missing-proc"
    MISSING_GUEST = "missing-guest"
    MISSING_QMP = "missing-qmp"
    MISSING_NETFLOW = "missing-netflow"
    MISSING_DONE = "missing-done"
    META_NOT_OBJECT = "meta-not-object"
    TWO_OBJECTS = "two-objects-on-a-line"
    TRAILING_COMMA = "trailing-comma"
    NAN_LITERAL = "nan-literal"
    BAD_UTF8 = "bad-utf8"
    LINE_NOT_OBJECT = "line-not-object"
    T_WALL_NOT_INT = "t-wall-not-int"
    T_WALL_ABSENT = "t-wall-absent"
    LABEL_T_WALL_NOT_INT = "label-t-wall-not-int"
    SCHEMA_VERSION = "schema-version"
    LABELS_EMPTY = "labels-empty"
    FIRST_PHASE = "first-phase"
    FIRST_PREV = "first-prev"
    NOT_MONOTONIC = "labels-not-monotonic"
    PHASES_MISMATCH = "phases-meta-mismatch"
    ROWS_PROC = "rows-proc-mismatch"
    ROWS_GUEST = "rows-guest-mismatch"
    ROWS_QMP = "rows-qmp-mismatch"
    ROWS_NETFLOW = "rows-netflow-mismatch"
    UNSAFE_LINK = "unsafe-link"
    UNSAFE_ABSOLUTE = "unsafe-absolute-path"
    UNSAFE_PARENT = "unsafe-parent-path"
    UNSAFE_TWICE = "unsafe-member-twice"
    MANY_MEMBERS = "too-many-members"
    BOMB = "bomb"  # exceeds ``SynthConfig.max_bytes``, not the reader's default limit


_ERRORS: Final = frozenset(
    {
        Damage.NOT_A_FILE,
        Damage.CUT_OFF,
        Damage.NOT_ZSTD,
        Damage.NOT_TAR,
        Damage.TAR_CUT_OFF,
        Damage.META_NOT_OBJECT,
        Damage.TWO_OBJECTS,
        Damage.TRAILING_COMMA,
        Damage.NAN_LITERAL,
        Damage.BAD_UTF8,
        Damage.LINE_NOT_OBJECT,
        Damage.T_WALL_NOT_INT,
        Damage.T_WALL_ABSENT,
        Damage.LABEL_T_WALL_NOT_INT,
        Damage.UNSAFE_LINK,
        Damage.UNSAFE_ABSOLUTE,
        Damage.UNSAFE_PARENT,
        Damage.UNSAFE_TWICE,
        Damage.MANY_MEMBERS,
    }
)


def expected_status(damage: Damage | None, *, has_netflow: bool, at_max_bytes: bool) -> Expected:
    """Return the verdict on an episode.

    Parameters
    ----------
    damage
        What was planted; None for an intact episode.
    has_netflow
        Whether the host shipped ``netflow.jsonl``.
    at_max_bytes
        Whether the reader's limit is ``SynthConfig.max_bytes`` rather than its default.

    Examples
    --------
    >>> expected_status(Damage.CUT_OFF, has_netflow=True, at_max_bytes=False).value
    'error'
    """
    if damage in _ERRORS or (damage is Damage.BOMB and at_max_bytes):
        return Expected.ERROR
    if damage is Damage.TARBALL_MISSING:
        return Expected.MISSING
    if damage in (None, Damage.BOMB, Damage.MISSING_NETFLOW):
        lacks_netflow = damage is Damage.MISSING_NETFLOW or not has_netflow
        return Expected.DEGRADED if lacks_netflow else Expected.ACCEPTED
    return Expected.REJECTED


NEEDS_NETFLOW: Final = frozenset({Damage.ROWS_NETFLOW, Damage.MISSING_NETFLOW})
"""Damages for which the episode must have been recorded with ``netflow.jsonl``."""


class IndexDamage(StrEnum):
    """What is wrong with a place in the index."""

    TORN = "torn"
    BLANK = "blank"
    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    NOT_OBJECT = "not_object"
    BAD_ID = "bad_id"
    MISSING_KEY = "missing_key"
    RESHIP = "reship"  # an earlier row, of the same host, whose file was replaced
    RESHIP_OTHER_HOST = "reship_other_host"
    PARTIAL = "partial"  # at most one: the last line

    @property
    def counted_as(self) -> str:
        """The kind of damage that a reader counts.

        >>> IndexDamage.RESHIP_OTHER_HOST.counted_as
        'duplicate'
        """
        return "duplicate" if self in RESHIPS else self.value


RESHIPS: Final = frozenset({IndexDamage.RESHIP, IndexDamage.RESHIP_OTHER_HOST})
