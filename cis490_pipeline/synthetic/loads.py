"""The load that drives every channel, and which program causes how much of it.

A device's telemetry is a mixture of a few loads (CPU, disk, network …). Programs and phases are
vectors of loads; channels are weights on them (``mixing``). Figures are made up after what was seen
in the recorded corpus (``data/corpus/README.md``, *Profiles*), not fitted to it.

Not here: how loads move in time (``drivers``).
"""

from dataclasses import astuple, dataclass, fields
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """One number per load: what a program causes, or a channel's weight on it.

    Attributes
    ----------
    one
        Constant: what is there without any load.
    cpu
        Cores busy.
    read, write
        Disk, MB/s.
    rx, tx
        Network towards and from the guest, kB/s.
    dial
        New connections per second.
    fork
        New processes per second.
    mem
        Share of the memory taken.
    load
        Run queue, averaged over a minute.
    drift
        0 at the start of the episode, 1 at its end: memory that is touched for the first time.
    """

    one: float = 0.0
    cpu: float = 0.0
    read: float = 0.0
    write: float = 0.0
    rx: float = 0.0
    tx: float = 0.0
    dial: float = 0.0
    fork: float = 0.0
    mem: float = 0.0
    load: float = 0.0
    drift: float = 0.0

    def vector(self) -> NDArray[np.float64]:
        """Return the loads in field order; not to be written to."""
        return _vector(self)


@cache
def _vector(loads: Loads) -> NDArray[np.float64]:
    vector = np.array(astuple(loads), np.float64)
    vector.flags.writeable = False
    return vector


LOAD_NAMES: Final = tuple(field.name for field in fields(Loads))
N_LOADS: Final = len(LOAD_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a sample does while it is ``infected_running``.

    Attributes
    ----------
    samples
        Names of the programs that behave so.
    running
        Mean loads while on.
    period_s, duty
        Range of the period of on and off, and the share of it that is on; 0 is always on.
    ramp_s
        Seconds until the loads are reached.
    """

    samples: tuple[str, ...]
    running: Loads
    period_s: tuple[float, float] = (0.0, 0.0)
    duty: float = 1.0
    ramp_s: float = 0.5


BENIGN: Final = "benign"
BENIGN_SAMPLE: Final = "none"

PROFILES: Final[dict[str, Profile]] = {
    "cpu-saturate": Profile(
        samples=("hasher-a", "hasher-b"), running=Loads(cpu=0.8, rx=0.3, tx=0.4, dial=0.1)
    ),
    "io-walk": Profile(
        samples=("walker-a", "walker-b"), running=Loads(cpu=0.25, read=4.0, write=4.5, fork=0.3)
    ),
    "scan-and-dial": Profile(
        samples=("dialer-a", "dialer-b"), running=Loads(cpu=0.2, rx=3.0, tx=5.0, dial=45.0)
    ),
    "low-and-slow": Profile(
        samples=("dripper-a", "dripper-b"),
        running=Loads(cpu=0.02, rx=1.0, tx=2.0, dial=1.5),
        period_s=(3.0, 7.0),
        duty=0.2,
    ),
    "bursty-c2": Profile(
        samples=("burster-a", "burster-b"),
        running=Loads(cpu=0.15, rx=25.0, tx=60.0, dial=12.0),
        period_s=(2.0, 6.0),
        duty=0.35,
    ),
    "mem-hoard": Profile(
        samples=("hoarder-a", "hoarder-b"), running=Loads(cpu=0.3, mem=0.45), ramp_s=8.0
    ),
}
"""The malicious profiles of the format's reference set, in its order."""

INFECTING: Final = Loads(cpu=0.3, read=0.4, write=1.6, rx=2.0, tx=0.6, dial=0.4, fork=4.0)
ARMED: Final = Loads(cpu=0.05, write=0.5, rx=30.0, tx=1.5, dial=0.3)
BEACON: Final = Loads(cpu=0.01, rx=0.6, tx=1.0, dial=0.8)
RESIDENT: Final = Loads(mem=0.012)

BENIGN_BURST: Final = Loads(
    cpu=0.35, read=1.5, write=1.2, rx=25.0, tx=8.0, dial=2.5, fork=2.5, mem=0.05
)
"""Mean height of a burst of each kind of benign load."""
