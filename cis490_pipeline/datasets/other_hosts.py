"""The same episodes as another host might have recorded them: augmentation for training.

Shape suffixes: M windows held, E episodes, C visible channels, F statistics (C × S).

What differs between hosts is known without looking at any: the level of a channel (a larger
machine, a busier network) is moved by a factor, and ``netflow`` may be missing altogether (the one
file that an accepted or degraded episode can lack). Phases, order and changes stay.

Not here: who trains on it (the families that have ``host_copies`` or ``moved_share``); scoring
never does.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.in_context import StatisticsInContext
from cis490_pipeline.features.past import signed_log
from cis490_pipeline.schema.channels import CHANNELS, Source
from cis490_pipeline.schema.windows import N_STATS, STATS, Stat

_FACTOR_SD: Final = 0.7
"""Of the logarithm of the factor: two thirds of the channels move by less than 2."""
_SHARE_WITHOUT_NETFLOW: Final = 0.4
_MISSING: Final = STATS.index(Stat.MISSING)
_ROWS_AT_ONCE: Final = 1024


def copies_of(cases: Cases, n_copies: int, seed: int) -> list[Cases]:
    """Return so many copies of the cases, none without a context: a level is all there is then."""
    if cases.in_context is None:
        return []
    return [
        replace(cases, in_context=on_another_host(cases.in_context, one))
        for one in range(seed, seed + n_copies)
    ]


def on_another_host(
    view: StatisticsInContext, seed: int | tuple[int, ...], share: float = 1.0
) -> StatisticsInContext:
    """Return the windows with each episode's channels scaled, and some without netflow.

    Parameters
    ----------
    share
        Of the episodes, drawn by the seed; the others stay as they are.
    """
    generator = np.random.default_rng(seed)
    first_E = np.unique(view.row_N - view.window_N)
    factor_EC = np.exp(generator.normal(0.0, _FACTOR_SD, (first_E.size, len(view.channels))))
    factor_EF = np.repeat(factor_EC.astype(np.float32), N_STATS, axis=1)
    factor_EF[:, _MISSING::N_STATS] = 1.0
    without_E = generator.random(first_E.size) < _SHARE_WITHOUT_NETFLOW
    moved_E = generator.random(first_E.size) < share
    netflow_F = _netflow_columns(view.channels)
    z_MF = view.room((len(view.z_MF), len(netflow_F)))
    episode_M = np.searchsorted(first_E, np.arange(len(z_MF)), side="right") - 1
    for start in range(0, len(z_MF), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(z_MF)))
        z_BF, episode_B = view.z_MF[rows], episode_M[rows]
        moved_B = moved_E[episode_B]
        z_BF[moved_B] = _scaled(z_BF[moved_B], factor_EF[episode_B[moved_B]])
        blind_B = np.flatnonzero(moved_B & without_E[episode_B])
        z_BF[np.ix_(blind_B, np.flatnonzero(netflow_F))] = _blind_statistics(int(netflow_F.sum()))
        z_MF[rows] = z_BF
        for matrix in (view.z_MF, z_MF):
            view.pages.spend(matrix, rows, 1)
    return replace(view, z_MF=z_MF)


def _netflow_columns(channels: tuple[int, ...]) -> NDArray[np.bool_]:
    of_netflow = [CHANNELS[channel].source is Source.NETFLOW for channel in channels]
    return np.repeat(np.array(of_netflow, dtype=np.bool_), N_STATS)


def _scaled(z_BF: NDArray[np.float32], factor_BF: NDArray[np.float32]) -> NDArray[np.float32]:
    return signed_log(np.sign(z_BF) * np.expm1(np.abs(z_BF)) * factor_BF)


def _blind_statistics(n_columns: int) -> NDArray[np.float32]:
    """Return the statistics of channels without a single value: a missing share of 1."""
    z_F = np.full(n_columns, np.nan, dtype=np.float32)
    z_F[_MISSING::N_STATS] = signed_log(np.ones(1, dtype=np.float32))
    return z_F
