"""Events that are nobody's."""

from typing import Any

from cis490_pipeline.live.event_parts import (
    MixBasis,
    ModelName,
)
from cis490_pipeline.live.events import (
    Embedding,
    ModelPerf,
    PhaseMix,
    TruePhase,
)
from cis490_pipeline.schema.phases import PHASES, Phase
from cis490_pipeline_tests.episodes.building import episode_id

BUNDLE = "ab" * 32


def model(family: str = "gbt", split: str = "host=lab-b") -> ModelName:
    return ModelName(split=split, family=family, mode="realistic", context="none", seed=0)


def phase(number: int = 0, **changes: Any) -> TruePhase:
    """Return a stream event that carries a number as its time."""
    fields: dict[str, Any] = {
        "replay": "r",
        "episode_id": episode_id(0),
        "host_id": "lab-a",
        "t_s": float(number),
        "phase": Phase.CLEAN,
    }
    return TruePhase(**{**fields, **changes})


def perf(n_measured: int = 1, family: str = "gbt", machine: str = "box") -> ModelPerf:
    """Return a state event; the newest counts."""
    return ModelPerf(
        model=model(family),
        bundle=BUNDLE,
        machine=machine,
        latency_p50_ms=1.5,
        latency_p95_ms=None,
        rss_bytes=None,
        size_bytes=1000,
        n_measured=n_measured,
        measured_at=1.0,
    )


def mix(total: int = 0) -> PhaseMix:
    return PhaseMix(
        basis=MixBasis.LABELS,
        proportions=None,
        counts=dict.fromkeys(PHASES, 0),
        weighted_seconds=None,
        sampled_episodes=total,
        population_episodes=total,
        total_labels=0,
        other_labels=0,
    )


def embedding(x: float = 0.0) -> Embedding:
    return Embedding(
        replay="r",
        episode_id=episode_id(0),
        host_id="lab-a",
        model=model(),
        window=0,
        t_s=5.0,
        x=x,
        y=0.0,
        truth=None,
    )
