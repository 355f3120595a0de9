"""Parts of the networks: tokens, pooling, attention over outages, the scaling layer."""

from typing import Any

import numpy as np
import pytest
import torch

from cis490_pipeline.datasets.cases import ArraySequences
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.classifier import CaseShape, Inputs, Network
from cis490_pipeline.models.networks.masked import MaskedReconstruction, hidden_spans
from cis490_pipeline.models.networks.pooling import masked_pool
from cis490_pipeline.models.networks.standardise import Standardise
from cis490_pipeline.models.networks.tokens import TokenStem, patch_length
from cis490_pipeline.models.scaling import fit_scaling, scaled_columns

SEQUENCE = [
    spec
    for spec in FAMILIES
    if isinstance(spec.fitting, Network) and spec.inputs is Inputs.SEQUENCE
]


def built(spec, n_channels: int, n_timepoints: int) -> Any:
    torch.manual_seed(0)
    shape = CaseShape(n_channels=n_channels, n_timepoints=n_timepoints, n_classes=3)
    network = spec.fitting.build(spec.hyper_parameters, shape).eval()
    network.standardise.gain.fill_(1.0)
    return network


@pytest.mark.parametrize("n_timepoints", [1, 7, 20, 29, 40, 41, 100, 101, 300, 999, 1500])
def test_a_case_of_any_length_becomes_at_most_forty_tokens(n_timepoints: int) -> None:
    stem = TokenStem(2, n_timepoints, 8)
    z_BCT = torch.zeros(3, 4, n_timepoints)
    z_BCT[:, 2:, -1] = 1.0  # only the last timepoint is present
    h_BSD, present_BS = stem(z_BCT)
    assert h_BSD.shape == (3, stem.n_tokens, 8)
    assert stem.n_tokens == -(-n_timepoints // patch_length(n_timepoints)) <= 40
    assert present_BS.sum(dim=1).tolist() == [1.0] * 3
    assert present_BS[:, -1].tolist() == [1.0] * 3


def test_pooling_leaves_absent_steps_out() -> None:
    h_BDS = torch.tensor([[[-3.0, -1.0, 50.0]], [[9.0, 9.0, 9.0]]])
    present_BS = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert masked_pool(h_BDS, present_BS).tolist() == [[-2.0, -1.0], [0.0, 0.0]]


@pytest.mark.parametrize("spec", SEQUENCE, ids=lambda spec: spec.name)
@pytest.mark.parametrize(("n_channels", "n_timepoints"), [(1, 20), (3, 250), (2, 1500)])
def test_networks_take_any_shape_with_outages(spec, n_channels: int, n_timepoints: int) -> None:
    x_BCT = torch.randn(4, n_channels, n_timepoints)
    x_BCT[1, :, n_timepoints // 3 :] = torch.nan
    x_BCT[2, 0] = torch.nan
    x_BCT[3] = torch.nan
    logits_BK = built(spec, n_channels, n_timepoints)(x_BCT)
    assert logits_BK.shape == (4, 3)
    assert bool(torch.isfinite(logits_BK).all())


@pytest.mark.parametrize("name", ["transformer", "bert"])
def test_absent_tokens_are_not_attended_to(name: str) -> None:
    """What the stem makes of padding (its bias) must not reach the present tokens."""
    spec = next(spec for spec in FAMILIES if spec.name == name)
    network = built(spec, 2, 40)
    x_BCT = torch.randn(1, 2, 40)
    x_BCT[:, :, 20:] = torch.nan
    whole = network(x_BCT)
    with torch.no_grad():
        network.trunk.position_SD[22:] += 100.0  # beyond the reach of the neighbour convolution
    torch.testing.assert_close(network(x_BCT), whole)


@pytest.mark.parametrize("unit", ["linear", "heavy"])
def test_the_layer_and_the_columns_are_scaled_alike(unit: str) -> None:
    generator = np.random.default_rng(0)
    x_NF = generator.normal(5.0, 2.0, size=(200, 4)).astype(np.float32)
    if unit == "heavy":
        x_NF = (np.sign(x_NF) * np.exp(4 * np.abs(x_NF))).astype(np.float32)
    x_NF[:, 3] = 7.0
    x_NF[generator.random(x_NF.shape) < 0.1] = np.nan
    scaling = fit_scaling(ArraySequences(x_NCT=x_NF[:, :, None]), 200)
    layer = Standardise(4, 0.0)
    layer.adopt(scaling)
    z_NC = layer(torch.from_numpy(x_NF)[:, :, None]).numpy()[:, :, 0]
    expected_NF = scaled_columns(x_NF, scaling)
    np.testing.assert_array_equal(z_NC[:, 4:], np.isfinite(expected_NF))
    np.testing.assert_allclose(z_NC[:, :4], np.nan_to_num(expected_NF), atol=1e-5)


def test_a_single_channel_is_never_hidden_while_training() -> None:
    layer = Standardise(1, 1.0).train()
    layer.get_buffer("gain").fill_(1.0)
    torch.manual_seed(0)
    assert bool((layer(torch.ones(500, 1, 3))[:, 1] == 1).all())


@pytest.mark.parametrize(("share", "length"), [(0.15, 3), (0.5, 1), (0.4, 5)])
def test_spans_hide_the_declared_share_in_runs(share: float, length: int) -> None:
    torch.manual_seed(0)
    hidden = hidden_spans((400, 4, 20), share, length)
    assert hidden.shape == (400, 4, 20)
    assert abs(float(hidden.mean()) - share) < 0.03
    inner = hidden[:, :, length:-length]
    starts = (inner[:, :, 1:] - inner[:, :, :-1]).clamp(min=0).sum()
    assert float(inner.sum()) / float(starts + 1) >= length


def test_the_reconstruction_never_sees_what_it_is_asked_for() -> None:
    """With everything hidden the guess is the same whatever the values were."""
    spec = next(spec for spec in FAMILIES if spec.name == "bert")
    network = built(spec, 2, 20)
    objective = MaskedReconstruction(network, 0.999999, 1).eval()
    guesses = []
    objective.trunk.register_forward_hook(lambda *seen: guesses.append(seen[2][0]))
    for x_BCT in (torch.zeros(2, 2, 20), torch.randn(2, 2, 20)):
        torch.manual_seed(1)
        assert objective(x_BCT).item() >= 0
    torch.testing.assert_close(guesses[0], guesses[1])
