"""Calibrated probabilities of a stored model.

Not here: opening the bundle (``bundle``), scoring (``evaluation``).
"""

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
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
