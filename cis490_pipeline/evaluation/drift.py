"""Drift: how a host's telemetry differs from that of the training episodes, channel by channel.

No label and no model is asked. A value is the mean of a channel over a whole episode, so that the
values of a sample are independent: windows of an episode are not. Two yardsticks stand beside the
test hosts: id_val (other episodes of the same hosts), and each training host against the others.

A difference between hosts includes that of the profiles that ran on them.

Shape suffixes: E episodes, C channels (46).

Not here: reading the tables (``drift_on_split``), the distances (``metrics.drift``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.permutation import holm
from cis490_pipeline.metrics.drift import LEAST, distance_in_iqr, kolmogorov_smirnov
from cis490_pipeline.schema.channels import CHANNELS

SIGNIFICANT: Final = 0.05
"""Holm's p, over the channels of a host, up to which a channel is called drifted."""


class DriftRole(StrEnum):
    """Whose episodes are held against which."""

    TEST = "test"  # a test host against all training episodes
    ID_VAL = "id_val"  # a host's id_val against all training episodes
    TRAIN = "train"  # a training host against the other training hosts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpisodeTelemetry:
    """One row per episode: its host, the mean of every channel and its share of missing ticks.

    ``mean_EC`` is NaN where the channel has no value in the whole episode.
    """

    host_E: NDArray[np.str_]
    mean_EC: NDArray[np.floating]
    missing_EC: NDArray[np.floating]

    def kept(self, kept_E: NDArray[np.bool_]) -> "EpisodeTelemetry":
        """Return some of the episodes."""
        return EpisodeTelemetry(
            host_E=self.host_E[kept_E],
            mean_EC=self.mean_EC[kept_E],
            missing_EC=self.missing_EC[kept_E],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDrift:
    """One channel of one host; ``reason`` says why a figure is None.

    Attributes
    ----------
    ks, p, p_holm
        Kolmogorov-Smirnov distance of the episodes' means (0 … 1), its p, and Holm's over the
        channels of the host.
    distance_iqr
        Wasserstein-1 distance in interquartile ranges of the reference.
    missing, reference_missing
        Mean share of missing ticks, 0 … 1.
    n_episodes, n_reference
        Episodes with a value.
    """

    channel: str
    ks: float | None
    p: float | None
    p_holm: float | None
    distance_iqr: float | None
    missing: float
    reference_missing: float
    n_episodes: int
    n_reference: int
    reason: str | None

    @property
    def drifted(self) -> bool:
        """Whether chance is no explanation of the distance."""
        return self.p_holm is not None and self.p_holm <= SIGNIFICANT


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDrift:
    """All channels of one host, in channel order; none where ``reason`` says why."""

    host: str
    role: DriftRole
    n_episodes: int
    n_reference: int
    reason: str | None
    channels: tuple[ChannelDrift, ...]


def drift_of(
    train: EpisodeTelemetry, id_val: EpisodeTelemetry, test: EpisodeTelemetry
) -> tuple[HostDrift, ...]:
    """Compare every host of the three sets with the training episodes: test hosts first."""
    found = [
        host_drift(host, role, one.kept(one.host_E == host), train)
        for role, one in ((DriftRole.TEST, test), (DriftRole.ID_VAL, id_val))
        for host in _hosts(one)
    ]
    for host in _hosts(train):
        own_E = train.host_E == host
        found.append(host_drift(host, DriftRole.TRAIN, train.kept(own_E), train.kept(~own_E)))
    return tuple(found)


def _hosts(telemetry: EpisodeTelemetry) -> list[str]:
    return sorted({str(host) for host in telemetry.host_E})


def host_drift(
    host: str, role: DriftRole, own: EpisodeTelemetry, reference: EpisodeTelemetry
) -> HostDrift:
    """Compare the episodes of one host with those of the reference, channel by channel."""
    n_reference = len(reference.host_E)
    reason = None
    if not n_reference:
        only = role is DriftRole.TRAIN
        reason = "the only training host" if only else "there are no training episodes"
    elif not len(own.host_E):
        reason = "there are no episodes of the host to compare"
    channels = () if reason else _channels(own, reference)
    return HostDrift(
        host=host,
        role=role,
        n_episodes=len(own.host_E),
        n_reference=n_reference,
        reason=reason,
        channels=channels,
    )


def _channels(own: EpisodeTelemetry, reference: EpisodeTelemetry) -> tuple[ChannelDrift, ...]:
    samples = [(reference.mean_EC[:, c], own.mean_EC[:, c]) for c in range(len(CHANNELS))]
    tested = [kolmogorov_smirnov(*pair) for pair in samples]
    corrected = iter(holm(tuple(one[1] for one in tested if one is not None)))
    drifts: list[ChannelDrift] = []
    for c, (pair, found) in enumerate(zip(samples, tested, strict=True)):
        n_reference, n_episodes = (int((~np.isnan(values)).sum()) for values in pair)
        distance = distance_in_iqr(*pair)
        drifts.append(
            ChannelDrift(
                channel=CHANNELS[c].column,
                ks=None if found is None else found[0],
                p=None if found is None else found[1],
                p_holm=None if found is None else next(corrected),
                distance_iqr=distance,
                missing=float(own.missing_EC[:, c].mean(dtype=np.float64)),
                reference_missing=float(reference.missing_EC[:, c].mean(dtype=np.float64)),
                n_episodes=n_episodes,
                n_reference=n_reference,
                reason=None if distance is not None else _reason(n_episodes, n_reference),
            )
        )
    return tuple(drifts)


def _reason(n_episodes: int, n_reference: int) -> str:
    """Say why a distance is missing."""
    sizes = (("the host", n_episodes), ("the reference", n_reference))
    short = [f"{n} episodes of {who} have a value" for who, n in sizes if n < LEAST]
    if short:
        return f"{' and '.join(short)}: a distance takes at least {LEAST}"
    return "the middle half of the reference does not vary: there is no unit of distance"


def most_drifted(host: HostDrift, n: int) -> Sequence[ChannelDrift]:
    """Return the channels with the largest distances, ties in channel order."""
    known = [one for one in host.channels if one.ks is not None]
    return sorted(known, key=lambda one: -(one.ks or 0.0))[:n]
