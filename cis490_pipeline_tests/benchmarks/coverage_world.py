"""A made-up world of episodes whose true macro F1 is known, for judging intervals and tests.

An episode has 30 windows of 10 s, one every 5 s, and passes through the phases in order; one in ten
is a control (``clean`` throughout), one in ten never gets ``dormant``. A window's score of a class
is an episode's own leaning to that class (standard deviation 1.5), plus noise that neighbours share
because they overlap by half, plus a separation where the class is the true one. The largest score
is the prediction. Hosts differ in the separation, and so do trainings of one model from another
seed, which have half of the episodes' leanings in common: what is hard is hard for all of them.

Shape suffixes: E episodes, W windows, K classes, M models, S seeds.

Not here: intervals (``coverage``). No figure of this world says anything about real data.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline.schema.phases import N_PHASES

_BLOCK = 10_000
_NODES = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What episodes are like; standard deviations are in units of one window's noise."""

    n_windows: int = 30
    separation: float = 1.6
    episode_sd: float = 1.5
    host_sd: float = 0.0
    seed_sd: float = 0.0
    shared: float = 0.0

    def truth(self, rng: np.random.Generator, n_episodes: int) -> NDArray[np.int64]:
        """Draw the phase of each window, ``[E, W]``."""
        change_EP = np.sort(rng.random((n_episodes, N_PHASES - 1)), axis=1)
        when_W = (np.arange(self.n_windows) + 0.5) / self.n_windows
        phase_EW = (when_W[None, :, None] > change_EP[:, None, :]).sum(axis=-1)
        kind_E = rng.random(n_episodes)
        last_E = np.select([kind_E < 0.1, kind_E < 0.2], [0, N_PHASES - 2], N_PHASES - 1)
        return np.minimum(phase_EW, last_E[:, None])

    def predicted(
        self,
        rng: np.random.Generator,
        truth_EW: NDArray[np.int64],
        separation_E: NDArray,
        common_EK: NDArray[np.float64] | None = None,
    ) -> NDArray[np.int64]:
        """Draw what one model says of each window, ``[E, W]``."""
        n_episodes, n_windows = truth_EW.shape
        half = rng.normal(size=(n_episodes, n_windows + 1, N_PHASES))
        score_EWK = (half[:, 1:] + half[:, :-1]) / np.sqrt(2.0)
        own_sd = self.episode_sd * np.sqrt(1.0 if common_EK is None else 1.0 - self.shared)
        score_EWK += rng.normal(0.0, own_sd, (n_episodes, 1, N_PHASES))
        if common_EK is not None:
            score_EWK += common_EK[:, None]
        own_EW1 = np.take_along_axis(score_EWK, truth_EW[..., None], axis=-1)
        raised_EW1 = own_EW1 + separation_E[:, None, None]
        np.put_along_axis(score_EWK, truth_EW[..., None], raised_EW1, axis=-1)
        return score_EWK.argmax(axis=-1)

    def episodes(
        self,
        rng: np.random.Generator,
        n_episodes: int,
        *,
        gains: tuple[float, ...] = (0.0,),
        host_E: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int64]:
        """Draw a test set: one confusion matrix per episode and model, ``[E, M, K, K]``.

        ``gains`` adds to the separation of each model; equal gains make equal models.
        """
        of_host = rng.normal(0.0, self.host_sd, 1 if host_E is None else int(host_E.max()) + 1)
        host_E = np.zeros(n_episodes, dtype=np.int64) if host_E is None else host_E
        truth_EW = self.truth(rng, n_episodes)
        counts = [
            _confusions(
                truth_EW, self.predicted(rng, truth_EW, self.separation + gain + of_host[host_E])
            )
            for gain in gains
        ]
        return np.stack(counts, axis=1)

    def trainings(
        self, rng: np.random.Generator, n_episodes: int, n_seeds: int
    ) -> NDArray[np.int64]:
        """Draw a test set as one model says it from several seeds, ``[E, S, K, K]``."""
        truth_EW = self.truth(rng, n_episodes)
        common_sd = self.episode_sd * np.sqrt(self.shared)
        common_EK = rng.normal(0.0, common_sd, (n_episodes, N_PHASES))
        counts = [
            _confusions(
                truth_EW,
                self.predicted(rng, truth_EW, np.full(n_episodes, separation), common_EK),
            )
            for separation in rng.normal(self.separation, self.seed_sd, n_seeds)
        ]
        return np.stack(counts, axis=1)

    def macro_f1_of_trainings(self, rng: np.random.Generator, n_episodes: int) -> float:
        """Return the mean macro F1 of a training over all seeds, by Gauss and Hermite."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        values = [
            replace(self, separation=self.separation + self.seed_sd * node).macro_f1(
                rng, n_episodes // _NODES
            )
            for node in nodes.tolist()
        ]
        return float(np.average(values, weights=weights))

    def macro_f1(self, rng: np.random.Generator, n_episodes: int, *, per_host: int = 1) -> float:
        """Return the macro F1 of the whole world, from so many episodes."""
        total = np.zeros((N_PHASES, N_PHASES), dtype=np.int64)
        for start in range(0, n_episodes, _BLOCK):
            n_block = min(_BLOCK, n_episodes - start)
            host_E = np.arange(n_block) // per_host
            total += self.episodes(rng, n_block, host_E=host_E)[:, 0].sum(axis=0)
        value = macro_f1(total)
        assert value is not None
        return value


def _confusions(truth_EW: NDArray[np.int64], said_EW: NDArray[np.int64]) -> NDArray[np.int64]:
    n_episodes, n_windows = truth_EW.shape
    cluster_N = np.repeat(np.arange(n_episodes), n_windows)
    return cluster_confusions(truth_EW.ravel(), said_EW.ravel(), cluster_N, n_episodes, N_PHASES)
