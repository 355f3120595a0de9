"""Attributions of the logistic regression: coefficient × standardised value.

Shape suffixes: N windows, F columns, D columns that move on train, K phases.

A standardised value of 0 is the training median, so that is the baseline, with the same holes as
the window: the coefficients that stand for a column's absence belong to it.

Not here: networks, trees.
"""

import numpy as np

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.explain.attributions import Attributions, centred
from cis490_pipeline.models.columns import columns_of
from cis490_pipeline.models.logistic import LogisticClassifier


def linear_attributions(classifier: LogisticClassifier, cases: Cases) -> Attributions:
    """Attribute windows to the score of their own phase."""
    moving_F = classifier.scaling.gain_C > 0
    columns = columns_of(cases, classifier.scaling)
    n_moving = int(moving_F.sum())
    own_DK = centred(classifier.coefficient_DK)
    value_NF = np.zeros((cases.n_cases, moving_F.size))
    value_NF[:, moving_F] = columns.z_ND * own_DK[:n_moving, cases.y_N].T
    moved_NK = centred(columns.z_ND @ classifier.coefficient_DK[:n_moving])
    return Attributions(
        value_NF=value_NF, difference_N=moved_NK[np.arange(cases.n_cases), cases.y_N]
    )
