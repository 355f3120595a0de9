"""A plane in which windows can be drawn: two axes through the statistics of the training windows.

The same for every family of a mode: it shows how windows lie, not what a model makes of them.
Statistics are taken on the signed logarithm, relative to the median of the training windows in
units of their interquartile range, and bounded; what is missing adds nothing to a position, as if
it were the median, and where every statistic is missing there is no position.

Not here: fitting it (``training.projection``), drawing (``live``).
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.header import header_refusal
from cis490_pipeline.features.past import signed_log

PROJECTION_FILE: Final = "projection.json"
FORMAT: Final = "cis490.projection"
VERSION: Final = 1
BOUND: Final = 3.0
"""Interquartile ranges from the median beyond which a statistic is no farther away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Two axes.

    Attributes
    ----------
    centre, scale
        Median and interquartile range of each statistic, channel-major, on the signed logarithm;
        a scale of 0 leaves the statistic out (it does not vary, or never has a value).
    axes
        Two unit vectors.
    explained
        Share of the variance along each, 0 … 1.
    n_windows
        Training windows that it was fitted on.
    """

    format: str = FORMAT
    version: int = VERSION
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    axes: tuple[tuple[float, ...], tuple[float, ...]]
    explained: tuple[float, float]
    n_windows: int

    def place(self, statistics_F: NDArray[np.float32]) -> tuple[float, float] | None:
        """Return where a window lies; None where none of its statistics has a value."""
        z_F = standardised(statistics_F, np.array(self.centre), np.array(self.scale))
        if np.isnan(z_F).all():
            return None
        x, y = np.array(self.axes) @ np.nan_to_num(z_F, nan=0.0)
        return float(x), float(y)


def standardised(
    statistics_BF: NDArray[np.float32],
    centre_F: NDArray[np.float64],
    scale_F: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return bounded distances from the centre; NaN where missing, or where the scale is 0."""
    away_BF = signed_log(statistics_BF).astype(np.float64) - centre_F
    z_BF = np.divide(away_BF, scale_F, out=np.full_like(away_BF, np.nan), where=scale_F > 0)
    return np.clip(z_BF, -BOUND, BOUND)


def encode_projection(projection: Projection) -> bytes:
    """Return the file of a bundle."""
    return msgspec.json.encode(projection)


def decode_projection(data: bytes, *, n_statistics: int, where: str) -> Projection:
    """Read the file of a bundle.

    Raises
    ------
    BundleError
        Where it is not what this version writes for so many statistics.
    """
    try:
        found = msgspec.json.decode(data, type=Projection)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise header_refusal("projection is damaged", where, found=str(error)) from error
    lengths = {len(one) for one in (found.centre, found.scale, *found.axes)}
    if (found.format, found.version) != (FORMAT, VERSION) or lengths != {n_statistics}:
        raise header_refusal(
            "projection of another form",
            where,
            expected=f"{FORMAT} {VERSION} of {n_statistics} statistics",
            found=f"{found.format[:40]} {found.version} of {sorted(lengths)}",
        )
    numbers = np.array([found.centre, found.scale, *found.axes])
    if not np.isfinite(numbers).all() or min(found.scale, default=0.0) < 0:
        raise header_refusal("projection with impossible numbers", where)
    return found
