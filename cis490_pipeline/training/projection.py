"""Fitting the plane in which windows are drawn: principal components of training windows.

Shape suffixes: B windows, F statistics.

Not here: using it (``edge.projection``).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.window_rows import WindowRows, is_one_of, statistics_of
from cis490_pipeline.edge.projection import Projection, standardised
from cis490_pipeline.features.past import signed_log
from cis490_pipeline.schema.channels import Mode, visible_channels
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import N_STATS
from cis490_pipeline.warehouse.warehouse import Warehouse

MOST_WINDOWS: Final = 20_000
"""Drawn evenly from all: a median and two axes gain nothing from more."""
_KEYS: Final = ("episode_id", "window", "sha256")


def fit_projection(
    warehouse: Warehouse, members: Sequence[Member], mode: Mode
) -> Projection | None:
    """Fit it on the windows of these members; None for a mode without channels, or too little.

    Raises
    ------
    WarehouseError
        Where the tables no longer hold what the set names.
    """
    if not visible_channels(mode):
        return None
    keys: pa.Table = warehouse.tables.read(
        Table.WINDOW_FEATURES, columns=_KEYS, where=is_one_of(members)
    ).sort_by([("episode_id", "ascending"), ("window", "ascending")])
    rows = WindowRows.of(keys, members)
    step = max(1, -(-rows.n_rows // MOST_WINDOWS))
    drawn_BF = np.full(
        (-(-rows.n_rows // step), len(visible_channels(mode)) * N_STATS), np.nan, dtype=np.float32
    )
    for position_B, x_BF in statistics_of(warehouse, rows, mode):
        kept = position_B % step == 0
        drawn_BF[position_B[kept] // step] = x_BF[kept]
    return projection_of(drawn_BF)


def projection_of(statistics_BF: NDArray[np.float32]) -> Projection | None:
    """Return the first two principal components; None where fewer than two things vary."""
    centre_F, scale_F = _centre_and_scale(signed_log(statistics_BF).astype(np.float64))
    z_BF = np.nan_to_num(standardised(statistics_BF, centre_F, scale_F), nan=0.0)
    if len(z_BF) < 3 or (z_BF.std(axis=0) > 0).sum() < 2:
        return None
    covariance_FF = np.cov(z_BF, rowvar=False)
    value_F, vector_FF = np.linalg.eigh(covariance_FF)  # ascending
    axes = [_turned(vector_FF[:, -1]), _turned(vector_FF[:, -2])]
    total = float(value_F.clip(min=0).sum())
    return Projection(
        centre=_rounded(centre_F),
        scale=_rounded(scale_F),
        axes=(_rounded(axes[0]), _rounded(axes[1])),
        explained=(float(value_F[-1]) / total, float(max(0.0, value_F[-2])) / total),
        n_windows=len(z_BF),
    )


def _centre_and_scale(
    own_BF: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return median and interquartile range; 0 and 0 where a statistic never has a value."""
    centre_F, scale_F = np.zeros(own_BF.shape[1]), np.zeros(own_BF.shape[1])
    known_F = ~np.isnan(own_BF).all(axis=0)
    low, middle, high = np.nanquantile(own_BF[:, known_F], [0.25, 0.5, 0.75], axis=0)
    centre_F[known_F], scale_F[known_F] = middle, high - low
    return centre_F, scale_F


def _turned(axis_F: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the axis with its largest part positive: a component has no sign of its own."""
    return axis_F if axis_F[np.abs(axis_F).argmax()] > 0 else -axis_F


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{value:.7g}") for value in values)
