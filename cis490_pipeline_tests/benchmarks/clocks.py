"""Timing two sides in this process, alternately.

Not here: child processes (``children``).
"""

import time
from collections.abc import Callable

Side = Callable[[], object]


def cpu_seconds(side: Side) -> float:
    """CPU seconds of this process, all threads."""
    before = time.process_time()
    side()
    return time.process_time() - before


def alternately(
    candidate: Side, reference: Side, repetitions: int
) -> tuple[list[float], list[float]]:
    """CPU seconds of both sides; who begins changes, so that neither always follows the other."""
    taken: dict[str, list[float]] = {"candidate": [], "reference": []}
    sides = [("candidate", candidate), ("reference", reference)]
    for _ in range(repetitions):
        for name, side in sides:
            taken[name].append(cpu_seconds(side))
        sides.reverse()
    return taken["candidate"], taken["reference"]
