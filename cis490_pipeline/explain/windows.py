"""Which windows are explained: as many of every phase, spread over the hosts, drawn with a seed.

Shape suffixes: N windows.

Phases are not equally frequent, and neither are hosts: an explanation of whatever is most frequent
would be one of the longest phase on the busiest host. Not here: the attributions.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST: Final = 5
"""Windows of a phase on a host below which their mean ranks nothing."""


def draw_windows(
    y_N: NDArray[np.int64],
    host_N: NDArray[np.str_],
    per_phase: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the positions of the windows that are explained, sorted.

    Of every phase about ``per_phase``, an equal share from each host that has it, though at least
    ``FEWEST`` from each; all there are where there are fewer.
    """
    drawn: list[NDArray[np.int64]] = []
    for phase in np.unique(y_N):
        of_phase_N = np.flatnonzero(y_N == phase)
        hosts = np.unique(host_N[of_phase_N])
        share = max(FEWEST, -(-per_phase // hosts.size))
        for host in hosts:
            here_N = of_phase_N[host_N[of_phase_N] == host]
            drawn.append(generator.permutation(here_N)[:share])
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, dtype=np.int64)
