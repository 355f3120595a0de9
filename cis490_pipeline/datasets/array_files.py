"""One ``.npz`` file of plain arrays, ``x`` and ``y``, read with suspicion.

Shape suffixes: N cases, C channels, T timepoints.

Not here: what is made of them (``array_cases``).
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.errors import ArrayFileError

_NAMES: Final = ("x", "y")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledArrays:
    """Cases ``x_NCT`` (float32, NaN = missing) with integer labels ``label_N`` (int64)."""

    x_NCT: NDArray[np.float32]
    label_N: NDArray[np.int64]


def read_arrays(path: Path) -> LabelledArrays:
    """Read ``x`` (n_cases × n_channels × n_timepoints numbers) and ``y`` (integers).

    Raises
    ------
    ArrayFileError
        Saying what is wrong with the file; nothing in it is ever unpickled.
    """
    raw = _arrays_of(path)
    return LabelledArrays(x_NCT=_values(raw["x"], path), label_N=_labels(raw["y"], raw["x"], path))


def _refusal(what: str, path: Path, *, expected: str, found: str = "") -> ArrayFileError:
    return ArrayFileError(
        what, where=str(path), expected=expected, found=found, todo="write the file again"
    )


def _arrays_of(path: Path) -> dict[str, NDArray[np.generic]]:
    expected = "a .npz file with numeric arrays x and y"
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                raise _refusal("a single array", path, expected=expected, found=".npy content")
            absent = [name for name in _NAMES if name not in loaded.files]
            if absent:
                held = ", ".join(loaded.files) or "nothing"
                raise _refusal(f"array {absent[0]} is absent", path, expected=expected, found=held)
            return {name: loaded[name] for name in _NAMES}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        # numpy says ValueError for object arrays (a pickle) and for torn members
        raise _refusal("cannot be read", path, expected=expected, found=str(error)) from error


def _values(x: NDArray[np.generic], path: Path) -> NDArray[np.float32]:
    expected = "x: n_cases × n_channels × n_timepoints numbers, NaN = missing"
    if x.dtype.kind not in "fiu":
        raise _refusal("x is not numeric", path, expected=expected, found=f"dtype {x.dtype}")
    if x.ndim != 3:
        hint = "; one channel is x[:, None, :]" if x.ndim == 2 else ""
        raise _refusal(
            f"x has {x.ndim} dimensions", path, expected=expected + hint, found=f"shape {x.shape}"
        )
    if 0 in x.shape:
        raise _refusal("x is empty", path, expected=expected, found=f"shape {x.shape}")
    with np.errstate(over="ignore"):
        x_NCT = np.ascontiguousarray(x, dtype=np.float32)
    n_infinite = int(np.isinf(x_NCT).sum())
    if n_infinite:
        raise _refusal(
            "x has values that are infinite or beyond float32",
            path,
            expected="finite values, NaN = missing",
            found=f"{n_infinite} of them",
        )
    return x_NCT


def _labels(y: NDArray[np.generic], x: NDArray[np.generic], path: Path) -> NDArray[np.int64]:
    expected = "y: one integer per case"
    if y.dtype.kind not in "iu" or (y.size and int(y.max()) > np.iinfo(np.int64).max):
        raise _refusal(
            "y is not made of 64-bit integers", path, expected=expected, found=f"dtype {y.dtype}"
        )
    if y.shape != x.shape[:1]:
        raise _refusal(
            "x and y differ in length",
            path,
            expected=f"{expected}, shape ({x.shape[0]},)",
            found=f"shape {y.shape}",
        )
    return y.astype(np.int64)
