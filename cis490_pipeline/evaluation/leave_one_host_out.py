"""The leave-one-host-out view of a store: every ``host=<h>`` split of a configuration side by side.

Each fold is a model of its own, fitted without the host that it is tested on. The points of the
hosts come first; their mean and the figure on the pooled episodes are summaries of those hosts, and
the folds are not independent of each other.

Shape suffixes: E episodes, K classes.

Not here: which folds there are and their predictions on disk (``reporting.publish_folds``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.interval import Interval, SampleSize, condition_on
from cis490_pipeline.evaluation.keys import FamilyRole, ModelKey
from cis490_pipeline.evaluation.predictions import Predictions

_FEWEST_FOLDS: Final = 3
"""Below that there is no speaking of devices in general, however narrow the intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPoint:
    """One fold: the host that was left out, and macro F1 on it; ``phases`` have support there."""

    host: str
    macro_f1: Interval
    n_phases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledModel:
    """A configuration over all hosts that it was tested on.

    Attributes
    ----------
    hosts
        By name; ``lowest`` is the worst of them.
    mean
        Of the hosts' points, each weighing the same; None unless every host of the store has one.
    pooled
        Macro F1 on the episodes of all folds together. Its interval resamples episodes and holds
        the hosts and the models fixed.
    missing
        Hosts of the store without a current evaluation of this configuration.
    """

    key: ModelKey
    role: FamilyRole
    hosts: tuple[HostPoint, ...]
    lowest: HostPoint | None
    mean: float | None
    pooled: Interval
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOneHostOut:
    """All configurations; ``cautions`` are sentences for people."""

    format: str = "cis490.leave-one-host-out"
    version: int = 1
    hosts: tuple[str, ...]
    models: tuple[PooledModel, ...]
    cautions: tuple[str, ...]
    bootstrap: BootstrapConfig


def leave_one_host_out(
    hosts: Sequence[str],
    folds: Mapping[str, Mapping[ModelKey, Predictions]],
    config: BootstrapConfig,
) -> LeaveOneHostOut:
    """Put the folds of a store together.

    Parameters
    ----------
    hosts
        Every host of the store.
    folds
        Host → what the models of ``host=<h>`` said about its episodes; hosts may be absent.
    """
    known = tuple(sorted(hosts))
    keys = sorted({key for models in folds.values() for key in models})
    return LeaveOneHostOut(
        hosts=known,
        models=tuple(
            _pooled(
                key, {h: folds[h][key] for h in sorted(folds) if key in folds[h]}, known, config
            )
            for key in keys
        ),
        cautions=_cautions(known, sorted(folds)),
        bootstrap=config,
    )


def _pooled(
    key: ModelKey,
    found: Mapping[str, Predictions],
    hosts: Sequence[str],
    config: BootstrapConfig,
) -> PooledModel:
    points = tuple(_point(host, one, config) for host, one in found.items())
    scores = [one.macro_f1.point for one in points if one.macro_f1.point is not None]
    missing = tuple(host for host in hosts if host not in found)
    complete = not missing and len(scores) == len(points)
    return PooledModel(
        key=key,
        role=key.role,
        hosts=points,
        lowest=min(
            (one for one in points if one.macro_f1.point is not None),
            key=lambda one: one.macro_f1.point or 0.0,
            default=None,
        ),
        mean=float(np.mean(scores)) if complete and scores else None,
        pooled=macro_f1_interval(
            np.concatenate([one.confusions() for one in found.values()]),
            config=config,
            size=_size_of(found),
        ),
        missing=missing,
    )


def _point(host: str, found: Predictions, config: BootstrapConfig) -> HostPoint:
    confusions_EKK = found.confusions()
    return HostPoint(
        host=host,
        macro_f1=macro_f1_interval(confusions_EKK, config=config, size=found.size()),
        n_phases=int((confusions_EKK.sum(axis=(0, 2)) > 0).sum()),
    )


def _size_of(found: Mapping[str, Predictions]) -> SampleSize:
    episodes = [one for predictions in found.values() for one in predictions.episodes]
    return SampleSize(
        n_hosts=len(found),
        n_samples=len({one.sample_name for one in episodes if one.sample_name}),
        n_episodes=len(episodes),
        n_windows=sum(int(one.y_true_N.size) for one in found.values()),
        condition=condition_on(tuple(found)),
    )


def _cautions(hosts: Sequence[str], tested: Sequence[str]) -> tuple[str, ...]:
    sentences = [
        f"{len(tested)} of {len(hosts)} hosts were left out in turn: with so few, the spread "
        f"between hosts is all there is to say about the next one"
        if len(tested) < _FEWEST_FOLDS
        else f"n = {len(tested)} hosts: the next one may lie outside their range",
        "the folds share training hosts and are not independent: no interval here speaks of hosts "
        "in general, each speaks of the episodes of the hosts that it names",
    ]
    untested = [host for host in hosts if host not in tested]
    if untested:
        sentences.append(f"never left out: {', '.join(untested)}")
    return tuple(sentences)
