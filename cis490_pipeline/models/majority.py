"""``majority``: the class frequencies of the training set, whatever the window looks like.

It is the floor of every comparison. The frequencies are the plain priors, not class-balanced:
balanced priors would be uniform and say nothing.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.classifier import (
    NO_CHANNEL_MODES,
    Classifier,
    Counting,
    FamilySpec,
    FitTask,
    HyperParameters,
    Inputs,
    StoredModel,
)
from cis490_pipeline.models.json_weights import (
    decode_weights,
    encode_weights,
    require_probabilities,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorityHyperParameters(HyperParameters):
    """There is nothing to choose."""


class _Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    p_K: list[float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MajorityClassifier:
    """Class frequencies ``p_K``."""

    p_K: NDArray[np.float64]

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the same row for every case."""
        return np.tile(self.p_K, (cases.n_cases, 1))

    def weights(self) -> dict[str, bytes]:
        """Return the frequencies as JSON."""
        return encode_weights(_Weights(p_K=self.p_K.tolist()))


def _fit(task: FitTask) -> Classifier:
    count_K = np.bincount(task.train.y_N, minlength=task.shape.n_classes)
    return MajorityClassifier(p_K=count_K / count_K.sum())


def _load(stored: StoredModel) -> Classifier:
    p_K = np.asarray(decode_weights(stored, _Weights).p_K, dtype=np.float64)
    require_probabilities(p_K[np.newaxis], stored.shape.n_classes)
    return MajorityClassifier(p_K=p_K)


MAJORITY: Final = FamilySpec(
    name="majority",
    inputs=Inputs.NOTHING,
    modes=NO_CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=MajorityHyperParameters(),
    fitting=Counting(fit=_fit),
    load=_load,
)
