"""Weights of models that are a few arrays: one safetensors file, decoded strictly.

Not here: networks (``networks.classifier``), the bundle around it (``bundle``).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import StoredModel

WEIGHTS_FILE: Final = "weights.safetensors"
LARGEST_HEADER_BYTES: Final = 1 << 20

Arrays = Mapping[str, NDArray[np.generic]]


def encode_arrays(arrays: Arrays) -> dict[str, bytes]:
    """Return the one file of a model that is a few arrays."""
    import safetensors.numpy

    tensors = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    return {WEIGHTS_FILE: safetensors.numpy.save(tensors)}


def refusal(what: str, *, expected: str = "", found: str = "") -> BundleError:
    """Return the error of a weights file that cannot be used."""
    return BundleError(
        what, where=WEIGHTS_FILE, expected=expected, found=found, todo="train the model again"
    )


def weights_bytes(stored: StoredModel) -> bytes:
    """Return the weights file of a stored model, its header bounded.

    Raises
    ------
    BundleError
        Where it is absent or asks for a huge header.
    """
    raw = stored.files.get(WEIGHTS_FILE)
    if raw is None or len(raw) < 8:
        raise refusal("weights are absent")
    if int.from_bytes(raw[:8], "little") > LARGEST_HEADER_BYTES:
        raise refusal("safetensors header too large", expected=f"{LARGEST_HEADER_BYTES} bytes")
    return raw


def decode_arrays(
    stored: StoredModel, expected: Mapping[str, tuple[str, int]]
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of a stored model.

    Parameters
    ----------
    expected
        Name → dtype and number of dimensions.

    Raises
    ------
    BundleError
        Where one is absent, surplus, of another type, or has values that are not finite.
    """
    import safetensors
    import safetensors.numpy

    raw = weights_bytes(stored)
    try:
        found = safetensors.numpy.load(raw)
    except (safetensors.SafetensorError, KeyError, ValueError, TypeError) as error:
        raise refusal("weights are not safetensors", found=str(error)) from error
    if found.keys() != expected.keys():
        raise refusal(
            "weights of another model",
            expected=", ".join(sorted(expected)),
            found=", ".join(sorted(found))[:200],
        )
    for name, (dtype, ndim) in expected.items():
        array = found[name]
        if array.dtype != np.dtype(dtype) or array.ndim != ndim:
            what = f"array {name!r} is {array.dtype} with {array.ndim} dimensions"
            raise refusal(what, expected=f"{dtype} with {ndim}")
        if not bool(np.isfinite(array).all()):
            raise refusal(f"array {name!r} has values that are not finite")
    return found


def require_sizes(arrays: Arrays, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse arrays of other sizes.

    Raises
    ------
    BundleError
        Naming the first one.
    """
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise refusal(
                f"array {name!r} has another size",
                expected=str(shape),
                found=str(arrays[name].shape),
            )
