"""``elapsed_time``: the phase from the seconds since episode start, and from nothing else.

A negative control: where the lab's schedule is fixed, it beats every model that looks at the
machine, and the report must say so. It is therefore made as strong as the learned models: counts
are class-balanced (a prior-weighted one would answer the most frequent phase almost everywhere and
lose macro F1 for no good reason).

Shape suffixes: N cases, B time bins, K classes.

``p(phase | t)`` is a histogram in bins of one window stride, smoothed over time by a Gaussian
kernel (a schedule with jitter is smooth; 90 episodes leave single bins empty) and by a small
pseudo-count towards the overall class mix. Beyond the longest training time the last bin holds:
nothing was observed there, and an extrapolated trend would be invented.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.probabilities import normalised_rows
from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import (
    NO_CHANNEL_MODES,
    Classifier,
    Counting,
    FamilySpec,
    FitTask,
    HyperParameters,
    Inputs,
    StoredModel,
    narrow,
)
from cis490_pipeline.models.json_weights import (
    WEIGHTS_FILE,
    decode_weights,
    encode_weights,
    require_probabilities,
)

_MOST_BINS: Final = 20_000
"""A day in bins of 5 s and then some; later times share the last bin (bounds the memory)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedTimeHyperParameters(HyperParameters):
    """Histogram over time.

    Attributes
    ----------
    bin_s
        Width of a bin; the default is the stride of the windows.
    bandwidth_s
        Standard deviation of the kernel.
    pseudo_count
        Weight of the overall class mix in every bin, in cases.
    """

    bin_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 5.0
    bandwidth_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 5.0
    pseudo_count: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 1.0


class _Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin_s: float
    p_BK: list[list[float]]


def _bin_of(t_s_N: NDArray[np.float64], bin_s: float, n_bins: int) -> NDArray[np.int64]:
    return np.clip(t_s_N / bin_s, 0, n_bins - 1).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ElapsedTimeClassifier:
    """``p_BK``, the class probabilities of every time bin."""

    bin_s: float
    p_BK: NDArray[np.float64]

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the row of each case's time bin."""
        return self.p_BK[_bin_of(cases.t_center_s_N, self.bin_s, len(self.p_BK))]

    def weights(self) -> dict[str, bytes]:
        """Return the histogram as JSON."""
        return encode_weights(_Weights(bin_s=self.bin_s, p_BK=self.p_BK.tolist()))


def _smoothed(count_BK: NDArray[np.float64], bandwidth_bins: float) -> NDArray[np.float64]:
    """Return the counts blurred over time, each column by the same truncated Gaussian."""
    reach = max(1, int(np.ceil(4 * bandwidth_bins)))
    offset = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offset / bandwidth_bins) ** 2)
    kernel /= kernel.sum()
    columns = [np.convolve(column, kernel)[reach:-reach] for column in count_BK.T]
    return np.stack(columns, axis=1)


def _fit(task: FitTask) -> Classifier:
    chosen = narrow(task.hyper_parameters, ElapsedTimeHyperParameters)
    train = task.train
    n_bins = int(np.clip(train.t_center_s_N.max() / chosen.bin_s, 0, _MOST_BINS - 1)) + 1
    count_BK = np.zeros((n_bins, task.shape.n_classes))
    bin_N = _bin_of(train.t_center_s_N, chosen.bin_s, n_bins)
    np.add.at(count_BK, (bin_N, train.y_N), task.class_weight_K[train.y_N])
    mix_K = count_BK.sum(axis=0) / count_BK.sum()
    blurred_BK = _smoothed(count_BK, chosen.bandwidth_s / chosen.bin_s)
    p_BK = normalised_rows(blurred_BK + chosen.pseudo_count * mix_K)
    return ElapsedTimeClassifier(bin_s=chosen.bin_s, p_BK=p_BK)


def _load(stored: StoredModel) -> Classifier:
    weights = decode_weights(stored, _Weights)
    widths = {len(row) for row in weights.p_BK}
    if weights.bin_s <= 0 or len(widths) != 1:
        raise BundleError("weights are not a histogram over time", where=WEIGHTS_FILE)
    p_BK = np.asarray(weights.p_BK, dtype=np.float64)
    require_probabilities(p_BK, stored.shape.n_classes)
    return ElapsedTimeClassifier(bin_s=weights.bin_s, p_BK=p_BK)


ELAPSED_TIME: Final = FamilySpec(
    name="elapsed_time",
    inputs=Inputs.TIME,
    modes=NO_CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=ElapsedTimeHyperParameters(),
    fitting=Counting(fit=_fit),
    load=_load,
)
