"""Runs that survive their decoder: one bad tarball never stops a sweep.

The work is done by a child. Where it dies by a signal, by an exception that nobody planned for, or
hangs in a visit, the episodes that stood in its black box are suspects: each is visited alone, in a
child of its own. One that dies or hangs there too is condemned: the next worker gives it the
verdict ``open-failed:DecoderDied:<how>`` or ``open-failed:DecoderHung:<n> s`` without opening it,
and that verdict stands as every other one, until sha256, size or mtime change. The others go
through with the rest.

Not here: the work (``run``, ``sweep``), the processes (``child``, ``worker``).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from cis490_pipeline.episodes.episode import OpenFailure
from cis490_pipeline.errors import IngestError
from cis490_pipeline.ingest.black_box import BlackBox
from cis490_pipeline.ingest.child import Death, Heard, run_child
from cis490_pipeline.ingest.messages import (
    AloneJob,
    Committed,
    Finished,
    IngestJob,
    Job,
    Looking,
    Progressed,
    SweepJob,
)
from cis490_pipeline.ingest.options import Condemned, Progress

_MOST_FRUITLESS: Final = 3
"""Deaths in a row after which neither a batch was finished nor an episode condemned."""
_FROM_OUTSIDE: Final = frozenset({"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"})
"""Signals that the machine or a person sends, never a decoder."""


class Supervisor:
    """One job carried through, however often its worker dies.

    ``n_new`` episodes were committed, by all workers together; ``n_due`` is what the first one
    that got so far found to do.
    """

    def __init__(
        self, job: IngestJob | SweepJob, box: BlackBox, visit_limit_s: float, progress: Progress
    ) -> None:
        self.n_new = 0
        self.n_due = 0
        self._job = job
        self._box = box
        self._visit_limit_s = visit_limit_s
        self._progress = progress
        self._condemned: dict[str, Condemned] = {}
        self._n_done = 0  # by this worker
        self._n_before = 0  # by those that died

    def carry_through(self, suspects: Sequence[str] = ()) -> Finished:
        """Examine the suspects of an earlier run, and start workers until one has the answer.

        Raises
        ------
        IngestError
            Where the workers die again and again, and no episode explains it.
        Cis490Error
            What a worker raised.
        """
        self._examine(suspects)
        n_fruitless = 0
        while True:
            ended = self._one_life(careful=n_fruitless == _MOST_FRUITLESS - 1)
            if isinstance(ended, Finished):
                return ended
            if self._examine(ended.suspects) or self._n_done:
                n_fruitless = 0
                continue
            n_fruitless += 1
            if n_fruitless == _MOST_FRUITLESS or (ended.detail and not ended.suspects):
                self._settle(ended)
                n_fruitless = 0

    def _one_life(self, *, careful: bool) -> Finished | Death:
        """Run one worker; a careful one opens one episode at a time."""
        self._n_before += self._n_done
        self._n_done = 0
        job = msgspec.structs.replace(
            self._job,
            condemned=tuple(self._condemned.values()),
            threads=1 if careful else self._job.threads,
        )
        return run_child(job, self._box, self._visit_limit_s, self._hear)

    def _hear(self, message: Heard) -> None:
        match message:
            case Committed(n_new=n_new):
                self.n_new += n_new
            case Progressed(done=done, total=total):
                self._n_done = done
                self.n_due = self.n_due or total
                self._progress(self._n_before + done, self._n_before + total)
            case Looking():
                pass

    def _examine(self, suspects: Sequence[str]) -> bool:
        """Visit each suspect alone; say whether any was condemned."""
        before = len(self._condemned)
        for episode_id in suspects:
            looking, death = self._alone(episode_id)
            if looking is not None and death is not None and death.suspects:
                self._condemn(episode_id, looking, death)
        return len(self._condemned) > before

    def _alone(self, episode_id: str) -> tuple[Looking | None, Death | None]:
        heard: list[Looking] = []

        def hear(message: Heard) -> None:
            if isinstance(message, Looking):
                heard.append(message)

        shared = {name: getattr(self._job, name) for name in Job.__struct_fields__}
        job = AloneJob(**shared, episode_id=episode_id)
        ended = run_child(job, self._box, self._visit_limit_s, hear)
        return (heard[0] if heard else None), (ended if isinstance(ended, Death) else None)

    def _condemn(self, episode_id: str, looking: Looking, death: Death) -> None:
        kind = "DecoderHung" if death.hung else "DecoderDied"
        self._condemned[episode_id] = Condemned(
            episode_id=episode_id,
            sha256=looking.sha256,
            stamp=looking.stamp,
            failure=OpenFailure(kind=kind, message=death.how),
        )

    def _settle(self, death: Death) -> None:
        """Decide after the last of several deaths that no episode on its own explains.

        Its worker opened one episode at a time. Memory that was spoilt by an earlier episode kills
        at a later one: the one at which it dies for the third time without having got anywhere is
        condemned all the same, unless the signal can only have come from outside.
        """
        if len(death.suspects) == 1 and death.how not in _FROM_OUTSIDE:
            looking, _ = self._alone(death.suspects[0])
            if looking is not None:
                self._condemn(death.suspects[0], looking, death)
                return
        raise IngestError(
            "the worker dies and no episode explains it",
            where=self._where(),
            expected="an answer",
            found=" ".join(filter(None, [death.how, death.detail, *death.suspects])),
            todo="look for its traceback above; give it more memory, or fewer threads; what was "
            "committed stays",
        )

    def _where(self) -> str:
        job = self._job
        return f"{job.data}, host {job.host_id}" if isinstance(job, IngestJob) else job.parts
