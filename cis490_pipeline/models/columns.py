"""Window statistics as finite numbers for the families that compute with plain arrays.

Shape suffixes: N cases, F summary columns, D features.

Scaled by constants fitted on train (``scaling``), zero where missing; muted columns are left out.
Not here: networks, which scale in a layer of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.classifier import Inputs
from cis490_pipeline.models.scaling import Scaling, fit_scaling, scaled_columns
from cis490_pipeline.models.tensor_weights import Arrays, refusal, require_sizes
from cis490_pipeline.models.views import channel_view

_NAMES: Final = ("scaling.unit", "scaling.center", "scaling.gain")
SCALING_ARRAYS: Final = dict.fromkeys(_NAMES, ("float32", 1))
"""What ``scaling_from_arrays`` needs of a weights file."""
_CASES_AT_ONCE: Final = 2_048


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Scaled values ``z_ND`` (float64, 0 where missing) and which are present (float64, 1 or 0)."""

    z_ND: NDArray[np.float64]
    present_ND: NDArray[np.float64]

    def take(self, index_N: NDArray[np.int64]) -> "Columns":
        """Return some of the cases."""
        return Columns(z_ND=self.z_ND[index_N], present_ND=self.present_ND[index_N])


def fit_columns(cases: Cases) -> Scaling:
    """Return the scaling of the summary columns, fitted on the train slice."""
    return fit_scaling(channel_view(cases, Inputs.SUMMARY), cases.n_cases)


def columns_of(cases: Cases, scaling: Scaling, index_N: NDArray[np.int64] | None = None) -> Columns:
    """Return the columns that move on train, of all cases or of some of them."""
    index_N = np.arange(cases.n_cases) if index_N is None else index_N
    view, moving = channel_view(cases, Inputs.SUMMARY), scaling.gain_C > 0
    z_ND = np.empty((index_N.size, int(moving.sum())))
    present_ND = np.empty_like(z_ND)
    for part in parts_of(index_N.size):
        scaled_BF = scaled_columns(view.gather(index_N[part])[:, :, 0], scaling)[:, moving]
        present_ND[part] = np.isfinite(scaled_BF)
        z_ND[part] = np.where(present_ND[part] > 0, scaled_BF, 0.0)
    return Columns(z_ND=z_ND, present_ND=present_ND)


def parts_of(n_cases: int) -> Iterator[slice]:
    """Yield slices of a set, small enough for a dozen copies of their columns."""
    for start in range(0, n_cases, _CASES_AT_ONCE):
        yield slice(start, min(start + _CASES_AT_ONCE, n_cases))


def scaling_arrays(scaling: Scaling) -> dict[str, NDArray[np.generic]]:
    """Return the constants under the names of ``SCALING_ARRAYS``."""
    constants = (scaling.unit_C, scaling.center_C, scaling.gain_C)
    return dict(zip(_NAMES, constants, strict=True))


def scaling_from_arrays(arrays: Arrays, n_columns: int) -> Scaling:
    """Return the constants of a weights file.

    Raises
    ------
    BundleError
        Where they are those of another number of columns, or impossible.
    """
    require_sizes(arrays, dict.fromkeys(_NAMES, (n_columns,)))
    unit, center, gain = (arrays[name].astype(np.float32) for name in _NAMES)
    if bool((unit < 0).any() or (gain < 0).any()):
        raise refusal("the scaling has negative units or gains")
    return Scaling(unit_C=unit, center_C=center, gain_C=gain)
