"""Which training cases a family keeps that cannot take them all: one declared rule.

Shape suffixes: N cases, K classes.

Every class gets the same number; what a rare class cannot fill goes to the others. The draw within
a class is seeded. Macro F1 counts classes alike, so that of a million cases the rare ones are the
last to be left out.
"""

import numpy as np
from numpy.typing import NDArray


def class_quota(count_K: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return how many cases of each class are kept, ``most`` in all at the most.

    >>> class_quota(np.array([100, 3, 50]), 43).tolist()
    [20, 3, 20]
    """
    quota_K = np.zeros_like(count_K)
    left = most
    by_size = np.argsort(count_K, kind="stable")
    for position, code in enumerate(by_size):
        quota_K[code] = min(int(count_K[code]), left // (len(by_size) - position))
        left -= int(quota_K[code])
    return quota_K


def subsample(y_N: NDArray[np.int64], most: int, *, seed: int) -> NDArray[np.int64]:
    """Return the positions of the cases to keep, sorted; all of them where they are few."""
    if y_N.size <= most:
        return np.arange(y_N.size)
    generator = np.random.default_rng(seed)
    quota_K = class_quota(np.bincount(y_N), most)
    kept = [
        generator.choice(np.flatnonzero(y_N == code), size=quota, replace=False)
        for code, quota in enumerate(quota_K.tolist())
        if quota
    ]
    return np.sort(np.concatenate(kept))
