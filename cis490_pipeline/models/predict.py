"""Calibrated probabilities of a stored model, over whole sets or window by window.

Not here: opening the bundle (``bundle``), scoring (``evaluation``).
"""

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import ArraySequences, Cases
from cis490_pipeline.edge.detector import Scorer, WindowCase
from cis490_pipeline.edge.probabilities import with_temperature
from cis490_pipeline.models.bundle import Bundle
from cis490_pipeline.models.filtering import filtered
from cis490_pipeline.models.views import require_shape


def predict(bundle: Bundle, cases: Cases) -> NDArray[np.float64]:
    """Return the probabilities ``[N, K]``, filtered where the bundle has a phase filter, tempered.

    Of an episode all cases up to the last one asked for must be there, in any order: the filter
    carries what it has seen of an episode from window to window.

    Raises
    ------
    SchemaMismatchError
        Where the cases have another shape than the model was fitted on.
    """
    require_shape(cases, bundle.spec.inputs, bundle.shape)
    if cases.n_cases == 0:
        return np.empty((0, bundle.shape.n_classes), dtype=np.float64)
    p_NK = bundle.classifier.predict_proba(cases)
    if bundle.header.phase_filter is not None:
        p_NK = filtered(bundle.header.phase_filter, p_NK, cases)
    return with_temperature(p_NK, bundle.header.calibration.temperature)


def raw_cases(
    x_NCT: NDArray[np.float32],
    n_classes: int,
    *,
    columns_NG: NDArray[np.float32] | None = None,
    t_center_s: float = 0.0,
) -> Cases:
    """Return unlabelled cases as what every family reads: the grid, or columns where T is 1.

    ``columns_NG`` are those of a family that reads both.
    """
    n_cases = len(x_NCT)
    if columns_NG is None and x_NCT.shape[2] == 1:
        columns_NG = x_NCT[:, :, 0]
    return Cases(
        y_N=np.zeros(n_cases, dtype=np.int64),
        cluster_N=np.zeros(n_cases, dtype=np.int64),
        t_center_s_N=np.full(n_cases, t_center_s),
        summary_NF=columns_NG,
        sequences=ArraySequences(x_NCT=x_NCT),
        n_classes=n_classes,
    )


def window_scorer(bundle: Bundle) -> Scorer:
    """Return the bundle's model as what a detector asks for every window."""

    def score(case: WindowCase) -> NDArray[np.float64]:
        cases = raw_cases(
            case.x_1CT,
            bundle.shape.n_classes,
            columns_NG=case.columns_1G,
            t_center_s=case.t_center_s,
        )
        return bundle.classifier.predict_proba(cases)[0]

    return score
