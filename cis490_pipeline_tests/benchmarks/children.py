"""Child processes whose work is measured from outside, by the operating system.

A child imports, warms up on a store of two episodes and says *ready*; the parent reads its clocks
and says *go*; the child says *done*; the parent reads them again. Not here: the work (``works``),
the child's side (``child``).
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError

REPOSITORY: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a child is to do: one of ``works.WORKS`` on ``store``, writing below ``out``.

    ``amount`` is what the work makes of it: threads of an ingest, episodes of a sample.
    """

    work: str
    store: str
    out: str
    warm_store: str
    warm_out: str
    amount: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A child's account.

    Attributes
    ----------
    import_s, first_use_s
        CPU of its imports, and of the warm-up: compilation, or loading compiled code.
    cpu_s
        User and system time of the measured part, threads and reaped children included.
    wall_s
        Of the measured part.
    peak_rss_bytes
        Of its whole life.
    facts
        What the work says about itself.
    """

    import_s: float
    first_use_s: float
    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    facts: dict[str, float]


def measure(order: Order, *, numba_cache: Path | None = None) -> Measured:
    """Run an order in a fresh process.

    ``numba_cache`` is an own directory for compiled code; None is the one that everybody uses.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.child", json.dumps(asdict(order))],
        cwd=REPOSITORY,
        env=_environment(numba_cache),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        return _converse(child)
    finally:
        if child.returncode is None:
            child.kill()
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _environment(numba_cache: Path | None) -> dict[str, str]:
    # one thread for each library: what a side may use is what the row says
    extra = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if numba_cache is not None:
        extra["NUMBA_CACHE_DIR"] = str(numba_cache)
    return {**os.environ, **extra}


def _converse(child: "subprocess.Popen[str]") -> Measured:
    assert child.stdin is not None
    assert child.stdout is not None
    ready = _heard(child.stdout)
    cpu_before, began = _cpu_seconds(child.pid), time.monotonic()
    _tell(child.stdin, "go")
    facts = _heard(child.stdout)
    wall_s, cpu_s = time.monotonic() - began, _cpu_seconds(child.pid) - cpu_before
    peak_rss_bytes = _peak_rss_bytes(child.pid)
    _tell(child.stdin, "bye")
    if child.wait():
        raise BenchmarkError(f"a child ended with status {child.returncode} after its work")
    return Measured(
        import_s=ready["import_s"],
        first_use_s=ready["first_use_s"],
        cpu_s=cpu_s,
        wall_s=wall_s,
        peak_rss_bytes=peak_rss_bytes,
        facts=facts,
    )


def _heard(pipe: IO[str]) -> dict[str, float]:
    line = pipe.readline()
    if not line:
        raise BenchmarkError("a child ended without an answer; what it said is on standard error")
    return json.loads(line)


def _tell(pipe: IO[str], word: str) -> None:
    pipe.write(f"{word}\n")
    pipe.flush()


def _cpu_seconds(pid: int) -> float:
    """User and system time of another process so far: its threads, and children it waited for.

    The first is clock_getcpuclockid(3), to the nanosecond; the second is in clock ticks. What
    wait4(2) gives at the end would count the interpreter's exit too.
    """
    own_s = time.clock_gettime((~pid << 3) | 2)
    after_name = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return own_s + sum(map(int, after_name[13:15])) / os.sysconf("SC_CLK_TCK")


def _peak_rss_bytes(pid: int) -> int:
    """The high-water mark of the process's own memory.

    ``ru_maxrss`` of wait4(2) is no less than what the *parent* held when it made the child: the
    kernel carries the mark over exec.
    """
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise BenchmarkError("the kernel does not tell a process's peak memory")
