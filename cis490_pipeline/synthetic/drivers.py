"""The loads of one episode in time: benign bursts all along, and the sample by phase.

Shape suffixes: T half-second steps, L loads. Not here: what channels make of them (``signals``).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.phases import Phase
from cis490_pipeline.synthetic.hosts import HostStyle
from cis490_pipeline.synthetic.loads import (
    ARMED,
    BEACON,
    BENIGN_BURST,
    INFECTING,
    LOAD_NAMES,
    N_LOADS,
    PROFILES,
    RESIDENT,
)
from cis490_pipeline.synthetic.random_streams import log_uniform
from cis490_pipeline.synthetic.schedule import Schedule

STEPS_PER_S: Final = 2
_ONE, _CPU, _MEM, _LOAD, _DRIFT = (
    LOAD_NAMES.index(name) for name in ("one", "cpu", "mem", "load", "drift")
)
_BURSTS_PER_S: Final = 0.3
_MINUTE: Final = 60 * STEPS_PER_S

_Steps = NDArray[np.float64]


def draw_drivers(
    rng: np.random.Generator, host: HostStyle, profile: str, schedule: Schedule
) -> _Steps:
    """Draw the loads ``[T, L]``; step ``i`` holds from ``i / STEPS_PER_S`` seconds on."""
    x_TL = _benign(rng, host, schedule.seconds)
    if profile in PROFILES:
        _add_sample(rng, x_TL, profile, schedule)
    x_TL[:, _ONE] = 1.0
    np.minimum(x_TL[:, _CPU], 1.0, out=x_TL[:, _CPU])
    np.minimum(x_TL[:, _MEM], 0.7, out=x_TL[:, _MEM])
    x_TL[:, _LOAD] = _mean_of_last_minute(1.4 * x_TL[:, _CPU])
    x_TL[:, _DRIFT] = np.linspace(0.0, rng.uniform(0.3, 1.0), len(x_TL))
    return x_TL


def _benign(rng: np.random.Generator, host: HostStyle, seconds: float) -> _Steps:
    """Draw bursts that begin at random and overlap: one kind of load each."""
    n_steps = int(np.ceil(seconds * STEPS_PER_S)) + 1
    level = host.benign_level * float(np.exp(rng.normal(0.0, 0.5)))
    n = int(rng.poisson(_BURSTS_PER_S * seconds * min(level, 4.0)))
    kind = 1 + rng.choice(len(host.benign_kinds), size=n, p=host.benign_kinds)
    start = rng.integers(0, n_steps, size=n)
    end = np.minimum(start + 1 + rng.exponential(3.0, size=n).astype(np.int64), n_steps)
    height = BENIGN_BURST.vector()[kind] * rng.exponential(1.0, size=n)
    change_TL = np.zeros((n_steps + 1, N_LOADS))
    np.add.at(change_TL, (start, kind), height)
    np.add.at(change_TL, (end, kind), -height)
    # the sum of what came and went can miss zero by a rounding error
    return np.maximum(np.cumsum(change_TL[:-1], axis=0), 0.0)


def _add_sample(rng: np.random.Generator, x_TL: _Steps, profile: str, schedule: Schedule) -> None:
    strength = float(np.exp(rng.normal(0.0, 0.35)))
    beacon_s = log_uniform(rng, 3.0, 9.0)
    what = PROFILES[profile]
    on_off_s = log_uniform(rng, *what.period_s) if what.duty < 1.0 else 0.0
    downloads = rng.random() < 0.5
    for phase, start_s, end_s in schedule.spans():
        first, last = int(start_s * STEPS_PER_S), int(np.ceil(end_s * STEPS_PER_S))
        span_TL = x_TL[first:last]
        t_T = np.arange(len(span_TL)) / STEPS_PER_S
        match phase:
            case Phase.ARMED if downloads:
                span_TL[: 2 * STEPS_PER_S] += strength * ARMED.vector()
            case Phase.INFECTING:
                span_TL += strength * INFECTING.vector()
            case Phase.INFECTED_RUNNING:
                pattern_T = np.minimum((t_T + 0.5) / what.ramp_s, 1.0) * _on(
                    t_T, on_off_s, what.duty
                )
                span_TL += pattern_T[:, None] * (
                    strength * what.running.vector() + RESIDENT.vector()
                )
            case Phase.DORMANT:
                span_TL += _on(t_T, beacon_s, 0.15)[:, None] * BEACON.vector() + RESIDENT.vector()
            case _:
                pass


def _on(t_T: _Steps, period_s: float, duty: float) -> _Steps:
    if period_s == 0.0:
        return np.ones_like(t_T)
    return (np.mod(t_T, period_s) < max(duty * period_s, 0.5)).astype(np.float64)


def _mean_of_last_minute(x_T: _Steps) -> _Steps:
    total_T = np.concatenate([np.zeros(_MINUTE), np.cumsum(x_T)])
    return (total_T[_MINUTE:] - total_T[:-_MINUTE]) / _MINUTE
