"""The interval that speaks about other hosts too: hosts as a second random factor.

Host and episode are the two factors. An episode belongs to one host, so the pigeonhole bootstrap of
crossed factors becomes a nested one: hosts are drawn, then the episodes of each. That counts the
episodes twice (a drawn host brings its own spread), so the interval is right where hosts differ and
too wide where they do not; drawing whole hosts alone is too narrow with six. Samples
are crossed with hosts and stay *fixed*: a profile has one or two, so drawing samples would drop
whole profiles; whether a detector carries over to other samples is what the split ``sample`` asks.

Shape suffixes: E episodes, H hosts, M models, K classes, B resamples.

Not here: the interval over episodes, which is conditional on the hosts (``bootstrap``).
References: Owen 2007 (pigeonhole bootstrap); Davison and Hinkley 1997, section 3.8 (nested data).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    Contrast,
    expanded_level,
    percentile_ends,
)
from cis490_pipeline.evaluation.interval import HostsInterval

FEWEST_HOSTS: Final = 6
"""With fewer, a resample of hosts says next to nothing about other hosts."""
_MOST_ROUNDS: Final = 100
_LEAST_KEPT: Final = 0.5


def interval_across_hosts(
    confusions_EMKK: NDArray[np.int64],
    contrast: Contrast,
    host_E: NDArray[np.int64],
    config: BootstrapConfig,
) -> HostsInterval:
    """Return the interval of a contrast over hosts and over the episodes within them.

    Parameters
    ----------
    host_E
        Index of each episode's host.

    Returns
    -------
    Without ends, and with the reason, where there are fewer than six hosts, or where too few
    resamples keep every class of the contrast.
    """
    n_hosts = np.unique(host_E).size
    if n_hosts < FEWEST_HOSTS:
        return HostsInterval(reason=f"test hosts: {n_hosts}, at least {FEWEST_HOSTS} are needed")
    rng = np.random.default_rng([config.seed, 3])
    value_B, n_redrawn = np.empty(0), -config.n_resamples
    for _ in range(_MOST_ROUNDS):
        n_left = config.n_resamples - value_B.size
        if n_left == 0:
            break
        n_redrawn += n_left
        drawn_BMKK = _draw(rng, n_left, confusions_EMKK, host_E)
        value = contrast.values(drawn_BMKK)
        value_B = np.concatenate([value_B, value[~np.isnan(value)]])
    if value_B.size < _LEAST_KEPT * config.n_resamples:
        return HostsInterval(reason="too few resamples of hosts keep every class")
    low, high = percentile_ends(value_B, expanded_level(config.level, n_hosts))
    return HostsInterval(low=low, high=high, n_resamples=value_B.size, n_redrawn=n_redrawn)


def _draw(
    rng: np.random.Generator,
    n_draws: int,
    confusions_EMKK: NDArray[np.int64],
    host_E: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Draw hosts with replacement, then each drawn host's episodes; add up, ``[B, M, K, K]``."""
    n_hosts = int(host_E.max()) + 1
    times_BH = rng.multinomial(n_hosts, np.full(n_hosts, 1.0 / n_hosts), size=n_draws)
    total_BX = np.zeros((n_draws, confusions_EMKK[0].size))
    for host in range(n_hosts):
        of_host_EX = confusions_EMKK[host_E == host].reshape(-1, total_BX.shape[1])
        n_episodes = of_host_EX.shape[0]
        shares = np.full(n_episodes, 1.0 / n_episodes)
        total_BX += rng.multinomial(times_BH[:, host] * n_episodes, shares) @ of_host_EX
    return total_BX.reshape(n_draws, *confusions_EMKK.shape[1:])
