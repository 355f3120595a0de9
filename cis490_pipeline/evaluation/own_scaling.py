"""Whether a model's normalisation is that of its training set: derived again, and compared.

The header's hash says what a fit was *given*; this says what came of it. Constants that were fitted
on everything, the commonest leak of all, differ from those of the training windows, however honest
the header looks. Derived by the code that fitted them, so that an error of that code itself is not
found here.

Not here: families that scale nothing (trees, the baselines): of them there is nothing to derive.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.training_sets import TrainingSet
from cis490_pipeline.errors import LeakageError
from cis490_pipeline.models.bundle import Bundle
from cis490_pipeline.models.classifier import Classifier, Inputs
from cis490_pipeline.models.scaling import Scaling, fit_scaling
from cis490_pipeline.models.tensor_weights import WEIGHTS_FILE
from cis490_pipeline.models.views import channel_view
from cis490_pipeline.warehouse.warehouse import Warehouse

_LAYERS: Final = ("scaling", "standardise")
_PARTS: Final = ("unit", "center", "gain")
_TOLERANCE: Final = 1e-3
"""Of a ratio and of a spread: another NumPy moves the last digits, other episodes more."""


def require_own_scaling(warehouse: Warehouse, bundle: Bundle, training_set: TrainingSet) -> None:
    """Refuse a model whose scaling was not fitted on the train role of its set.

    Reads the training windows once, as a fit does: no row of any other episode.

    Raises
    ------
    LeakageError
        Naming the channel (or column) whose constants differ most.
    """
    stored = stored_scalings(bundle.classifier)
    if not stored:
        return
    own = _derived(warehouse, bundle, training_set)
    for layer, found in stored.items():
        column = first_foreign(found, own)
        if column is not None:
            raise LeakageError(
                "the scaling of the bundle is not that of its training set",
                where=f"bundle {bundle.sha256[:12]}, {layer}, column {column}",
                expected=_constants(own, column),
                found=_constants(found, column),
                todo="fit the model again; what scales must be fitted on train alone",
            )


def stored_scalings(classifier: Classifier) -> dict[str, Scaling]:
    """Return the constants in a model's weights, by the name of their layer; empty for none."""
    from safetensors.numpy import load

    data = classifier.weights().get(WEIGHTS_FILE)
    if data is None:
        return {}
    arrays = load(data)
    layers = {name.rpartition(".")[0] for name in arrays}
    return {
        layer: Scaling(**{f"{part}_C": arrays[f"{layer}.{part}"].ravel() for part in _PARTS})
        for layer in sorted(layers)
        if layer.rpartition(".")[2] in _LAYERS
    }


def first_foreign(found: Scaling, own: Scaling) -> int | None:
    """Return the column whose constants differ most, None where all agree."""
    center_C = np.abs(found.center_C.astype(np.float64) - own.center_C) * own.gain_C
    unit_C, gain_C = _ratio(found.unit_C, own.unit_C), _ratio(found.gain_C, own.gain_C)
    worst_C = np.max([unit_C, center_C, gain_C], axis=0)
    return int(worst_C.argmax()) if bool((worst_C > _TOLERANCE).any()) else None


def _ratio(found_C: NDArray[np.float32], own_C: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the relative difference; 1 where a channel is muted, or linear, in one of the two."""
    larger_C = np.maximum(np.abs(found_C), np.abs(own_C)).astype(np.float64)
    return np.abs(found_C.astype(np.float64) - own_C) / np.where(larger_C > 0, larger_C, 1.0)


def _derived(warehouse: Warehouse, bundle: Bundle, training_set: TrainingSet) -> Scaling:
    header = bundle.header
    # of a family that reads both views, it is the network that has constants
    inputs = Inputs.SEQUENCE if bundle.spec.inputs.has_sequences else bundle.spec.inputs
    cases = load_cases(
        warehouse,
        training_set.train,
        header.mode,
        summary=inputs.has_summary,
        sequences=inputs.has_sequences,
        context=header.context,
    ).cases
    return fit_scaling(channel_view(cases, inputs), cases.n_cases)


def _constants(scaling: Scaling, column: int) -> str:
    values = (getattr(scaling, f"{part}_C")[column] for part in _PARTS)
    return ", ".join(f"{part} {value:.6g}" for part, value in zip(_PARTS, values, strict=True))
