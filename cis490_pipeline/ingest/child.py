"""One worker process: started, heard, watched for a hang, and never left behind.

A new interpreter and not a fork: the parent may have threads (Arrow, Dagster) whose locks a forked
child would inherit. In a process group of its own, so that an interrupt from the terminal reaches
the supervisor alone, which then ends the child. Not here: what the child does (``worker``), what is
concluded from its death (``supervisor``).
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import IO, Final

from cis490_pipeline.ingest.black_box import BlackBox
from cis490_pipeline.ingest.messages import (
    AnyJob,
    Committed,
    Crashed,
    Finished,
    Looking,
    Message,
    Progressed,
    Refused,
    decode_message,
    encode,
)

WORKER: tuple[str, ...] = (sys.executable, "-P", "-m", "cis490_pipeline.ingest.worker")
"""The command of a worker; ``-P`` keeps modules of the working directory out of it."""

_LONGEST_SILENCE_S: Final = 0.5
_READ_BYTES: Final = 1 << 16

Heard = Progressed | Committed | Looking
Hear = Callable[[Heard], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A worker ended without an answer.

    Attributes
    ----------
    how
        A signal's name, an exception's name, an exit status, or the seconds of a hang.
    suspects
        Episodes that were being opened, the longest first.
    hung
        The supervisor killed it, because a visit took too long.
    detail
        Text of the exception that ended it; empty where there was none.
    """

    how: str
    suspects: tuple[str, ...]
    hung: bool = False
    detail: str = ""


def run_child(job: AnyJob, box: BlackBox, visit_limit_s: float, hear: Hear) -> Finished | Death:
    """Give a job to a new worker and listen until it has an answer or is dead.

    Raises
    ------
    Cis490Error
        The one that the worker raised.
    """
    box.clear()
    crash: Crashed | None = None
    with _worker(job) as process:
        for message in _messages(_pipe(process.stdout), min(_LONGEST_SILENCE_S, visit_limit_s / 4)):
            match message:
                case None if _stalled(box, visit_limit_s):
                    suspects = _suspects(box)
                    return Death(how=f"{visit_limit_s:g} s", suspects=suspects, hung=True)
                case Finished():
                    return message
                case Refused():
                    raise message.error()
                case Crashed():
                    crash = message
                case Progressed() | Committed() | Looking():
                    hear(message)
                case None:
                    pass
        status = process.wait()
    if crash is not None:
        return Death(how=crash.kind, suspects=_suspects(box), detail=crash.text)
    return Death(how=_name_of(status), suspects=_suspects(box))


@contextlib.contextmanager
def _worker(job: AnyJob) -> Generator["subprocess.Popen[bytes]"]:
    """Start a worker with a job; whatever happens in the block, it is dead afterwards."""
    with subprocess.Popen(  # noqa: S603 - fixed words, no shell
        WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
    ) as process:
        try:
            with contextlib.suppress(BrokenPipeError), _pipe(process.stdin) as pipe:
                pipe.write(encode(job))  # where it is dead already, its exit status says why
            yield process
        finally:
            process.kill()


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise ValueError("not a pipe")
    return end


def _messages(pipe: IO[bytes], silence_s: float) -> Iterator[Message | None]:
    """Yield what comes until the other end closes, and None whenever nothing came for so long."""
    descriptor, rest = pipe.fileno(), b""
    while True:
        if not select.select([descriptor], [], [], silence_s)[0]:
            yield None
            continue
        read = os.read(descriptor, _READ_BYTES)
        if not read:  # a line that was cut off by a death says nothing
            return
        *lines, rest = (rest + read).split(b"\n")
        yield from map(decode_message, lines)


def _stalled(box: BlackBox, visit_limit_s: float) -> bool:
    return any(time.monotonic_ns() - visit.since_ns > visit_limit_s * 1e9 for visit in box.visits())


def _suspects(box: BlackBox) -> tuple[str, ...]:
    return tuple(visit.episode_id for visit in box.visits())


def _name_of(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"
