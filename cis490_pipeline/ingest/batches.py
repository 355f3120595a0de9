"""Due episodes, visited in batches whose grids are bounded, in threads where there are several.

It needs no tables: verdicts alone come from the base install. Not here: which episodes are due
(``due``), what becomes of a batch (``run``, ``sweep``), one episode (``one_pass``).
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final

from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.memory import reuse_freed_memory
from cis490_pipeline.ingest.one_pass import Outcome, visit
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.ingest.warm_up import warm_up

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
_Slice = tuple[list[Outcome], Sequence[IndexEntry]]


def _one_after_the_other(
    look: _Look, waiting: deque[IndexEntry], options: IngestOptions
) -> Generator[list[Outcome]]:
    while waiting:
        outcomes, left = _visit_slice(look, _next_batch(waiting, options), TICKS_PER_BATCH)
        waiting.extendleft(reversed(left))
        yield outcomes
        del outcomes  # or two batches of grids would be alive while the next one is awaited


def _in_threads(
    look: _Look, waiting: deque[IndexEntry], options: IngestOptions
) -> Generator[list[Outcome]]:
    """Each thread gets one slice of a batch: handing over single episodes costs more than it gains.

    Where grids are so long that a slice has to end early, the rest of it comes after the batch that
    was being decoded.
    """
    with ThreadPoolExecutor(max_workers=options.threads) as pool:
        pending = _submit(pool, look, waiting, options)
        while pending:
            following = _submit(pool, look, waiting, options)
            outcomes, left = _gathered(pending)
            waiting.extendleft(reversed(left))
            yield outcomes
            del outcomes  # or three batches of grids would be alive while the next one is awaited
            pending = following or _submit(pool, look, waiting, options)


def _next_batch(waiting: deque[IndexEntry], options: IngestOptions) -> list[IndexEntry]:
    return [waiting.popleft() for _ in range(min(options.episodes_per_commit, len(waiting)))]


def _submit(
    pool: ThreadPoolExecutor,
    look: _Look,
    waiting: deque[IndexEntry],
    options: IngestOptions,
) -> list[Future[_Slice]]:
    """Take a batch off the waiting episodes and hand it to the threads."""
    batch = _next_batch(waiting, options)
    width = max(1, -(-len(batch) // options.threads))
    max_ticks = TICKS_PER_BATCH // options.threads
    slices = [batch[first : first + width] for first in range(0, len(batch), width)]
    return [pool.submit(_visit_slice, look, part, max_ticks) for part in slices]


def _visit_slice(look: _Look, part: Sequence[IndexEntry], max_ticks: int) -> _Slice:
    """Visit episodes until their grids have so many ticks; also return those that are left."""
    outcomes: list[Outcome] = []
    n_ticks = 0
    for position, entry in enumerate(part):
        if outcomes and n_ticks >= max_ticks:
            return outcomes, part[position:]
        outcomes.append(look(entry))
        content = outcomes[-1].content
        n_ticks += 0 if content is None else len(content.x_TC)
    return outcomes, ()


def _gathered(pending: Sequence[Future[_Slice]]) -> _Slice:
    done = [future.result() for future in pending]
    return (
        [outcome for outcomes, _ in done for outcome in outcomes],
        [entry for _, left in done for entry in left],
    )
