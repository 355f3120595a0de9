"""The process that opens tarballs for a supervisor: ``python -m cis490_pipeline.ingest.worker``.

Reads one job from standard input and answers on standard output; what libraries print there goes to
standard error instead. Dies with its parent, and may be killed at any instant: the runs that it
calls leave nothing half-done. Not here: anything that must survive (``supervisor``).
"""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import Cis490Error
from cis490_pipeline.ingest.black_box import BlackBox
from cis490_pipeline.ingest.messages import (
    AloneJob,
    AnyJob,
    Committed,
    Crashed,
    Finished,
    IngestJob,
    Job,
    Looking,
    Message,
    Progressed,
    Refused,
    SweepJob,
    decode_job,
    encode,
)
from cis490_pipeline.ingest.options import IngestOptions, Supervision

_PR_SET_PDEATHSIG: Final = 1

Send = Callable[[Message], None]


def main() -> None:
    """Do the job on standard input; exit status 1 where an exception ended it."""
    job = decode_job(sys.stdin.buffer.read())
    _die_with(job.parent)
    send = _sender()
    try:
        send(work(job, send))
    except Cis490Error as error:
        send(Refused.of(error))
    except Exception as error:  # noqa: BLE001 - the outermost: the supervisor counts it
        traceback.print_exc()
        send(Crashed(type(error).__name__, str(error)))
        sys.exit(1)


def work(job: AnyJob, send: Send) -> Finished:
    """Do one job; what it has to say before the end goes to ``send``.

    Each job loads what it takes itself: a suspect can be visited without the tables' libraries.
    """
    store = EpisodeStore(Path(job.store), job.index)
    options = _options(job, send)

    def progress(done: int, total: int) -> None:
        send(Progressed(done, total))

    match job:
        case IngestJob():
            from cis490_pipeline.ingest.run import ingest_host
            from cis490_pipeline.warehouse.warehouse import Warehouse

            warehouse = Warehouse(Path(job.data))
            report = ingest_host(store, warehouse, job.host_id, options, progress, upto=job.upto)
            return Finished(msgspec.Raw(msgspec.json.encode(report)))
        case SweepJob():
            from cis490_pipeline.ingest.sweep import judge_due

            judge_due(store, job.entries, Path(job.parts), options, progress)
        case AloneJob():
            _visit_alone(store, job, options, send)
    return Finished()


def _visit_alone(store: EpisodeStore, job: AloneJob, options: IngestOptions, send: Send) -> None:
    """Visit the suspect; one that index or disk no longer have cannot kill anybody."""
    from cis490_pipeline.ingest.one_pass import visit
    from cis490_pipeline.ingest.warm_up import warm_up

    warm_up()
    for entry in read_received(store.index_path).entries:
        if entry.episode_id == job.episode_id:
            stamp = store.stamp(entry.host_id, entry.episode_id)
            if stamp is not None:
                send(Looking(entry.sha256, stamp))
                visit(
                    store,
                    entry,
                    options.limits,
                    supervision=options.supervision,
                    with_content=job.with_content,
                )


def _options(job: Job, send: Send) -> IngestOptions:
    supervision = Supervision(
        box=BlackBox.open(Path(job.box)),
        condemned={one.episode_id: one for one in job.condemned},
        on_commit=lambda n_new: send(Committed(n_new)),
    )
    return IngestOptions(
        threads=job.threads,
        limits=job.limits,
        episodes_per_commit=job.episodes_per_commit,
        supervision=supervision,
    )


def _die_with(parent: int) -> None:
    """End this process when its parent ends, however that happens (Linux).

    By signal and not by watching a pipe: a decoder that holds the interpreter lock lets no other
    thread watch.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that was said
        os._exit(1)


def _sender() -> Send:
    """Take standard output for the answers alone."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(message: Message) -> None:
        answers.write(encode(message))
        answers.flush()

    return send


if __name__ == "__main__":
    main()
