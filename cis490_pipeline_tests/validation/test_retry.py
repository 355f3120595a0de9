"""The retry rule: what is looked at again, and what stands."""

from dataclasses import replace

import msgspec
import pytest

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import FileStamp
from cis490_pipeline.validation.retry import HeldVerdict, needs_visit

STAMP = FileStamp(size_bytes=10, mtime_ns=1000)
ENTRY = IndexEntry(
    episode_id="01TEST00000000000000000000", host_id="lab-a", sha256="a" * 64, size_bytes=10,
    received_at_s=None, offset=0, line=1,
)  # fmt: skip
HELD = HeldVerdict(
    host_id="lab-a", sha256="a" * 64, status="accepted", reasons=(), file_size_bytes=10,
    file_mtime_ns=1000,
)  # fmt: skip


def test_new_episode_is_visited():
    assert needs_visit(ENTRY, None, STAMP)
    assert needs_visit(ENTRY, None, None)


@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        ("accepted", ()),
        ("degraded", ()),
        ("rejected", ("sha-mismatch",)),
        ("rejected", ("first-phase:hash-failed:x",)),
        ("error", ("open-failed:ZstdError:cut off",)),
        ("error", ("open-failed:X:hash-failed:", "sha-mismatch")),
    ],
)
def test_verdict_stands_while_nothing_changes(status, reasons):
    held = replace(HELD, status=status, reasons=reasons)
    assert not needs_visit(ENTRY, held, STAMP)
    assert needs_visit(msgspec.structs.replace(ENTRY, sha256="b" * 64), held, STAMP)
    assert needs_visit(msgspec.structs.replace(ENTRY, host_id="lab-b"), held, STAMP)
    assert needs_visit(ENTRY, held, replace(STAMP, size_bytes=11))
    assert needs_visit(ENTRY, held, replace(STAMP, mtime_ns=999))


def test_other_changes_of_the_index_row_do_not_matter():
    moved = msgspec.structs.replace(ENTRY, line=7, offset=700, received_at_s=5.0, size_bytes=11)
    assert not needs_visit(moved, HELD, STAMP)


def test_missing_is_tried_at_every_run():
    held = replace(HELD, status="missing", reasons=("tarball-not-on-disk",), file_size_bytes=None,
                   file_mtime_ns=None)  # fmt: skip
    assert needs_visit(ENTRY, held, None)
    assert needs_visit(ENTRY, held, STAMP)


def test_error_of_the_file_system_is_tried_at_every_run():
    held = replace(HELD, status="error", reasons=("hash-failed:PermissionError",))
    assert needs_visit(ENTRY, held, STAMP)
    assert needs_visit(ENTRY, held, None)


def test_file_that_is_gone_has_changed():
    assert needs_visit(ENTRY, HELD, None)
