"""How well a simple model tells hosts apart from single windows: informative, never a gate.

Where it is nearly perfect, a model can learn the host instead of the phase wherever hosts differ in
what they ran. It is no proof that one did.

Shape suffixes: N windows, F features, E episodes, H hosts.

Not here: which windows (``shift``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.interval import Interval, SampleSize, condition_on
from cis490_pipeline.metrics.chance import chance_macro_f1
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.models.columns import columns_of, fit_columns
from cis490_pipeline.models.ridge import Ridge
from cis490_pipeline.models.subsample import subsample

_FOLDS: Final = 5
_FEWEST_EPISODES: Final = 2 * _FOLDS
_MOST_WINDOWS: Final = 2_000
_PENALTY: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProbe:
    """Macro F1 over hosts of a ridge classifier on episodes that it was not fitted on.

    ``chance`` is that of its answers dealt out at random. None with a ``reason`` where there is
    nothing to tell apart.
    """

    hosts: tuple[str, ...]
    macro_f1: Interval | None
    chance: float | None
    reason: str | None


def probe_hosts(cases: Cases, host_N: NDArray[np.str_], config: BootstrapConfig) -> HostProbe:
    """Fit and test a ridge classifier of hosts, in five folds over episodes.

    Parameters
    ----------
    cases
        Windows of all hosts, with their statistics; labels are not looked at.
    """
    hosts = np.unique(host_N)
    names = tuple(str(host) for host in hosts)
    n_episodes = int(np.unique(cases.cluster_N).size)
    if len(hosts) < 2:
        return _none(names, f"one host: {', '.join(names) or 'none'}")
    if n_episodes < _FEWEST_EPISODES:
        return _none(names, f"{n_episodes} episodes are too few for {_FOLDS} folds")
    code_N = np.searchsorted(hosts, host_N).astype(np.int64)
    kept = subsample(code_N, _MOST_WINDOWS, seed=config.seed)
    episode_E, cluster_N = np.unique(cases.cluster_N[kept], return_inverse=True)
    columns = columns_of(cases, fit_columns(cases), kept)
    said_N = _said(columns.z_ND, code_N[kept], _fold_of(cluster_N, code_N[kept]), len(hosts))
    confusions_EHH = cluster_confusions(
        code_N[kept], said_N, cluster_N.astype(np.int64), len(episode_E), len(hosts)
    )
    size = SampleSize(
        n_hosts=len(hosts),
        n_samples=0,
        n_episodes=len(episode_E),
        n_windows=int(kept.size),
        condition=condition_on(names),
    )
    return HostProbe(
        hosts=names,
        macro_f1=macro_f1_interval(confusions_EHH, config=config, size=size),
        chance=chance_macro_f1(confusions_EHH.sum(axis=0)),
        reason=None,
    )


def _none(hosts: tuple[str, ...], reason: str) -> HostProbe:
    return HostProbe(hosts=hosts, macro_f1=None, chance=None, reason=reason)


def _fold_of(cluster_N: NDArray[np.int64], host_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Deal episodes out in turn, host by host: every fold has all hosts that have enough."""
    first_E = np.unique(cluster_N, return_index=True)[1]
    fold_E = np.empty(first_E.size, dtype=np.int64)
    fold_E[np.argsort(host_N[first_E], kind="stable")] = np.arange(first_E.size) % _FOLDS
    return fold_E[cluster_N]


def _said(
    z_ND: NDArray[np.float64], host_N: NDArray[np.int64], fold_N: NDArray[np.int64], n_hosts: int
) -> NDArray[np.int64]:
    said_N = np.empty_like(host_N)
    for fold in range(_FOLDS):
        out_N = fold_N == fold
        fitted = Ridge.of(z_ND[~out_N].astype(np.float32), host_N[~out_N], n_hosts)
        coefficient_DH, intercept_H = fitted.solve(_PENALTY)
        said_N[out_N] = (z_ND[out_N] @ coefficient_DH + intercept_H).argmax(axis=1)
    return said_N
