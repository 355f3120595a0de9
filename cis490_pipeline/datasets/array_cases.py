"""Plain arrays as ``Cases``: labels to class indices, whole-case statistics, an id_val.

Shape suffixes: N cases, C channels, T timepoints, F summary columns, S statistics, M = N·C series.

The data of ``fit-arrays``: no host, no episode and no clock, so every case is its own cluster and
has no time. Not here: reading the file (``array_files``).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.array_files import LabelledArrays
from cis490_pipeline.datasets.cases import ArraySequences, Cases
from cis490_pipeline.errors import ArrayFileError
from cis490_pipeline.schema.windows import N_STATS

ID_VAL_SHARE: Final = 0.2
_SERIES_AT_ONCE: Final = 4_000_000
"""Values that the statistics copy at a time: bounds the memory, not the result."""


class ArrayInput(StrEnum):
    """What a family gets to see of an array."""

    RAW = "raw"  # every timepoint
    SUMMARY = "summary"  # the five statistics and the missing share per channel, over the case
    BOTH = "both"  # every timepoint, and the statistics beside them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassLabels:
    """The integers that stand for the classes, sorted and distinct: class k is ``label_K[k]``."""

    label_K: NDArray[np.int64]

    @classmethod
    def of(cls, label_N: NDArray[np.int64]) -> "ClassLabels":
        """Return the labels that occur."""
        return cls(label_K=np.unique(label_N))

    def index_of(self, label_N: NDArray[np.int64], *, where: str) -> NDArray[np.int64]:
        """Return the class index of each label.

        Raises
        ------
        ArrayFileError
            Where a label is none of these.
        """
        unknown = np.setdiff1d(label_N, self.label_K)
        if unknown.size:
            raise ArrayFileError(
                "a class that the training cases lack",
                where=where,
                expected=f"labels among {_listed(self.label_K)}",
                found=_listed(unknown),
                todo="leave such cases out, or add some of that class to the training file",
            )
        return np.searchsorted(self.label_K, label_N).astype(np.int64)


def _listed(label_N: NDArray[np.int64], most: int = 10) -> str:
    shown = ", ".join(str(label) for label in label_N[:most].tolist())
    return shown if label_N.size <= most else f"{shown}, … ({label_N.size} in all)"


def cases_from_arrays(
    arrays: LabelledArrays, labels: ClassLabels, view: ArrayInput, *, where: str
) -> Cases:
    """Return the cases with both views filled from what ``view`` lets a family see.

    A summary family that is given ``raw`` sees every value of the case as a column; a sequence
    family that is given ``summary`` sees the columns as channels of one timepoint.

    Raises
    ------
    ArrayFileError
        Where a label is none of ``labels``.
    """
    n_cases, sequence_NCT = arrays.x_NCT.shape[0], arrays.x_NCT
    if view is ArrayInput.RAW:
        summary_NF = sequence_NCT.reshape(n_cases, -1)
    else:
        summary_NF = case_statistics(arrays.x_NCT)
    if view is ArrayInput.SUMMARY:
        sequence_NCT = summary_NF[:, :, np.newaxis]
    return Cases(
        y_N=labels.index_of(arrays.label_N, where=where),
        cluster_N=np.arange(n_cases, dtype=np.int64),
        t_center_s_N=np.zeros(n_cases),
        summary_NF=summary_NF,
        sequences=ArraySequences(x_NCT=sequence_NCT),
        n_classes=int(labels.label_K.size),
    )


def fitted_to_length(
    arrays: LabelledArrays, n_channels: int, n_timepoints: int, *, where: str
) -> LabelledArrays:
    """Return arrays whose cases are as long as those of the training file.

    Shorter ones are padded with NaN at the end, as cases of unequal length are within a file.

    Raises
    ------
    ArrayFileError
        Where they have other channels or are longer: a model knows no later timepoint.
    """
    n_cases, found_channels, found_timepoints = arrays.x_NCT.shape
    if found_channels != n_channels or found_timepoints > n_timepoints:
        raise ArrayFileError(
            "x does not have the shape of the training cases",
            where=where,
            expected=f"{n_channels} channels × at most {n_timepoints} timepoints",
            found=f"{found_channels} channels × {found_timepoints} timepoints",
            todo="give both files the same channels, and pad x with NaN to the same length",
        )
    if found_timepoints == n_timepoints:
        return arrays
    padding = np.full((n_cases, n_channels, n_timepoints - found_timepoints), np.nan, np.float32)
    return replace(arrays, x_NCT=np.concatenate((arrays.x_NCT, padding), axis=2))


def case_statistics(x_NCT: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the statistics of ``schema.windows.STATS`` over whole cases, ``[N, C·6]``.

    Channel-major, like the columns of a window; slopes are per timepoint. NaN where no value is
    present (slope: fewer than two); the missing share is never NaN.

    >>> case_statistics(np.array([[[1.0, 3.0, np.nan]]], dtype=np.float32)).round(2).tolist()
    [[2.0, 1.0, 2.0, 2.9000000953674316, 2.0, 0.33000001311302185]]
    """
    n_cases, n_channels, n_timepoints = x_NCT.shape
    x_MT = x_NCT.reshape(n_cases * n_channels, n_timepoints)
    out_MS = np.empty((len(x_MT), N_STATS), dtype=np.float32)
    step = max(1, _SERIES_AT_ONCE // n_timepoints)
    for first in range(0, len(x_MT), step):
        out_MS[first : first + step] = _series_statistics(x_MT[first : first + step])
    return out_MS.reshape(n_cases, n_channels * N_STATS)


def _series_statistics(x_MT: NDArray[np.float32]) -> NDArray[np.float64]:
    value_MT = x_MT.astype(np.float64)
    present_MT = np.isfinite(value_MT)
    count_M = present_MT.sum(axis=1)
    filled_MT = np.where(present_MT, value_MT, 0.0)
    time_MT = np.where(present_MT, np.arange(value_MT.shape[1], dtype=np.float64), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_M = filled_MT.sum(axis=1) / count_M
        centred_MT = np.where(present_MT, value_MT - mean_M[:, None], 0.0)
        late_MT = np.where(present_MT, time_MT - (time_MT.sum(axis=1) / count_M)[:, None], 0.0)
        std_M = np.sqrt((centred_MT**2).sum(axis=1) / count_M)
        slope_M = (late_MT * centred_MT).sum(axis=1) / (late_MT**2).sum(axis=1)
    ordered_MT = np.sort(value_MT, axis=1)  # NaN last
    quantiles = [_quantile(ordered_MT, count_M, share) for share in (0.5, 0.95)]
    missing_M = 1.0 - count_M / value_MT.shape[1]
    return np.stack([mean_M, std_M, *quantiles, slope_M, missing_M], axis=1)


def _quantile(
    ordered_MT: NDArray[np.float64], count_M: NDArray[np.int64], share: float
) -> NDArray[np.float64]:
    """Return a quantile (linear interpolation) of the first ``count`` values of sorted rows."""
    rank_M = share * np.maximum(count_M - 1, 0)
    low_M = np.floor(rank_M).astype(np.int64)
    high_M = np.minimum(low_M + 1, np.maximum(count_M - 1, 0))
    row_M = np.arange(len(ordered_MT))
    low_value_M, high_value_M = ordered_MT[row_M, low_M], ordered_MT[row_M, high_M]
    return low_value_M + (rank_M - low_M) * (high_value_M - low_value_M)


def carve_id_val(
    y_N: NDArray[np.int64], *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of train and id_val: a seeded draw of a fifth of each class.

    A class of two cases or more gives at least one; a single case stays in train.

    >>> [part.size for part in carve_id_val(np.repeat([0, 1, 2], [10, 2, 1]), seed=0)]
    [10, 3]
    """
    generator = np.random.default_rng(seed)
    held_out: list[NDArray[np.int64]] = []
    for code in np.unique(y_N):
        member_N = generator.permutation(np.flatnonzero(y_N == code))
        n_held = max(1, round(ID_VAL_SHARE * member_N.size)) if member_N.size > 1 else 0
        held_out.append(member_N[:n_held])
    id_val = np.sort(np.concatenate(held_out))
    return np.setdiff1d(np.arange(y_N.size), id_val), id_val


def take(cases: Cases, index_N: NDArray[np.int64]) -> Cases:
    """Return some of the cases, in the order asked for, their sequences in memory."""
    return replace(
        cases,
        y_N=cases.y_N[index_N],
        cluster_N=cases.cluster_N[index_N],
        t_center_s_N=cases.t_center_s_N[index_N],
        summary_NF=None if cases.summary_NF is None else cases.summary_NF[index_N],
        sequences=cases.sequences and ArraySequences(x_NCT=cases.sequences.gather(index_N)),
        in_context=cases.in_context and cases.in_context.take(index_N),
    )
