"""One life of a victim: started, listened to, killed by SIGKILL at the phase it was to die in.

Not here: the choice of the phase (``kills``), the victim (``victims``).
"""

import contextlib
import multiprocessing
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Final

from cis490_pipeline_tests.drills.victims import Task, run_task

_LONGEST_LIFE_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How a life went.

    Attributes
    ----------
    died_in
        The last phase that the killed process had announced; None where nothing was killed.
    finished
        The task was done all the same: by the victim, or by the worker after the killed one.
    """

    died_in: str | None
    finished: bool


def forking() -> ForkServerContext:
    """Return what starts victims: forks of a process that has everything loaded and no thread."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cis490_pipeline_tests.drills.warmed"])
    return context


def live(context: ForkServerContext, task: Task, *, delay_s: float, worker: bool) -> Life:
    """Start a victim and kill it, or its ``worker``, so long after it said where it is.

    Raises
    ------
    AssertionError
        Where the victim ends by itself in any other way than with its task done.
    """
    os.mkfifo(task.target.pipe)
    pipe = os.open(task.target.pipe, os.O_RDWR | os.O_NONBLOCK)  # a writer too: never at its end
    try:
        process = context.Process(target=run_task, args=(task,))
        process.start()
        said = _listen(process, pipe, delay_s, worker=worker)
        process.join()
        for pid in said:
            _wait_for_end(pid)
        said = _added(said, _lines(pipe))
    finally:
        os.close(pipe)
        Path(task.target.pipe).unlink()
    killed = process.exitcode == -signal.SIGKILL
    assert killed or process.exitcode == 0, f"{task}: exit status {process.exitcode}"
    # of a worker only its successor tells that it died of the signal
    first = next(iter(said.values()), None)
    return Life(died_in=first if killed or len(said) > 1 else None, finished=not killed)


def _listen(
    process: ForkServerProcess, pipe: int, delay_s: float, *, worker: bool
) -> dict[int, str]:
    """Return pid → last phase of every process that spoke, until the victim has ended."""
    said: dict[int, str] = {}
    end = time.monotonic() + _LONGEST_LIFE_S
    while process.sentinel not in (ready := _ready(pipe, process.sentinel)):
        assert time.monotonic() < end, f"it hangs after {said}"
        if not ready:
            continue
        lines = _lines(pipe)
        said = _added(said, lines)
        first = next(iter(said))  # a worker after it lives: it is to finish the task
        if any(pid == first and phase.endswith("*") for pid, phase in lines):
            time.sleep(delay_s)
            with contextlib.suppress(ProcessLookupError):  # it was faster
                os.kill(first if worker else _pid_of(process), signal.SIGKILL)
    return said


def _pid_of(process: ForkServerProcess) -> int:
    assert process.pid, "started"
    return process.pid


def _ready(*descriptors: int) -> list[int]:
    return select.select(descriptors, [], [], 1.0)[0]


def _lines(pipe: int) -> list[tuple[int, str]]:
    read = b""
    while True:
        try:
            read += os.read(pipe, 1 << 16)
        except BlockingIOError:
            break
    words: Iterator[list[str]] = (line.split(" ", 1) for line in read.decode().splitlines())
    return [(int(pid), phase) for pid, phase in words]


def _added(said: dict[int, str], lines: list[tuple[int, str]]) -> dict[int, str]:
    return {**said, **{pid: phase.removesuffix("*") for pid, phase in lines}}


def _wait_for_end(pid: int) -> None:
    """Wait for a process that may have ended, and is no child of this one."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert _ready_within(descriptor), f"process {pid} outlives its supervisor"
    finally:
        os.close(descriptor)


def _ready_within(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 20.0)[0])
