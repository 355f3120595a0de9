"""Feeders that fail, wait and come back; the others never notice."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from cis490_pipeline.live.feeders.supervision import (
    Condition,
    FeederState,
    Patience,
    Plan,
    feeding,
    supervise,
)


@dataclass
class Scripted:
    """Does what it is told at each step: raise, return; then goes on without an end."""

    script: list[Exception | str | None]
    made: int = 0
    steps: int = 0

    def make(self) -> "Scripted":
        self.made += 1
        return self

    async def step(self) -> str | None:
        self.steps += 1
        what = self.script.pop(0) if self.script else None
        if isinstance(what, Exception):
            raise what
        return what


@dataclass
class Clock:
    """Sleeps that take no time, and end the test after so many."""

    most: int
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) >= self.most:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


def run(feeder: Scripted, steps: int) -> tuple[FeederState, list[float]]:
    clock, state = Clock(steps), FeederState("one")
    patience = Patience(chance=random.Random(0), sleep=clock.sleep)
    plan = Plan(name="one", make=feeder.make, rest_s=7.0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(supervise(plan, state, patience))
    return state, clock.slept


def test_one_that_fails_is_begun_anew_after_a_growing_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feeder = Scripted([None, *[ValueError("bad disk")] * 10, None])
    state, slept = run(feeder, 12)
    assert feeder.made == 11
    assert (state.runs, state.failures, state.in_a_row) == (2, 10, 0)
    assert state.condition is Condition.FEEDING
    assert slept[0] == slept[-1] == 7.0
    for n, pause in enumerate(slept[1:11]):
        assert min(60.0, 2.0**n) / 2 <= pause <= min(60.0, 2.0**n)
    assert caplog.text.count("bad disk") >= 10


def test_a_failing_one_is_known_to_have_failed() -> None:
    state, _ = run(Scripted([ValueError("x")]), 1)
    assert state.condition is Condition.FAILED
    assert state.succeeded_at is None


def test_one_that_cannot_even_be_made_is_tried_again() -> None:
    attempts: list[int] = []

    def make() -> Scripted:
        attempts.append(1)
        if len(attempts) < 3:
            raise ModuleNotFoundError("no tables here")
        return Scripted([])

    clock, state = Clock(3), FeederState("one")
    patience = Patience(sleep=clock.sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(supervise(Plan(name="one", make=make, rest_s=1.0), state, patience))
    assert (state.failures, state.runs) == (2, 1)


def test_what_is_absent_is_said_once_and_looked_for_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    feeder = Scripted(["/no/index", "/no/index", "/no/index", None, "/no/index"])
    state, slept = run(feeder, 5)
    assert state.condition is Condition.WAITING
    assert state.failures == 0
    assert slept == [7.0] * 5
    assert caplog.text.count("waits for /no/index") == 2
    assert caplog.text.count("one feeds") == 1


def test_a_failing_one_and_a_hanging_one_take_no_other_down() -> None:
    class Hanging:
        async def step(self) -> str | None:
            await asyncio.Event().wait()
            return None

    def broken() -> Scripted:
        return Scripted([OSError("gone")] * 1000)

    async def scene() -> dict[str, FeederState]:
        good = Scripted([])
        makers: dict[str, Callable[[], Hanging | Scripted]] = {
            "good": good.make,
            "broken": broken,
            "hanging": Hanging,
        }
        plans = [Plan(name=name, make=make, rest_s=0.0) for name, make in makers.items()]
        async with feeding(plans, Patience(first_s=0.0)) as states:
            async with asyncio.timeout(20):
                while good.steps < 100:
                    await asyncio.sleep(0)
            return {one.name: one for one in states}

    states = asyncio.run(scene())
    assert states["good"].runs >= 99
    assert states["broken"].failures > 0
    assert states["hanging"].condition is Condition.STARTING
