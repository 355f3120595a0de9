"""When an episode is in which phase.

Durations are log-uniform and drawn per episode, so that the time since the start says little about
the phase; ranges are those of the recorded corpus, stretched to the episode's length. Not here:
what happens in a phase (``drivers``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from cis490_pipeline.schema.phases import FAILED, Phase
from cis490_pipeline.synthetic.random_streams import log_uniform

_STRETCH_S: Final = 85.0
"""Length of an episode whose phases last as written below."""
_RANGES_S: Final[dict[str, tuple[float, float]]] = {
    Phase.CLEAN: (8.0, 55.0),
    Phase.ARMED: (3.0, 22.0),
    Phase.INFECTING: (5.0, 14.0),
    Phase.INFECTED_RUNNING: (8.0, 38.0),
    Phase.DORMANT: (6.0, 26.0),
    FAILED: (4.0, 7.0),
}
_NEVER_CAME: Final = 0.04
_FAILS: Final = 0.04
_SKIPS: Final = {Phase.ARMED: 0.1, Phase.INFECTING: 0.07, Phase.DORMANT: 0.1}
_MOST_RUNS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The phases of an episode, each from its start to the next one's (seconds)."""

    phases: tuple[str, ...]
    starts_s: tuple[float, ...]
    seconds: float

    def spans(self) -> Iterator[tuple[str, float, float]]:
        """Yield each phase with its start and end."""
        ends = (*self.starts_s[1:], self.seconds)
        yield from zip(self.phases, self.starts_s, ends, strict=True)


def draw_schedule(rng: np.random.Generator, seconds: float, *, control: bool) -> Schedule:
    """Draw the phases of one episode; a control's, and one whose payload never came, is clean."""
    if control or rng.random() < _NEVER_CAME:
        return Schedule(phases=(Phase.CLEAN.value,), starts_s=(0.0,), seconds=seconds)
    phases: list[str] = []
    starts: list[float] = []
    start = 0.0
    for phase in _story(rng):
        if start >= seconds - 0.2:
            break
        phases.append(phase)
        starts.append(start)
        start += log_uniform(rng, *_RANGES_S[phase]) * seconds / _STRETCH_S
    if rng.random() < _FAILS:
        _fail(rng, phases, starts, seconds)
    return Schedule(phases=tuple(phases), starts_s=tuple(starts), seconds=seconds)


def _story(rng: np.random.Generator) -> Iterator[str]:
    yield Phase.CLEAN.value
    for phase in (Phase.ARMED, Phase.INFECTING):
        if rng.random() >= _SKIPS[phase]:
            yield phase.value
    for _ in range(int(rng.integers(1, _MOST_RUNS + 1))):
        yield Phase.INFECTED_RUNNING.value
        if rng.random() < _SKIPS[Phase.DORMANT]:
            return
        yield Phase.DORMANT.value


def _fail(rng: np.random.Generator, phases: list[str], starts: list[float], seconds: float) -> None:
    """Let the sample die in its last active phase, shortly before the end of the episode."""
    active = (Phase.INFECTING.value, Phase.INFECTED_RUNNING.value)
    died = seconds - log_uniform(rng, *_RANGES_S[FAILED]) * seconds / _STRETCH_S
    candidates = [i for i, phase in enumerate(phases) if phase in active and starts[i] < died]
    if not candidates:
        return
    last = candidates[-1] + 1
    phases[last:] = [FAILED]
    starts[last:] = [died]
