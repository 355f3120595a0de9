"""Keeping feeders going: one that fails is logged, waited for, and begun anew; the others go on.

The pause grows from a second to a minute, with chance, and is short again after a success. A feeder
that failed is thrown away with whatever it remembered: the next one begins from the disk, and the
reducer knows what is no news.

Not here: what a feeder does.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
_log = logging.getLogger(__name__)


class Feeder(Protocol):
    """One source of events."""

    async def step(self) -> str | None:
        """Look, and publish what is new; return what is absent and waited for, if anything."""
        ...


class Condition(StrEnum):
    """How a feeder is."""

    STARTING = "starting"
    FEEDING = "feeding"
    WAITING = "waiting"  # for something that is not there yet
    FAILED = "failed"  # and will be begun anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A feeder by its name: how one is made, and how long it rests between two steps."""

    name: str
    make: Callable[[], Feeder]
    rest_s: float


@dataclass(slots=True)
class FeederState:
    """What became of a feeder; written by its supervisor alone."""

    name: str
    condition: Condition = Condition.STARTING
    runs: int = 0
    failures: int = 0
    in_a_row: int = 0
    succeeded_at: float | None = None
    waiting_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait after so many failures in a row; ``sleep`` is for tests."""

    first_s: float = FIRST_PAUSE_S
    longest_s: float = LONGEST_PAUSE_S
    chance: random.Random = field(default_factory=random.SystemRandom)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def pause_s(self, failures: int) -> float:
        """Return the seconds, random between half of and all of what has doubled each time."""
        most = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return most * self.chance.uniform(0.5, 1.0)


async def supervise(plan: Plan, state: FeederState, patience: Patience) -> None:
    """Keep one feeder going until this is cancelled."""
    feeder: Feeder | None = None
    while True:
        try:
            feeder = plan.make() if feeder is None else feeder
            waiting_for = await feeder.step()
        except Exception:  # noqa: BLE001 - the outermost loop: no fault of one may end the others
            feeder = None
            state.failures += 1
            state.in_a_row += 1
            state.condition = Condition.FAILED
            pause_s = patience.pause_s(state.in_a_row)
            _log.exception("feeder %s failed; begun anew in %.1f s", plan.name, pause_s)
        else:
            _note(plan, state, waiting_for)
            pause_s = plan.rest_s
        await patience.sleep(pause_s)


def _note(plan: Plan, state: FeederState, waiting_for: str | None) -> None:
    if waiting_for is not None and waiting_for != state.waiting_for:
        _log.warning("feeder %s waits for %s, and looks again", plan.name, waiting_for)
    if waiting_for is None and state.condition is not Condition.FEEDING:
        _log.info("feeder %s feeds", plan.name)
    state.waiting_for = waiting_for
    state.condition = Condition.FEEDING if waiting_for is None else Condition.WAITING
    state.runs += 1
    state.in_a_row = 0
    state.succeeded_at = time.time()


@asynccontextmanager
async def feeding(
    plans: Sequence[Plan], patience: Patience | None = None
) -> AsyncGenerator[tuple[FeederState, ...]]:
    """Keep feeders going for as long as the block runs."""
    states = tuple(FeederState(plan.name) for plan in plans)
    chosen = patience or Patience()
    tasks = [
        asyncio.create_task(supervise(plan, state, chosen), name=plan.name)
        for plan, state in zip(plans, states, strict=True)
    ]
    try:
        yield states
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
