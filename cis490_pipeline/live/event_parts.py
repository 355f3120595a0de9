"""What events are made of: names, figures, and facts that several events share.

Not here: the events (``events``).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

# 2^53 - 1: a browser counts exactly up to here.
Count = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Prose = Annotated[str, Meta(max_length=2000)]
EpisodeName = Annotated[str, Meta(pattern="^[0-9A-HJKMNP-TV-Z]{26}$", max_length=26)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEpisode:
    """An episode as the index has it."""

    episode_id: EpisodeName
    host_id: Name
    sha256: Sha256
    size_bytes: Annotated[Count, Meta(description="Of the tarball.")]
    received_at: Annotated[
        float | None, Meta(description="Unix seconds; null where the index has none of use.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEpisodes:
    """How many episodes a host has."""

    host_id: Name
    episodes: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAlert:
    """An alert for the operators, any text of it as it was written."""

    host_id: Prose
    symptom: Prose
    detail: Prose
    suggested_fix: Prose
    detected_at: Annotated[
        float | None, Meta(description="Unix seconds; null where it is no time.")
    ]
    dedup_key: Annotated[Prose, Meta(description="The same finding has the same key.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseShares:
    """A share for each phase; they sum to 1 up to rounding."""

    clean: Share
    armed: Share
    infecting: Share
    infected_running: Share
    dormant: Share


class MixBasis(StrEnum):
    """What the proportions of a phase mix count."""

    SECONDS = "seconds"
    LABELS = "labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """Which model of which split; the seed is null where none was fitted."""

    split: Name
    family: Name
    mode: Annotated[Name, Meta(description="realistic, oracle or any.")]
    context: Annotated[Name, Meta(description="none, recent or commissioned.")]
    seed: int | None

    @property
    def key(self) -> tuple[str, ...]:
        """Tells models apart."""
        return self.split, self.family, self.mode, self.context, str(self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its interval; what is missing is null, and ``reason`` says why."""

    name: Name
    value: float | None
    low: float | None
    high: float | None
    reason: Prose | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileResult:
    """A model's macro F1 on one profile."""

    profile: Name
    coverage: Annotated[
        Name, Meta(description="tested, unseen (tested, absent from training) or untested.")
    ]
    macro_f1: Figure
    n_episodes: Count
    n_windows: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftedChannel:
    """How far one channel of a host lies from the training episodes."""

    channel: Name
    ks: Annotated[Share, Meta(description="Kolmogorov-Smirnov distance of the episodes' means.")]
    beyond_chance: Annotated[
        bool, Meta(description="Holm's p over the channels of the host is at most 0.05.")
    ]
