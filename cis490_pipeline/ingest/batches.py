"""Due episodes, visited in batches whose grids are bounded, in threads where there are several.

It needs no tables: verdicts alone come from the base install. Not here: which episodes are due
(``due``), what becomes of a batch (``run``, ``sweep``), one episode (``one_pass``).
"""

import contextlib
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.memory import reuse_freed_memory
from cis490_pipeline.ingest.one_pass import Outcome, visit
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.warm_up import warm_up

_SWITCH_S: Final = 0.0005
"""How long a thread may keep the interpreter from others that come back from compiled code. By
default it is 5 ms, as long as an episode takes; two threads then had 1.68 cores, now 1.72."""

TICKS_PER_BATCH: Final = 1_000_000
"""Grids of a batch (184 MB) after which it ends early: a few rows can span a day of ticks."""


def visit_in_batches(
    store: EpisodeStore,
    due: Sequence[IndexEntry],
    options: IngestOptions,
    *,
    with_content: bool = True,
) -> Generator[list[Outcome]]:
    """Yield the outcomes of the due episodes, a batch at a time; to be closed, which ends threads.

    One thread is one core: the caller's, which decodes a batch when it is asked for the next one.
    Of several, the caller's commits one batch while the others decode the next one. Without
    ``with_content`` the outcomes are verdicts alone, at a part of the time and memory.
    """
    reuse_freed_memory()
    look = partial(
        visit,
        store,
        limits=options.limits,
        supervision=options.supervision,
        with_content=with_content,
    )
    waiting = deque(due)
    if waiting and options.supervision.box is not None:
        warm_up()
    if options.threads == 1:
        yield from _one_after_the_other(look, waiting, options)
    else:
        yield from _in_threads(look, waiting, options)


_Look = Callable[[IndexEntry], Outcome]


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Episodes that threads take one by one, and the lengths of the grids that came of them.

    Both are changed by single operations alone, which threads do not see half done.
    """

    waiting: deque[tuple[int, IndexEntry]]
    ticks: list[int]

    @classmethod
    def of(cls, due: deque[IndexEntry], options: IngestOptions) -> "_Batch":
        """Take a batch off the due episodes."""
        size = min(options.episodes_per_commit, len(due))
        return cls(deque(enumerate(due.popleft() for _ in range(size))), [])

    def visit(self, look: _Look) -> list[tuple[int, Outcome]]:
        """Visit until none is left or the grids of all threads together are long enough."""
        outcomes: list[tuple[int, Outcome]] = []
        while sum(self.ticks) < TICKS_PER_BATCH:
            try:
                position, entry = self.waiting.popleft()
            except IndexError:
                break
            outcome = look(entry)
            outcomes.append((position, outcome))
            self.ticks.append(0 if outcome.content is None else len(outcome.content.x_TC))
        return outcomes

    def give_back(self, due: deque[IndexEntry]) -> None:
        """Put what was not visited before the due episodes."""
        due.extendleft(entry for _, entry in reversed(self.waiting))


def _in_order(visited: Sequence[list[tuple[int, Outcome]]]) -> list[Outcome]:
    """Return outcomes in the order of the index, whichever thread had them."""
    by_position = {position: outcome for outcomes in visited for position, outcome in outcomes}
    return [by_position[position] for position in sorted(by_position)]


def _one_after_the_other(
    look: _Look, due: deque[IndexEntry], options: IngestOptions
) -> Generator[list[Outcome]]:
    while due:
        batch = _Batch.of(due, options)
        outcomes = _in_order([batch.visit(look)])
        batch.give_back(due)
        yield outcomes
        del outcomes  # or two batches of grids would be alive while the next one is awaited


_Pending = tuple[_Batch, list[Future[list[tuple[int, Outcome]]]]]


def _in_threads(
    look: _Look, due: deque[IndexEntry], options: IngestOptions
) -> Generator[list[Outcome]]:
    """Each thread takes episodes off a batch until there is none, and goes on with the next batch.

    To hand each of them over costs more than it gains, and a fixed share of the batch makes the
    other threads wait for one that was held up. What a batch leaves because its grids are so long
    comes after the batch that was being decoded.
    """
    with _switching_often(), ThreadPoolExecutor(max_workers=options.threads) as pool:

        def submitted() -> _Pending | None:
            batch = _Batch.of(due, options)
            width = min(options.threads, len(batch.waiting))
            return (
                (batch, [pool.submit(batch.visit, look) for _ in range(width)]) if width else None
            )

        pending = submitted()
        while pending:
            following = submitted()
            batch, visits = pending
            outcomes = _gathered(visits)
            batch.give_back(due)
            del pending, visits
            yield outcomes
            del outcomes  # or three batches of grids would be alive while the next one is awaited
            pending = following or submitted()


@contextlib.contextmanager
def _switching_often() -> Generator[None]:
    """Let no thread of this process keep the others waiting for long, for the time of a run."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(_SWITCH_S, before))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _gathered(visits: Sequence[Future[list[tuple[int, Outcome]]]]) -> list[Outcome]:
    """Wait for every thread's part of a batch."""
    return _in_order([visit.result() for visit in visits])
