"""F1 per class and macro F1, from confusion matrices of any leading shape.

Shape suffixes: K classes; ``..KK`` any number of leading axes (resamples, models, clusters).

Not here: counting (``confusion``), intervals (``evaluation.bootstrap``).
"""

import numpy as np
from numpy.typing import NDArray


def supported_classes(confusion_KK: NDArray[np.number]) -> NDArray[np.bool_]:
    """Return which classes occur in the truth (rows), bool ``[K]`` or ``[.., K]``."""
    return confusion_KK.sum(axis=-1) > 0


def per_class_f1(
    confusion_KK: NDArray[np.number], support_K: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the F1 of each class, float64 ``[.., K]``.

    Parameters
    ----------
    confusion_KK
        Counts ``[.., K, K]``, rows are the truth; weighted counts are allowed.
    support_K
        Which classes are to be scored, bool ``[K]``; by default those that occur in the truth of
        the respective matrix.

    Returns
    -------
    NaN for a class that is not to be scored, and for one of them that occurs in neither truth nor
    prediction (0/0). A class that occurs and is never predicted has F1 0.

    >>> per_class_f1(np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]])).round(3).tolist()
    [0.8, 0.667, nan]
    """
    row_K = confusion_KK.sum(axis=-1)
    column_K = confusion_KK.sum(axis=-2)
    true_K = np.diagonal(confusion_KK, axis1=-2, axis2=-1)
    scored_K = supported_classes(confusion_KK) if support_K is None else support_K
    total_K = (row_K + column_K).astype(np.float64)
    missing_K = np.full(total_K.shape, np.nan)
    return np.divide(2.0 * true_K, total_K, out=missing_K, where=scored_K & (total_K > 0))


def macro_f1(
    confusion_KK: NDArray[np.number], classes: NDArray[np.bool_] | None = None
) -> float | None:
    """Return the mean F1 over the classes with support, None where there is none.

    Parameters
    ----------
    confusion_KK
        One matrix of counts, rows are the truth.
    classes
        Restricts the mean to these classes, bool ``[K]``; a class without support stays out of it
        in any case: it is untested, and an untested class is never averaged.

    Notes
    -----
    Equals ``sklearn.metrics.f1_score(average="macro", labels=<the classes with support>)``. Its
    ``zero_division`` never matters there: a class with support has a denominator above 0.

    >>> round(macro_f1(np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]])), 3)
    0.733
    >>> macro_f1(np.zeros((3, 3))) is None
    True
    """
    scored_K = supported_classes(confusion_KK)
    if classes is not None:
        scored_K = scored_K & classes
    if not scored_K.any():
        return None
    return float(per_class_f1(confusion_KK, scored_K)[scored_K].mean())


def macro_f1_stack(
    confusion_KK: NDArray[np.number], classes: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return macro F1 over fixed classes for a stack of matrices, float64 ``[..]``.

    NaN where a matrix lacks one of the classes altogether: the classes are fixed, so that every
    member of the stack measures the same thing.
    """
    if not classes.any():
        return np.full(confusion_KK.shape[:-2], np.nan)
    f1_K = per_class_f1(confusion_KK, classes)[..., classes]
    lost = ~supported_classes(confusion_KK)[..., classes].all(axis=-1)
    return np.where(lost, np.nan, f1_K.mean(axis=-1))


def precision_recall(
    confusion_KK: NDArray[np.number],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall of each class, float64 ``[K]`` each.

    Precision is NaN for a class that was never predicted, recall for one without support.
    """
    true_K = np.diagonal(confusion_KK, axis1=-2, axis2=-1).astype(np.float64)
    ratios: list[NDArray[np.float64]] = []
    for total_K in (confusion_KK.sum(axis=-2), confusion_KK.sum(axis=-1)):
        missing_K = np.full(true_K.shape, np.nan)
        ratios.append(np.divide(true_K, total_K, out=missing_K, where=total_K > 0))
    return ratios[0], ratios[1]
