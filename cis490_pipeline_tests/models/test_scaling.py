"""The normalisation is missing-aware, robust, and harmless on odd channels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.datasets.cases import ArraySequences
from cis490_pipeline.models.networks.standardise import Standardise
from cis490_pipeline.models.scaling import fit_scaling


def _scaled(x_NCT, on=None):
    x_NCT = x_NCT.astype(np.float32)
    layer = Standardise(x_NCT.shape[1], 0.0).eval()
    layer.adopt(fit_scaling(ArraySequences(x_NCT=x_NCT), len(x_NCT)))
    return layer(torch.from_numpy(x_NCT if on is None else on.astype(np.float32))).numpy()


def test_a_normal_channel_becomes_standard():
    x_NCT = np.random.default_rng(0).normal(5e8, 3e6, size=(200, 1, 50))
    z_NT = _scaled(x_NCT)[:, 0]
    assert abs(z_NT.mean()) < 0.05
    assert 0.9 < z_NT.std() < 1.1


def test_a_heavy_tail_is_logarithmic_and_stays_in_order():
    generator = np.random.default_rng(0)
    x_NCT = generator.lognormal(8, 3, size=(200, 1, 50))
    scaling = fit_scaling(ArraySequences(x_NCT=x_NCT.astype(np.float32)), 200)
    assert scaling.unit_C[0] > 0
    ladder = np.logspace(2, 5, 20).reshape(1, 1, 20)
    assert np.all(np.diff(_scaled(x_NCT, on=ladder)[0, 0]) > 0)


def test_missing_values_become_zero_with_a_zero_mask():
    x_NCT = np.random.default_rng(0).normal(7, 1, size=(30, 2, 10))
    x_NCT[3, 1, 4:] = np.nan
    x_NCT[4, 0, 0] = np.inf
    z = _scaled(x_NCT)
    assert z.shape == (30, 4, 10)
    assert np.all(z[3, 1, 4:] == 0)
    assert np.all(z[3, 3, 4:] == 0)
    assert z[4, 0, 0] == z[4, 2, 0] == 0
    assert z[3, 3, 0] == 1


def test_missing_values_do_not_move_the_constants():
    x_NCT = np.random.default_rng(0).normal(7, 2, size=(400, 1, 10)).astype(np.float32)
    holed = np.concatenate((x_NCT, np.full_like(x_NCT, np.nan)))
    whole, part = (fit_scaling(ArraySequences(x_NCT=x), len(x)) for x in (x_NCT, holed))
    np.testing.assert_allclose(whole.center_C, part.center_C, rtol=1e-6)
    np.testing.assert_allclose(whole.gain_C, part.gain_C, rtol=1e-6)


@pytest.mark.parametrize("level", [0.0, 2.5e8, -1.0])
def test_a_channel_that_never_moved_is_muted_on_every_host(level):
    z = _scaled(np.full((20, 1, 8), level), on=np.full((2, 1, 8), 1e9))
    assert np.all(z[:, 0] == 0)
    assert np.all(z[:, 1] == 1)


def test_a_channel_that_was_never_seen_is_muted():
    assert np.all(_scaled(np.full((20, 1, 8), np.nan), on=np.ones((2, 1, 8)))[:, 0] == 0)


def test_a_rare_burst_is_not_taken_for_a_constant():
    x_NCT = np.zeros((100, 1, 50))
    x_NCT[7, 0, 3] = 1000.0
    assert _scaled(x_NCT)[7, 0, 3] > 1


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    scale=st.floats(1e-6, 1e12),
    missing=st.floats(0, 1),
    n_cases=st.integers(1, 12),
)
def test_whatever_comes_in_finite_and_bounded_goes_out(seed, scale, missing, n_cases):
    generator = np.random.default_rng(seed)
    x_NCT = generator.standard_cauchy((n_cases, 3, 8)) * scale
    x_NCT[generator.random(x_NCT.shape) < missing] = np.nan
    z = _scaled(x_NCT)
    assert np.all(np.isfinite(z))
    assert np.abs(z).max() <= 3.0


def test_hidden_runs_are_neighbours_and_only_while_training():
    torch.manual_seed(0)
    layer = Standardise(10, 1.0)
    x_BCT = torch.ones(200, 10, 4)
    mask_BC = layer(x_BCT)[:, 10:, 0]
    edges = (mask_BC != mask_BC.roll(1, dims=1)).sum(dim=1)
    assert set(edges.tolist()) <= {0, 2}
    assert 0.6 < float(mask_BC.mean()) < 0.9
    assert float(layer.eval()(x_BCT)[:, 10:].mean()) == 1.0
