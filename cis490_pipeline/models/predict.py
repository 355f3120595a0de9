"""Calibrated probabilities of a stored model.

Not here: opening the bundle (``bundle``), scoring (``evaluation``).
"""

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.bundle import Bundle
from cis490_pipeline.models.probabilities import with_temperature
from cis490_pipeline.models.views import require_shape


def predict(bundle: Bundle, cases: Cases) -> NDArray[np.float64]:
    """Return the probabilities ``[N, K]`` with the bundle's temperature applied.

    Raises
    ------
    SchemaMismatchError
        Where the cases have another shape than the model was fitted on.
    """
    require_shape(cases, bundle.spec.inputs, bundle.header.shape)
    if cases.n_cases == 0:
        return np.empty((0, bundle.header.shape.n_classes), dtype=np.float64)
    raw_NK = bundle.classifier.predict_proba(cases)
    return with_temperature(raw_NK, bundle.header.calibration.temperature)
