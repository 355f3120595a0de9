"""Exact Shapley values of boosted trees (XGBoost's ``pred_contribs``).

Shape suffixes: B a batch of windows, F columns, K phases.

The baseline is what the trees say on average over the training windows that reached their leaves
(path-dependent TreeSHAP); a missing value goes the way that was learned for missing ones.

Not here: networks, linear models. Source: Lundberg et al. 2020, *From local explanations to global
understanding with explainable AI for trees*.
"""

from typing import Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.explain.attributions import Attributions, centred
from cis490_pipeline.models.classifier import Inputs
from cis490_pipeline.models.gbt import GbtClassifier
from cis490_pipeline.models.views import channel_view

_CASES_AT_ONCE: Final = 256


def tree_attributions(classifier: GbtClassifier, cases: Cases) -> Attributions:
    """Attribute windows to the margin of their own phase."""
    n = cases.n_cases
    parts = [
        _batch(classifier.booster, cases, np.arange(start, min(start + _CASES_AT_ONCE, n)))
        for start in range(0, max(1, n), _CASES_AT_ONCE)
    ]
    return Attributions(
        value_NF=np.concatenate([part.value_NF for part in parts]),
        difference_N=np.concatenate([part.difference_N for part in parts]),
    )


def _batch(booster: xgboost.Booster, cases: Cases, index_B: NDArray[np.int64]) -> Attributions:
    x_BF = channel_view(cases, Inputs.SUMMARY).gather(index_B)[:, :, 0]
    rows = xgboost.DMatrix(np.ascontiguousarray(x_BF, dtype=np.float32))
    contribution_BKF = booster.predict(rows, pred_contribs=True, strict_shape=True)
    own_BKF = contribution_BKF.astype(np.float64)
    own_BKF -= own_BKF.mean(axis=1, keepdims=True)
    margin_BK = centred(booster.predict(rows, output_margin=True).astype(np.float64))
    row_B, phase_B = np.arange(index_B.size), cases.y_N[index_B]
    own_BF = own_BKF[row_B, phase_B]  # the last column is the baseline
    return Attributions(
        value_NF=own_BF[:, :-1], difference_N=margin_BK[row_B, phase_B] - own_BF[:, -1]
    )
