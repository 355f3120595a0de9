"""Rows and a small follower for the tests of the tailer."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from cis490_pipeline.episodes.tail import TailStep, read_new
from cis490_pipeline.episodes.tail_position import TailPosition
from cis490_pipeline_tests.episodes.building import episode_id


def row(number: int, **extra: object) -> bytes:
    """Return one row without its newline; non-ASCII characters stay what they are."""
    fields = {
        "episode_id": episode_id(number),
        "host_id": "lab-a",
        "sha256": hashlib.sha256(b"%d" % number).hexdigest(),
        "size_bytes": number,
        **extra,
    }
    return json.dumps(fields, ensure_ascii=False).encode()


def lines(*numbers: int) -> bytes:
    """Return whole rows."""
    return b"".join(row(number) + b"\n" for number in numbers)


def numbers_of(step: TailStep) -> list[int]:
    """Return the numbers of the rows that a step found (their sizes)."""
    return [entry.size_bytes for entry in step.entries]


def append(path: Path, data: bytes) -> None:
    """Append and close, as a writer that reopens does."""
    with path.open("ab") as file:
        file.write(data)


def rotate(path: Path, to: str = ".1") -> Path:
    """Rename the index and return where it is."""
    return path.rename(path.with_name(path.name + to))


@dataclass
class Follower:
    """Reads on from its own position, which goes through its text form between two steps."""

    path: Path
    cursor: str | None = None
    steps: list[TailStep] = field(default_factory=list)

    def step(self, **options: object) -> TailStep:
        """Do one step."""
        position = None if self.cursor is None else TailPosition.from_json(self.cursor)
        step = read_new(self.path, position, **options)
        self.cursor = None if step.position is None else step.position.to_json()
        self.steps.append(step)
        return step

    def drain(self, **options: object) -> list[int]:
        """Do steps until one is at the end; return the numbers of the rows found."""
        found: list[int] = []
        for _ in range(100_000):
            step = self.step(**options)
            found += numbers_of(step)
            if step.at_end:
                return found
        raise AssertionError("the follower never comes to an end")
