"""The events: one frozen class a topic, and which topics are state.

A *stream* event is something that happened: each one counts, and each one is delivered in order. A
*state* event says how something is: only the newest of its key counts, so a slow listener is spared
the older ones and a new one is told the newest first.

Absent is null, with a reason where there is a field for it; never 0. A writer sends every field; a
reader passes over the fields that it does not know, so that a newer producer can talk to an older
hub. Other changes raise ``SCHEMA_VERSION``.

Not here: how events travel (``wire``), the generated contract (``contract``).
Source: design, section *Live*.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from cis490_pipeline.live.event_parts import (
    Count,
    DriftedChannel,
    EpisodeName,
    Figure,
    HostEpisodes,
    MixBasis,
    ModelName,
    Name,
    PhaseShares,
    ProfileResult,
    Prose,
    ReceivedEpisode,
    ReportedAlert,
    Seconds,
    Sha256,
)
from cis490_pipeline.schema.phases import Phase

SCHEMA_VERSION: Final = 1
RECENT_EPISODES: Final = 200
RECENT_ALERTS: Final = 100
ARRIVAL_MINUTES: Final = 60


class Topic(StrEnum):
    """What an event is about."""

    EPISODE = "episode"
    ALERT = "alert"
    SNAPSHOT = "snapshot"
    PHASE_MIX = "phase_mix"
    PHASE = "phase"
    PREDICTION = "prediction"
    EMBEDDING = "embedding"
    MODEL_METRIC = "model_metric"
    MODEL_PERF = "model_perf"
    PROFILE = "profile"
    SHADOW = "shadow"


STATE_TOPICS: Final = frozenset(
    {
        Topic.SNAPSHOT,
        Topic.PHASE_MIX,
        Topic.MODEL_METRIC,
        Topic.MODEL_PERF,
        Topic.PROFILE,
        Topic.SHADOW,
    }
)
PUBLISHABLE: Final = frozenset(
    {
        Topic.PHASE,
        Topic.PREDICTION,
        Topic.EMBEDDING,
        Topic.MODEL_METRIC,
        Topic.MODEL_PERF,
        Topic.PROFILE,
    }
)
"""What producers may send. The others are made from what is on disk: were they taken from others
too, the totals could be told anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode(ReceivedEpisode):
    """An episode arrived, or arrived again with other bytes. The totals are those after it."""

    topic: ClassVar[Topic] = Topic.EPISODE

    moved_from: Annotated[
        HostEpisodes | None, Meta(description="The host that had it before; null otherwise.")
    ]
    host_episodes: Annotated[Count, Meta(description="Of that host.")]
    total_episodes: Count
    total_bytes: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(ReportedAlert):
    """A new alert; one whose key was seen before is none. The total is that after it."""

    topic: ClassVar[Topic] = Topic.ALERT

    total_alerts: Annotated[Count, Meta(description="Different keys.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How the store is, by what is on disk. The totals are those of the events before it."""

    topic: ClassVar[Topic] = Topic.SNAPSHOT

    total_episodes: Count
    total_alerts: Annotated[Count, Meta(description="Different keys.")]
    total_bytes: Annotated[Count, Meta(description="Of the tarballs.")]
    host_counts: Annotated[dict[str, Count], Meta(description="Host to number of episodes.")]
    host_bytes: Annotated[dict[str, Count], Meta(description="Host to bytes of tarballs.")]
    recent_episodes: Annotated[
        tuple[ReceivedEpisode, ...], Meta(description="The last 200 received, newest first.")
    ]
    recent_alerts: Annotated[
        tuple[ReportedAlert, ...], Meta(description="The last 100 in the file, newest first.")
    ]
    arrivals: Annotated[
        tuple[Count, ...],
        Meta(description="Episodes received in each of the last 60 minutes, the oldest first."),
    ]
    index_damage: Annotated[Count, Meta(description="Lines of the index that are not whole rows.")]
    bytes_behind: Annotated[Count, Meta(description="Bytes of the index that are not read yet.")]

    @property
    def state_key(self) -> tuple[str, ...]:
        """There is one."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseMix:
    """How the recorded time divides into phases; canonical phases only in the denominator."""

    topic: ClassVar[Topic] = Topic.PHASE_MIX

    basis: Annotated[
        MixBasis, Meta(description="Seconds where durations are known, else numbers of labels.")
    ]
    proportions: Annotated[
        PhaseShares | None, Meta(description="By the basis; null where there is nothing to divide.")
    ]
    counts: Annotated[dict[Phase, Count], Meta(description="Labels of each phase.")]
    weighted_seconds: Annotated[
        dict[Phase, Seconds] | None, Meta(description="Null where no durations are known.")
    ]
    sampled_episodes: Annotated[Count, Meta(description="Episodes that are counted here.")]
    population_episodes: Annotated[Count, Meta(description="Episodes that were received.")]
    total_labels: Annotated[Count, Meta(description="Sum of the counts.")]
    other_labels: Annotated[
        Count, Meta(description="Labels that are no phase (failed), in no other figure.")
    ]

    @property
    def state_key(self) -> tuple[str, ...]:
        """There is one."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePhase:
    """The phase that was in force in a replayed episode from this moment on."""

    topic: ClassVar[Topic] = Topic.PHASE

    replay: Annotated[Name, Meta(description="Which replay: the same name belongs together.")]
    episode_id: EpisodeName
    host_id: Name
    t_s: Annotated[float, Meta(description="Seconds since the episode's first label.")]
    phase: Annotated[Phase | None, Meta(description="Null where the label is no phase (failed).")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of a window of a replayed episode, sent at the window's end."""

    topic: ClassVar[Topic] = Topic.PREDICTION

    replay: Annotated[Name, Meta(description="Which replay: the same name belongs together.")]
    episode_id: EpisodeName
    host_id: Name
    model: ModelName
    window: Count
    t_s: Annotated[
        float, Meta(description="The window's centre, seconds since the episode's first label.")
    ]
    verdict_s: Annotated[
        float, Meta(description="The window's end: a device could not know it earlier.")
    ]
    truth: Annotated[Phase | None, Meta(description="Null where the label is no phase (failed).")]
    predicted: Phase
    probabilities: PhaseShares
    alarm: Annotated[bool, Meta(description="The alarm rings at the window's end.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """Where a window of a replayed episode lies in the projection of the training windows."""

    topic: ClassVar[Topic] = Topic.EMBEDDING

    replay: Annotated[Name, Meta(description="Which replay: the same name belongs together.")]
    episode_id: EpisodeName
    host_id: Name
    model: ModelName
    window: Count
    t_s: Annotated[
        float, Meta(description="The window's centre, seconds since the episode's first label.")
    ]
    x: float
    y: float
    truth: Annotated[Phase | None, Meta(description="Null where the label is no phase (failed).")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMetric:
    """A model's results on its split's test set; one that was not fitted has no figures."""

    topic: ClassVar[Topic] = Topic.MODEL_METRIC

    model: ModelName
    role: Annotated[Name, Meta(description="baseline, control, simple or deep.")]
    bundle: Annotated[Sha256 | None, Meta(description="Null where it was not fitted.")]
    figures: Annotated[tuple[Figure, ...], Meta(max_length=100)]
    reason: Annotated[Prose | None, Meta(description="Why there are no figures; null where some.")]
    condition: Annotated[Prose | None, Meta(description="What the intervals do not speak about.")]
    n_hosts: Annotated[Count, Meta(description="Of the test set; 0 where there is none.")]
    n_samples: Count
    n_episodes: Count
    n_windows: Count

    @property
    def state_key(self) -> tuple[str, ...]:
        """Each model has its own."""
        return self.model.key


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPerf:
    """What a model costs on a machine, measured there."""

    topic: ClassVar[Topic] = Topic.MODEL_PERF

    model: ModelName
    bundle: Sha256
    machine: Annotated[Name, Meta(description="Where it was measured.")]
    latency_p50_ms: Annotated[Seconds | None, Meta(description="Of one window.")]
    latency_p95_ms: Annotated[Seconds | None, Meta(description="Of one window.")]
    rss_bytes: Annotated[Count | None, Meta(description="Peak of the process.")]
    size_bytes: Annotated[Count, Meta(description="Of the bundle's files.")]
    n_measured: Annotated[Count, Meta(description="Windows that were timed.")]
    measured_at: Annotated[float, Meta(description="Unix seconds.")]

    @property
    def state_key(self) -> tuple[str, ...]:
        """Each model has its own on each machine."""
        return *self.model.key, self.machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A model's results by profile; untested ones are there, and are null."""

    topic: ClassVar[Topic] = Topic.PROFILE

    model: ModelName
    bundle: Sha256
    profiles: Annotated[tuple[ProfileResult, ...], Meta(max_length=200)]

    @property
    def state_key(self) -> tuple[str, ...]:
        """Each model has its own."""
        return self.model.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """What the model of split deploy says of a host's episodes that it was not fitted on."""

    topic: ClassVar[Topic] = Topic.SHADOW

    host_id: Name
    model: ModelName
    bundle: Sha256
    n_episodes: Count
    n_windows: Annotated[Count, Meta(description="With a label.")]
    n_right: Annotated[Count, Meta(description="Windows among them that were called right.")]
    n_alarms: Annotated[Count | None, Meta(description="Null where the model has no alarm.")]
    n_false_alarms: Annotated[
        Count | None, Meta(description="Raised before onset in a clean window.")
    ]
    figures: Annotated[
        tuple[Figure, ...],
        Meta(
            description="alarms_per_host_hour, false_alarms_per_host_hour, detected_share.",
            max_length=100,
        ),
    ]
    last_received_at: Annotated[float | None, Meta(description="Unix seconds.")]
    n_recent: Annotated[Count, Meta(description="Last arrivals that drift is measured on.")]
    n_compared: Annotated[Count, Meta(description="Channels that could be compared.")]
    n_drifted: Annotated[Count, Meta(description="Channels beyond chance.")]
    drift: Annotated[
        tuple[DriftedChannel, ...], Meta(description="The farthest, at most ten.", max_length=10)
    ]
    drift_reason: Annotated[
        Prose | None, Meta(description="Why no channel was compared; null where some was.")
    ]

    @property
    def state_key(self) -> tuple[str, ...]:
        """Each host has its own."""
        return (self.host_id,)


StreamEvent = Episode | Alert | TruePhase | Prediction | Embedding
StateEvent = Snapshot | PhaseMix | ModelMetric | ModelPerf | Profile | Shadow
Event = StreamEvent | StateEvent

EVENT_TYPES: Final[dict[Topic, type[Event]]] = {
    one.topic: one
    for one in (
        Episode,
        Alert,
        Snapshot,
        PhaseMix,
        TruePhase,
        Prediction,
        Embedding,
        ModelMetric,
        ModelPerf,
        Profile,
        Shadow,
    )
}


def state_key_of(event: Event) -> tuple[str, ...] | None:
    """Return what a newer event must have in common with it to take its place; None of a stream."""
    return (event.topic.value, *event.state_key) if isinstance(event, StateEvent) else None
