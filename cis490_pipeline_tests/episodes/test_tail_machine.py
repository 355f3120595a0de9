"""The tailer against a model: any writing, rotating, cutting and reading, in any order."""

import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from cis490_pipeline.episodes.tail import TailStep
from cis490_pipeline_tests.episodes.tailing import Follower, append, numbers_of, row

LIMIT = 2000
SIZES = st.integers(1, 6000)


def has_file(machine: "Tailing") -> bool:
    return machine.current.path is not None


def has_begun(machine: "Tailing") -> bool:
    """Every file begins with what no other one begins with, as rows do."""
    return machine.current.size > 0


@dataclass(eq=False)
class Written:
    """One file as its writer knows it; ``path`` is None where it is not, or no more."""

    path: Path | None = None
    size: int = 0
    line: int = 1
    last_line: bytes = b""
    rows_on_last_line: list[int] = field(default_factory=list)
    owed: set[int] = field(default_factory=set)
    """Rows of whole lines: each must be delivered, unless it is lost with its file."""


class Tailing(RuleBasedStateMachine):
    """Rows are numbered; the place of a row is noted when it is written."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "index.jsonl"
        self.follower = Follower(self.path)
        self.files = [Written()]  # oldest first; the last one is the index
        self.followed: Written | None = None
        self.followed_is_gone = False
        self.places: dict[int, tuple[int, int]] = {}
        self.delivered: set[int] = set()

    def teardown(self):
        self.folder.cleanup()

    @property
    def current(self) -> Written:
        return self.files[-1]

    # writing

    def write(self, data: bytes) -> None:
        """Append bytes of one line; the newline comes alone."""
        append(self.path, data)
        file = self.current
        file.path = self.path
        file.size += len(data)
        if data != b"\n":
            file.last_line += data
            return
        long = len(file.last_line) > LIMIT
        if len(file.last_line.lstrip(b"\0") if long else file.last_line) <= LIMIT:
            file.owed |= set(file.rows_on_last_line)
        file.line, file.last_line, file.rows_on_last_line = file.line + 1, b"", []

    def write_row(self) -> None:
        text = self.new_row()
        self.write(text)
        self.current.rows_on_last_line.append(len(self.places) - 1)

    def new_row(self) -> bytes:
        number = len(self.places)
        self.places[number] = (self.current.size, self.current.line)
        return row(number, note="Gerät 😀")

    @rule(n=st.integers(1, 8))
    def append_rows(self, n):
        for _ in range(n):
            self.write_row()
            self.write(b"\n")

    @rule()
    def append_row_without_newline(self):
        self.write_row()

    @rule(cuts=st.lists(st.integers(1, 180), max_size=5))
    def append_row_in_pieces_between_reads(self, cuts):
        text = self.new_row()
        number = len(self.places) - 1
        bounds = sorted({0, len(text), *cuts})
        for start, end in pairwise(bounds):
            self.write(text[start:end])
            self.read(1)
        self.current.rows_on_last_line.append(number)
        self.write(b"\n")

    @precondition(has_begun)
    @rule(n_bytes=st.integers(1, 150))
    def append_part_of_a_row(self, n_bytes):
        self.write(row(999_999)[:n_bytes])

    @precondition(has_begun)
    @rule()
    def append_newline(self):
        self.write(b"\n")

    @precondition(has_begun)
    @rule(n_bytes=st.sampled_from([1, 100, LIMIT - 1, LIMIT + 1, 6000]))
    def append_zeros_at_a_line_start(self, n_bytes):
        self.write(b"\n")
        self.write(b"\0" * n_bytes)

    @rule(n_bytes=st.sampled_from([LIMIT + 1, 6000]))
    def append_to_a_line_over_the_limit(self, n_bytes):
        self.write(b"x%d" % len(self.places) + row(999_999) + b"x" * n_bytes)

    # rotating

    def next_file(self, *, found: bool = True) -> None:
        """Begin the next file; ``found``: the follower finds the one that was there."""
        if not found or self.followed_is_gone or self.followed is None:
            self.current.owed &= self.delivered
        self.files.append(Written())

    def shift(self) -> Path:
        kept = [file for file in self.files[:-1] if file.path is not None]
        for number, file in reversed(list(enumerate(reversed(kept), start=2))):
            file.path = file.path.rename(self.path.with_name(f"index.jsonl.{number}"))
        return self.path.with_name("index.jsonl.1")

    def is_followed(self) -> bool:
        return self.followed is self.current and not self.followed_is_gone

    def nothing_was_read(self) -> bool:
        """Say whether the follower has nothing by which to tell the file that it stands in."""
        return self.is_followed() and self.follower.steps[-1].position.place.next_byte == 0

    @precondition(has_file)
    @rule(create=st.booleans())
    def rotate_by_rename(self, create):
        self.current.path = self.path.rename(self.shift())
        self.next_file()
        if create:
            self.path.touch()
            self.current.path = self.path

    @precondition(has_file)
    @rule()
    def rotate_by_copy_and_cut(self):
        copy = self.shift()
        copy.write_bytes(self.path.read_bytes())
        self.current.path = copy
        self.cut(found=True)

    @precondition(has_file)
    @rule()
    def cut_without_a_copy(self):
        self.current.path = None
        gone = self.is_followed() and not self.nothing_was_read()
        self.cut(found=False)
        self.followed_is_gone |= gone

    def cut(self, *, found: bool) -> None:
        unnoticed = self.nothing_was_read()
        self.path.write_bytes(b"")
        self.next_file(found=found and not unnoticed)
        self.current.path = self.path
        if unnoticed:
            self.followed = self.current

    @precondition(has_file)
    @rule()
    def rotate_and_compress(self):
        hidden = self.path.rename(self.path.with_name("compressing"))
        self.path.touch()  # while the old inode is taken
        hidden.unlink()
        self.followed_is_gone |= self.followed is self.current
        self.current.path = None
        self.next_file(found=False)
        self.current.path = self.path

    # reading

    def read(self, max_bytes: int, *, keep: bool = True) -> TailStep:
        before = self.follower.cursor
        step = self.follower.step(max_bytes=max_bytes, max_line_bytes=LIMIT)
        for entry in step.entries:
            assert self.places[entry.size_bytes] == (entry.offset, entry.line)
        assert not step.gap or self.followed_is_gone
        if not keep:
            self.follower.cursor = before
            self.follower.steps.pop()
            return step
        found = numbers_of(step)
        assert len(found) == len(set(found))
        assert self.delivered.isdisjoint(found)
        self.delivered |= set(found)
        self.note_where(step)
        return step

    def note_where(self, step: TailStep) -> None:
        if step.position is None or (self.followed_is_gone and self.current.path is None):
            return
        inodes = {f.path.stat().st_ino: f for f in self.files if f.path is not None}
        self.followed = inodes[step.position.identity.inode]
        self.followed_is_gone = False

    @rule(max_bytes=SIZES)
    def read_some(self, max_bytes):
        self.read(max_bytes)

    @rule(max_bytes=SIZES)
    def crash_before_the_position_is_kept(self, max_bytes):
        self.read(max_bytes, keep=False)

    @rule(max_bytes=SIZES)
    def read_to_the_end(self, max_bytes):
        for _ in range(10_000):
            if self.read(max_bytes).at_end:
                break
        else:
            raise AssertionError("never at the end")
        owed = set().union(*(file.owed for file in self.files))
        if not self.followed_is_gone:
            assert owed <= self.delivered
        self.check_lag()

    def check_lag(self) -> None:
        position = self.follower.steps[-1].position
        if position is not None and not self.followed_is_gone:
            newer = self.files[self.files.index(self.followed) + 1 :]
            sizes = [file.size for file in newer if file.path is not None]
            unread = self.followed.size - position.place.next_byte
            assert self.follower.steps[-1].bytes_behind == unread + sum(sizes)


class TestTailing(Tailing.TestCase):
    settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
