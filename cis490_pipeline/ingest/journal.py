"""What a host's ingest is in the middle of: a lock, and the ids of the batch being committed.

A batch is several commits (four tables). The journal names its episodes before the first and is
removed after the last, so that the next run knows exactly which rows may stand half-written and
replaces them, instead of searching every table at every run.

Not here: the commits (``commit``).
"""

import contextlib
import json
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.locks import locked


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one host."""

    path: Path

    def pending(self) -> frozenset[str]:
        """Return the ids of a batch that was begun and not finished.

        Raises
        ------
        WarehouseError
            Where the file is not what this code writes.
        """
        try:
            return frozenset(json.loads(self.path.read_bytes())["episode_ids"])
        except FileNotFoundError:
            return frozenset()
        except (ValueError, KeyError, TypeError) as error:
            raise WarehouseError(
                "the ingest journal is damaged",
                where=str(self.path),
                found=f"{type(error).__name__}: {error}",
                todo="delete the host's rows from the tables and this file, then ingest again",
            ) from error

    def begin(self, episode_ids: Sequence[str]) -> None:
        """Name the episodes whose rows are about to be written, beside those still pending."""
        ids = sorted(self.pending().union(episode_ids))
        write_bytes(self.path, json.dumps({"episode_ids": ids}).encode())

    def finish(self, episode_ids: Iterable[str]) -> None:
        """Say that every commit with these episodes is done; others stay pending."""
        left = sorted(self.pending().difference(episode_ids))
        if left:
            write_bytes(self.path, json.dumps({"episode_ids": left}).encode())
        else:
            self.path.unlink(missing_ok=True)


def journal_of(layout: Layout, host_id: str) -> Journal:
    """Return the journal of a host."""
    return Journal(layout.ingest / f"{host_id}.pending.json")


@contextlib.contextmanager
def host_lock(layout: Layout, host_id: str) -> Generator[None]:
    """Hold a host's ingest for this process; waits for another one that has it.

    The kernel frees the lock when its owner dies, however it dies.

    Raises
    ------
    WarehouseError
        Where the data directory cannot be written.
    """
    with locked(layout.ingest / f"{host_id}.lock"):
        yield
