"""Lines are counted as Python counts them."""

import numpy as np
import pytest

from cis490_pipeline.episodes.row_kernels import count_newlines


@pytest.mark.parametrize("n_bytes", [0, 1, 127, 128, 129, 255, 256, 257, 5_000])
@pytest.mark.parametrize("byte", [b"\n", b"\x0b", b"\x8a", b"}\n", b"\n\0"])
def test_newlines_are_those_that_python_counts(n_bytes, byte):
    text = (byte * n_bytes)[:n_bytes]
    assert count_newlines(np.frombuffer(text, np.uint8)) == text.count(b"\n")


def test_newlines_of_random_bytes_are_those_that_python_counts():
    random = np.random.default_rng(0)
    for _ in range(50):
        text = random.integers(5, 15, size=int(random.integers(2_000)), dtype=np.uint8)
        assert count_newlines(text) == text.tobytes().count(b"\n")
