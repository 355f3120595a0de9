"""Any sequence of puts, aborts, crashes and rotations, against a model of what was acknowledged."""

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.receiver.index_file import IndexFile
from cis490_pipeline.receiver.keeper import Keeper
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.receiver.doors import (
    HOST,
    Door,
    address,
    half_received,
    kept_aside,
    open_door,
    sha256_of,
)

NUMBERS = st.integers(0, 3)
CONTENTS = st.sampled_from([b"a", b"bb", b"ccc"])


class _DiedError(Exception):
    """Stands for SIGKILL."""


class Receiving(RuleBasedStateMachine):
    """``acked`` and ``aside`` are what clients were told."""

    door: Door

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.acked: dict[int, bytes] = {}
        self.aside: set[bytes] = set()

    @initialize()
    def begin(self) -> None:
        self.directory = self.stack.enter_context(TemporaryDirectory())
        self.open()

    def open(self) -> None:
        self.opened = contextlib.ExitStack()
        self.door = self.opened.enter_context(open_door(Path(self.directory)))

    def teardown(self) -> None:
        self.opened.close()
        self.stack.close()

    @rule(number=NUMBERS, data=CONTENTS)
    def put(self, number: int, data: bytes) -> None:
        status = self.door.put(data, number).status_code
        if number in self.acked:
            assert status == (200 if self.acked[number] == data else 409)
        else:
            assert status in (200, 201, 409)
        if status == 409:
            self.aside.add(data)
        else:
            self.acked[number] = data

    @rule(number=NUMBERS, data=CONTENTS)
    def put_that_breaks_off(self, number: int, data: bytes) -> None:
        headers = {"Content-Length": str(len(data) + 1)}
        assert self.door.put(data, number, headers=headers).status_code == 400

    @rule(number=NUMBERS, data=CONTENTS, place=st.sampled_from(["rename", "row", "half", "answer"]))
    def put_and_die(self, number: int, data: bytes, place: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            _plant_death(patch, place)
            assert self.door.put(data, number).status_code in (200, 409, 500)
        self.restart()
        if data in kept_aside(self.door.root).values():
            self.aside.add(data)

    @rule()
    def restart(self) -> None:
        self.opened.close()
        self.open()
        assert half_received(self.door.root) == []

    @rule()
    def rotate(self) -> None:
        index = self.door.root / "index.jsonl"
        if index.exists() and index.stat().st_size:
            older = len(list(self.door.root.glob("index.jsonl.*")))
            for number in range(older, 0, -1):
                source = index.with_name(f"index.jsonl.{number}")
                source.rename(index.with_name(f"index.jsonl.{number + 1}"))
            index.rename(index.with_name("index.jsonl.1"))

    @invariant()
    def what_was_acknowledged_is_there_exactly_once(self) -> None:
        root = self.door.root
        if not list(root.glob("index.jsonl*")):
            return
        reading = read_received(root / "index.jsonl")
        assert "duplicate" not in [one.kind.value for one in reading.damage]
        by_id = {entry.episode_id: entry.sha256 for entry in reading.entries}
        for number, data in self.acked.items():
            assert by_id[episode_id(number)] == sha256_of(data)
        for name, sha256 in by_id.items():
            path = root / "episodes" / HOST / f"{name}.tar.zst"
            assert sha256_of(path.read_bytes()) == sha256
        assert self.aside <= set(kept_aside(root).values())

    @rule(number=NUMBERS)
    def get(self, number: int) -> None:
        answer = self.door.ask("GET", address(number))
        if number in self.acked:
            assert answer.content == self.acked[number]
        else:
            assert answer.status_code in (200, 404)


def _plant_death(patch: pytest.MonkeyPatch, place: str) -> None:
    """Let the next put die before the rename, before its row, in the middle of it, or behind it."""
    append = IndexFile.append

    def dies(*_: object, **__: object) -> None:
        raise _DiedError

    def writes_half(index: IndexFile, row: object) -> None:
        with index._path.open("ab") as file:
            file.write(row.line()[:40])
        raise _DiedError

    def writes_and_dies(index: IndexFile, row: object) -> None:
        append(index, row)
        raise _DiedError

    if place == "rename":
        patch.setattr(Keeper, "keep", dies)
    else:
        how = {"row": dies, "half": writes_half, "answer": writes_and_dies}[place]
        patch.setattr(IndexFile, "append", how)


Receiving.TestCase.settings = settings(
    derandomize=True,
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class TestReceiving(Receiving.TestCase):
    """Runs the machine."""
