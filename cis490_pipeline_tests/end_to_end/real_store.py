"""A store that receives real episodes of the corpus, a few at a time.

Not here: made-up episodes (``episodes.building``).
"""

import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cis490_pipeline_tests.end_to_end.servers import REPOSITORY

_CORPUS: Final = REPOSITORY / "data" / "corpus"
ENOUGH: Final = {"lab-a": 6, "lab-b": 7}
"""The fewest with which either host can train: an id_val episode is among them."""


@dataclass(frozen=True, slots=True)
class RealStore:
    """A store, and how many of a host's episodes it has received."""

    root: Path
    received: Counter[str] = field(default_factory=Counter[str])

    @property
    def index(self) -> Path:
        return self.root / "index.jsonl"

    def receive(self, host: str, number: int) -> list[str]:
        """Receive a host's next episodes, each tarball before its row; return their ids."""
        with (_CORPUS / "smoke_index.jsonl").open(encoding="utf-8") as lines:
            rows = [line for line in lines if json.loads(line)["host_id"] == host]
        first = self.received[host]
        chosen = rows[first : first + number]
        self.received[host] += number
        directory = self.root / "episodes" / host
        directory.mkdir(parents=True, exist_ok=True)
        ids = [json.loads(row)["episode_id"] for row in chosen]
        for name, row in zip(ids, chosen, strict=True):
            shutil.copy(_CORPUS / "episodes" / host / f"{name}.tar.zst", directory)
            with self.index.open("a", encoding="utf-8") as index:
                index.write(row)
        return ids
