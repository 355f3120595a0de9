"""What macro F1 is worth without any skill.

Shape suffixes: K classes, true along the rows and predicted along the columns.

Not here: whether a model is at chance (``evaluation.controls``).
"""

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.metrics.f1 import macro_f1


def chance_macro_f1(confusion_KK: NDArray[np.int64]) -> float | None:
    """Return the macro F1 of answers dealt out at random, as often each as they were given.

    That depends on how a model spreads its answers: always the commonest class earns least, which
    is why no single number is the chance level of all models. None without a window.

    Examples
    --------
    >>> chance_macro_f1(np.array([[25, 25], [25, 25]]))
    0.5
    >>> round(chance_macro_f1(np.array([[90, 0], [10, 0]])), 2)
    0.47
    """
    counts_KK = confusion_KK.astype(np.float64)
    n_windows = counts_KK.sum()
    if n_windows == 0:
        return None
    return macro_f1(np.outer(counts_KK.sum(axis=1), counts_KK.sum(axis=0)) / n_windows)
