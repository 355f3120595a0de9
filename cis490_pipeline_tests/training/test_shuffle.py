"""The order of cases is a pure, complete and local permutation."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.training.shuffle import batches, shuffled_order


@settings(max_examples=100, deadline=None)
@given(
    n=st.integers(1, 500), seed=st.integers(0, 99), epoch=st.integers(0, 9), run=st.integers(1, 64)
)
def test_it_is_a_permutation_and_a_pure_function(n, seed, epoch, run):
    orders = [
        shuffled_order(n, seed=seed, epoch=epoch, run_cases=run, pool_runs=3) for _ in range(2)
    ]
    np.testing.assert_array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(np.sort(orders[0]), np.arange(n))


def test_epochs_and_seeds_differ():
    orders = {
        tuple(shuffled_order(100, seed=seed, epoch=epoch))
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    }
    assert len(orders) == 3


def test_reads_stay_inside_a_pool_of_runs():
    order = shuffled_order(10_000, seed=3, epoch=0, run_cases=100, pool_runs=4)
    touched = np.unique(order[:300] // 100).size
    assert touched <= 8
    assert not np.array_equal(order[:100], np.sort(order[:100]))


@settings(max_examples=100, deadline=None)
@given(n=st.integers(2, 400), size=st.integers(2, 64))
def test_batches_are_sorted_even_and_complete(n, size):
    found = list(batches(n, size, seed=0, epoch=0))
    sizes = [len(index_B) for index_B in found]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1
    assert all(np.all(np.diff(index_B) > 0) for index_B in found)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(n))
