"""Nearest neighbours among scaled columns, missing values left out: the core of ``knn`` families.

Shape suffixes: N cases, Q queries, R references, D features, K classes, J neighbours,
G numbers of neighbours.

The distance of two cases is the root mean square difference over the features that both have, so
that a silent source makes cases neither near nor far. Votes fall with the distance and are weighted
by inverse class frequency, like every other family's loss. Own arithmetic and no library: the model
is a few arrays, and nothing needs to be unpickled.

Not here: who the references are (the families).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.classifier import StoredModel
from cis490_pipeline.models.columns import (
    SCALING_ARRAYS,
    Columns,
    columns_of,
    parts_of,
    scaling_arrays,
    scaling_from_arrays,
)
from cis490_pipeline.models.merit import merit_of
from cis490_pipeline.models.scaling import Scaling
from cis490_pipeline.models.tensor_weights import (
    decode_arrays,
    encode_arrays,
    refusal,
    require_sizes,
)

NEIGHBOUR_GRID: Final = (1, 3, 5, 9, 17, 33, 65)
"""Numbers of neighbours that are tried on id_val."""
_DISTANCES_AT_ONCE: Final = 4_000_000
_RESOLUTION: Final = 1e-6
"""Distances are compared at this resolution and ties go to the earlier reference: the last digits
of a matrix product depend on how many cases are asked for at once."""
_NO_DISTANCE: Final = 1e3
"""Distance of two cases that share no feature: farther than any that do."""
_NEAREST: Final = 0.05
"""Votes fall as 1 / (distance + this): an exact copy counts much, but not alone."""
_EVERYBODY: Final = 0.01
"""Share of the vote that goes to all classes alike, so that no probability is 0."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """References with their classes, and how many of them vote."""

    scaling: Scaling
    columns: Columns
    code_R: NDArray[np.int64]
    weight_K: NDArray[np.float64]
    n_neighbours: int

    def vote(self, queries: Columns) -> NDArray[np.float64]:
        """Return the share of the vote per class, ``[Q, K]``."""
        return self._votes(queries, (self.n_neighbours,))[0]

    def votes(self, cases: Cases, numbers: Sequence[int]) -> NDArray[np.float64]:
        """Return the shares of the vote of each number of neighbours, ``[numbers, N, K]``."""
        p_GNK = np.empty((len(numbers), cases.n_cases, self.weight_K.size))
        for part in parts_of(cases.n_cases):
            index_B = np.arange(part.start, part.stop)
            p_GNK[:, part] = self._votes(columns_of(cases, self.scaling, index_B), numbers)
        return p_GNK

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the share of the vote per class."""
        return self.votes(cases, (self.n_neighbours,))[0]

    def _votes(self, queries: Columns, numbers: Sequence[int]) -> NDArray[np.float64]:
        n_queries, n_references = len(queries.z_ND), len(self.code_R)
        p_GQK = np.empty((len(numbers), n_queries, self.weight_K.size))
        step = max(1, _DISTANCES_AT_ONCE // n_references)
        square_RD = self.columns.z_ND**2
        for first in range(0, n_queries, step):
            part = queries.take(np.arange(first, min(first + step, n_queries)))
            distance_QR = _distances(part, self.columns, square_RD)
            code_QJ, vote_QJ = self._nearest_votes(distance_QR, max(numbers))
            for p_QK, number in zip(p_GQK[:, first : first + step], numbers, strict=True):
                p_QK[:] = self._shares(code_QJ[:, :number], vote_QJ[:, :number])
        return p_GQK

    def _nearest_votes(
        self, distance_QR: NDArray[np.float64], number: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return class and weight of the votes of the nearest references, nearest first."""
        nearest_QJ = _nearest(distance_QR, min(number, self.code_R.size))
        code_QJ = self.code_R[nearest_QJ]
        near_QJ = np.take_along_axis(distance_QR, nearest_QJ, axis=1)
        return code_QJ, self.weight_K[code_QJ] / (near_QJ + _NEAREST)

    def _shares(
        self, code_QJ: NDArray[np.int64], vote_QJ: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        p_QK = np.zeros((len(code_QJ), self.weight_K.size))
        np.add.at(p_QK, (np.arange(len(code_QJ))[:, None], code_QJ), vote_QJ)
        p_QK /= p_QK.sum(axis=1, keepdims=True)
        return (1 - _EVERYBODY) * p_QK + _EVERYBODY / self.weight_K.size

    def weights(self) -> dict[str, bytes]:
        """Return scaling, references and classes as safetensors."""
        return encode_arrays(
            {
                **scaling_arrays(self.scaling),
                "reference": np.where(
                    self.columns.present_ND > 0, self.columns.z_ND, _ABSENT
                ).astype(np.float32),
                "code": self.code_R,
                "class_weight": self.weight_K,
                "n_neighbours": np.array([self.n_neighbours], dtype=np.int64),
            }
        )


_ABSENT: Final = 1e6
"""Stands for a missing feature in the stored references: scaled values end at 3."""
_ARRAYS: Final = {
    **SCALING_ARRAYS,
    "reference": ("float32", 2),
    "code": ("int64", 1),
    "class_weight": ("float64", 1),
    "n_neighbours": ("int64", 1),
}


def _distances(
    queries: Columns, references: Columns, square_RD: NDArray[np.float64]
) -> NDArray[np.float64]:
    shared_QR = queries.present_ND @ references.present_ND.T
    square_QR = (queries.z_ND**2) @ references.present_ND.T
    square_QR += queries.present_ND @ square_RD.T
    square_QR -= 2.0 * (queries.z_ND @ references.z_ND.T)
    mean_QR = np.maximum(square_QR, 0.0) / np.maximum(shared_QR, 1.0)
    distance_QR = np.where(shared_QR > 0, np.sqrt(mean_QR), _NO_DISTANCE)
    return np.round(distance_QR / _RESOLUTION) * _RESOLUTION


def _nearest(distance_QR: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Return the ``n`` nearest references, nearest first."""
    n_references = distance_QR.shape[1]
    rank_QR = np.round(distance_QR / _RESOLUTION).astype(np.int64) * n_references
    rank_QR += np.arange(n_references)
    nearest_QJ = np.argpartition(rank_QR, n - 1, axis=1)[:, :n]
    order_QJ = np.argsort(np.take_along_axis(rank_QR, nearest_QJ, axis=1), axis=1)
    return np.take_along_axis(nearest_QJ, order_QJ, axis=1)


def with_chosen_number(neighbours: Neighbours, id_val: Cases) -> Neighbours:
    """Return the references with the number of neighbours that serves id_val best.

    By macro F1, then by log-loss; the larger number where both are equal.
    """
    n_smaller = sum(number < neighbours.code_R.size for number in NEIGHBOUR_GRID)
    numbers = NEIGHBOUR_GRID[: n_smaller + 1]
    merits = [merit_of(p_NK, id_val.y_N) for p_NK in neighbours.votes(id_val, numbers)]
    best = max(range(len(numbers)), key=lambda position: (merits[position], position))
    return replace(neighbours, n_neighbours=numbers[best])


def load_neighbours(stored: StoredModel) -> Neighbours:
    """Rebuild the references from a bundle.

    Raises
    ------
    BundleError
        Where the arrays are not those of such a model.
    """
    arrays = decode_arrays(stored, _ARRAYS)
    n_classes = stored.shape.n_classes
    scaling = scaling_from_arrays(arrays, stored.shape.n_channels)
    code_R, reference = arrays["code"].astype(np.int64), arrays["reference"]
    n_features = int((scaling.gain_C > 0).sum())
    require_sizes(
        arrays,
        {
            "reference": (code_R.size, n_features),
            "class_weight": (n_classes,),
            "n_neighbours": (1,),
        },
    )
    weight_K, number = arrays["class_weight"].astype(np.float64), int(arrays["n_neighbours"][0])
    inside = code_R.size > 0 and int(code_R.min()) >= 0 and int(code_R.max()) < n_classes
    if not inside or number < 1 or bool((weight_K <= 0).any()):
        raise refusal("references without a class, or no vote", expected=f"{n_classes} classes")
    present_RD = reference != _ABSENT
    columns = Columns(
        z_ND=np.where(present_RD, reference, 0.0).astype(np.float64),
        present_ND=present_RD.astype(np.float64),
    )
    return Neighbours(
        scaling=scaling, columns=columns, code_R=code_R, weight_K=weight_K, n_neighbours=number
    )
