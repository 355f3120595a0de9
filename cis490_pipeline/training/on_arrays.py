"""Any family on plain arrays: the same loop and the same defaults as the assets.

Not here: reading the files (``datasets.array_files``), scores, and any test cases.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.array_cases import (
    ArrayInput,
    ClassLabels,
    carve_id_val,
    cases_from_arrays,
    fitted_to_length,
    take,
)
from cis490_pipeline.datasets.array_files import LabelledArrays
from cis490_pipeline.edge.probabilities import with_temperature
from cis490_pipeline.models.classifier import Compute, FamilySpec, HyperParameters, Inputs
from cis490_pipeline.training.fit import CalibratedFit, fit_family
from cis490_pipeline.training.fitted import Supervision

TRAIN_FILE = "the training file"


def default_input(spec: FamilySpec) -> ArrayInput:
    """Return what a family reads where nobody says: summary families the statistics."""
    if spec.inputs is Inputs.BOTH:
        return ArrayInput.BOTH
    return ArrayInput.SUMMARY if spec.inputs is Inputs.SUMMARY else ArrayInput.RAW


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayModel:
    """A model fitted on arrays, with what it needs to read others."""

    done: CalibratedFit
    labels: ClassLabels
    view: ArrayInput
    n_channels: int
    n_timepoints: int

    def predict_proba(self, arrays: LabelledArrays, *, where: str) -> NDArray[np.float64]:
        """Return the calibrated probabilities ``[N, K]``, classes in the order of ``labels``.

        Raises
        ------
        ArrayFileError
            Where the arrays have another shape, or a class that the training cases lack.
        """
        same = fitted_to_length(arrays, self.n_channels, self.n_timepoints, where=where)
        cases = cases_from_arrays(same, self.labels, self.view, where=where)
        p_NK = self.done.fitted.classifier.predict_proba(cases)
        return with_temperature(p_NK, self.done.temperature)


def fit_on_arrays(
    spec: FamilySpec,
    train: LabelledArrays,
    *,
    hyper_parameters: HyperParameters | None = None,
    seed: int = 0,
    view: ArrayInput | None = None,
    compute: Compute | None = None,
    watch: Supervision | None = None,
) -> ArrayModel:
    """Fit a family; id_val is carved from ``train`` by a stratified seeded draw.

    ``hyper_parameters`` of None are the family's defaults.

    Raises
    ------
    TrainingError
        Where the cases cannot carry a fit (one class, a single case of every class).
    """
    labels = ClassLabels.of(train.label_N)
    chosen = view or default_input(spec)
    cases = cases_from_arrays(train, labels, chosen, where=TRAIN_FILE)
    first, held_out = carve_id_val(cases.y_N, seed=seed)
    done = fit_family(
        spec,
        take(cases, first),
        take(cases, held_out),
        hyper_parameters=hyper_parameters,
        seed=seed,
        compute=compute,
        watch=watch,
    )
    _, n_channels, n_timepoints = train.x_NCT.shape
    return ArrayModel(
        done=done, labels=labels, view=chosen, n_channels=n_channels, n_timepoints=n_timepoints
    )
