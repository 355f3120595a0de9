"""Weights of models that are a few numbers: one JSON file, decoded strictly.

Not here: the bundle around it (``bundle``), which has checked size and hash.
"""

from typing import Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import StoredModel

WEIGHTS_FILE: Final = "weights.json"

S = TypeVar("S", bound=msgspec.Struct)


def encode_weights(weights: msgspec.Struct) -> dict[str, bytes]:
    """Return the one file of a model that is a few numbers."""
    return {WEIGHTS_FILE: msgspec.json.encode(weights, order="deterministic")}


def decode_weights(stored: StoredModel, kind: type[S]) -> S:
    """Return the numbers of a stored model.

    Raises
    ------
    BundleError
        Where the file is absent or has other fields or types.
    """
    raw = stored.files.get(WEIGHTS_FILE)
    if raw is None:
        raise BundleError("weights are absent", where=WEIGHTS_FILE, todo="train the model again")
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(
            "weights cannot be decoded",
            where=WEIGHTS_FILE,
            expected=", ".join(kind.__struct_fields__),
            found=str(error),
            todo="train the model again",
        ) from error


def require_probabilities(p_NK: NDArray[np.float64], n_classes: int) -> None:
    """Refuse stored rows that are not distributions over the classes.

    Raises
    ------
    BundleError
        Where the number of classes differs, a row does not sum to 1 or has a negative entry.
    """
    sound = (
        p_NK.ndim == 2
        and p_NK.shape[0] > 0
        and p_NK.shape[1] == n_classes
        and bool(np.all(p_NK >= 0))
        and bool(np.allclose(p_NK.sum(axis=1), 1.0, atol=1e-6))
    )
    if not sound:
        raise BundleError(
            "weights are not class probabilities",
            where=WEIGHTS_FILE,
            expected=f"rows of {n_classes} non-negative numbers that sum to 1",
            found=f"shape {p_NK.shape}",
            todo="train the model again",
        )
