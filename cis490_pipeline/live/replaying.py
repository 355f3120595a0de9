"""Playing an episode back: what a device would have said, when it could have said it.

Features come straight from the tarball, and the detector is the device's own, so that a small box
needs no tables. A verdict is told at the end of its window. At speed 0 nothing waits.

Not here: sending (``publisher``), opening models (the command line).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.alarm import verdict_s
from cis490_pipeline.edge.detector import Detector, WindowVerdict, strides
from cis490_pipeline.edge.header import BundleHeader
from cis490_pipeline.edge.projection import Projection
from cis490_pipeline.edge.recording import Recording
from cis490_pipeline.features.statistics import window_statistics
from cis490_pipeline.live.event_parts import ModelName, PhaseShares
from cis490_pipeline.live.events import Embedding, ModelPerf, Prediction, TruePhase
from cis490_pipeline.schema.channels import N_CHANNELS, visible_channels
from cis490_pipeline.schema.phases import NOT_A_CLASS, PHASES, Phase, phase_code
from cis490_pipeline.schema.windows import WINDOW_TICKS
from cis490_pipeline.telemetry.labelling import Transition

Played = TruePhase | Prediction | Embedding


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Which model watches: its header and address, how to start it, and its plane if it has one."""

    header: BundleHeader
    bundle: str
    start: Callable[[], Detector]
    projection: Projection | None

    @property
    def name(self) -> ModelName:
        """What it is called in events."""
        header = self.header
        return ModelName(
            split=header.split,
            family=header.family,
            mode=header.mode.value,
            context=header.context.value,
            seed=header.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """An episode to play: whose, under which name, and what is on it."""

    replay: str
    episode_id: str
    host_id: str
    recording: Recording


@dataclass(slots=True)
class Clock:
    """Real time at a multiple; ``speed`` 0 waits for nothing."""

    speed: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    started: float | None = None

    def reach(self, t_s: float) -> None:
        """Wait until the replayed time has come."""
        if self.speed <= 0:
            return
        if self.started is None:
            self.started = self.now() - t_s / self.speed
        left = self.started + t_s / self.speed - self.now()
        if left > 0:
            self.sleep(left)


@dataclass(slots=True)
class Costs:
    """Seconds that each window took."""

    seconds: list[float] = field(default_factory=list)


def play(tape: Tape, watching: Watching, clock: Clock, costs: Costs) -> Iterator[Played]:
    """Yield events when their time has come: true phases as they begin, verdicts as they fall."""
    steps = [step for step in tape.recording.transitions if step.t_s >= 0]
    verdicts = _verdicts(tape.recording, watching, costs)
    for position, verdict in enumerate(verdicts):
        until = verdict_s(position)
        while steps and steps[0].t_s <= until:
            clock.reach(steps[0].t_s)
            yield _truth(tape, steps.pop(0))
        clock.reach(until)
        yield from _told(tape, watching, *verdict)
    for step in steps:
        clock.reach(step.t_s)
        yield _truth(tape, step)


def perf(
    watching: Watching,
    costs: Costs,
    *,
    machine: str,
    rss_bytes: int | None,
    size_bytes: int,
    at: float,
) -> ModelPerf:
    """Return what the replay has cost on this machine."""
    p50, p95 = (
        (1000 * float(np.quantile(costs.seconds, q)) if costs.seconds else None)
        for q in (0.5, 0.95)
    )
    return ModelPerf(
        model=watching.name,
        bundle=watching.bundle,
        machine=machine,
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        rss_bytes=rss_bytes,
        size_bytes=size_bytes,
        n_measured=len(costs.seconds),
        measured_at=at,
    )


_Verdict = tuple[WindowVerdict, tuple[float, float] | None]


def _verdicts(recording: Recording, watching: Watching, costs: Costs) -> Iterator[_Verdict]:
    """Feed the device; a first window of nothing takes the costs of starting up."""
    detector = watching.start()
    if len(recording.x_TC) >= WINDOW_TICKS:
        nothing_TC = np.full((WINDOW_TICKS, N_CHANNELS), np.nan, dtype=np.float32)
        watching.start().update(nothing_TC)
    visible = list(visible_channels(watching.header.mode))
    ticks_TC = np.empty((0, N_CHANNELS), dtype=np.float32)
    for new_TC in strides(recording.x_TC):
        started = time.perf_counter()
        verdict = detector.update(new_TC)
        costs.seconds.append(time.perf_counter() - started)
        ticks_TC = np.concatenate([ticks_TC, new_TC])[-WINDOW_TICKS:]
        yield verdict, _place(watching.projection, ticks_TC, visible)


def _place(
    projection: Projection | None, ticks_TC: NDArray[np.float32], visible: list[int]
) -> tuple[float, float] | None:
    if projection is None:
        return None
    return projection.place(window_statistics(ticks_TC)[0, visible].ravel())


def _told(
    tape: Tape, watching: Watching, verdict: WindowVerdict, place: tuple[float, float] | None
) -> Iterator[Played]:
    truth = _phase(int(tape.recording.phase_N[verdict.window]))
    yield Prediction(
        replay=tape.replay,
        episode_id=tape.episode_id,
        host_id=tape.host_id,
        model=watching.name,
        window=verdict.window,
        t_s=verdict.t_center_s,
        verdict_s=verdict_s(verdict.window),
        truth=truth,
        predicted=verdict.phase,
        probabilities=PhaseShares(
            **{phase.value: float(p) for phase, p in zip(PHASES, verdict.p_K, strict=True)}
        ),
        alarm=verdict.rings,
    )
    if place is not None:
        yield Embedding(
            replay=tape.replay,
            episode_id=tape.episode_id,
            host_id=tape.host_id,
            model=watching.name,
            window=verdict.window,
            t_s=verdict.t_center_s,
            x=place[0],
            y=place[1],
            truth=truth,
        )


def _truth(tape: Tape, step: Transition) -> TruePhase:
    return TruePhase(
        replay=tape.replay,
        episode_id=tape.episode_id,
        host_id=tape.host_id,
        t_s=step.t_s,
        phase=_phase(phase_code(step.phase)),
    )


def _phase(code: int) -> Phase | None:
    return None if code == NOT_A_CLASS else PHASES[code]
