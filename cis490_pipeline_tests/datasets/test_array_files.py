"""A file of plain arrays is read strictly, and every refusal says what is wrong with it."""

from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.datasets.array_files import read_arrays
from cis490_pipeline.errors import ArrayFileError

X = np.arange(24.0).reshape(4, 2, 3)
Y = np.array([0, 1, 0, 1])


def written(path: Path, **arrays: object) -> Path:
    np.savez(path / "some.npz", **arrays)
    return path / "some.npz"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16", "uint8"])
def test_numbers_of_any_kind_become_float32(tmp_path: Path, dtype: str) -> None:
    found = read_arrays(written(tmp_path, x=X.astype(dtype), y=Y.astype("int8")))
    assert (found.x_NCT.dtype, found.label_N.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(found.x_NCT, X)
    np.testing.assert_array_equal(found.label_N, Y)


def test_missing_values_stay_missing(tmp_path: Path) -> None:
    holed = np.where(X > 20, np.nan, X)
    found = read_arrays(written(tmp_path, x=holed, y=Y)).x_NCT
    np.testing.assert_array_equal(found, holed)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"y": Y}, "array x is absent"),
        ({"x": X}, "array y is absent"),
        ({"x": X[:, 0], "y": Y}, r"x has 2 dimensions.*x\[:, None, :\]"),
        ({"x": X[..., None], "y": Y}, "x has 4 dimensions"),
        ({"x": X[:0], "y": Y[:0]}, "x is empty"),
        ({"x": X.astype(str), "y": Y}, "x is not numeric"),
        ({"x": X.astype(complex), "y": Y}, "x is not numeric"),
        ({"x": X, "y": Y[:3]}, r"differ in length.*\(4,\).*\(3,\)"),
        ({"x": X, "y": Y[:, None]}, "differ in length"),
        ({"x": X, "y": Y.astype(float)}, "y is not made of 64-bit integers"),
        ({"x": X, "y": np.array(["a", "b", "a", "b"])}, "y is not made of 64-bit integers"),
        ({"x": X, "y": np.full(4, 2**63, dtype=np.uint64)}, "y is not made of 64-bit integers"),
        ({"x": np.where(X == 5, np.inf, X), "y": Y}, "infinite.*1 of them"),
        ({"x": np.where(X == 5, -1e39, X), "y": Y}, "beyond float32.*1 of them"),
        ({"x": X.astype(object), "y": Y}, "cannot be read.*allow_pickle"),
        ({"x": X, "y": Y.astype(object)}, "cannot be read.*allow_pickle"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict, words: str) -> None:
    with pytest.raises(ArrayFileError, match=words):
        read_arrays(written(tmp_path, **arrays))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04.", b"not an archive at all"])
def test_files_that_are_no_archive_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "torn.npz"
    path.write_bytes(data)
    with pytest.raises(ArrayFileError, match=r"torn\.npz"):
        read_arrays(path)


def test_a_torn_archive_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, x=np.zeros((50, 3, 100)), y=np.zeros(50, dtype=int))
    whole = path.read_bytes()
    for size in (len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(ArrayFileError, match="cannot be read"):
            read_arrays(path)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(ArrayFileError, match="single array"):
        read_arrays(tmp_path / "one.npy")
