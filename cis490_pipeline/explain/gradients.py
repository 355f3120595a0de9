"""Integrated gradients of a network, with missing values that stay missing.

Shape suffixes: B a batch of windows, C channels or summary columns, T timepoints, K phases.

The baseline is the training median of every channel that is present (0 after the network's own
normalisation), and nothing where the window has nothing: a baseline that filled the holes would be
a window that no host could record. So an outage itself is not attributed; the share of missing
ticks, where a family reads it as a column, is a value like any other.

The path from the baseline is straight in *normalised* units. A straight path in raw units would
spend nearly all of itself where the normalisation saturates (telemetry spans eleven orders of
magnitude), and no affordable number of steps would converge. Each raw value maps to one normalised
value, so attributions of raw values are those of normalised ones; completeness holds for any path.

Not here: trees and linear models. Source: Sundararajan, Taly and Yan 2017, *Axiomatic Attribution
for Deep Networks*; Captum's ``IntegratedGradients`` (Gauss-Legendre).
"""

import copy
from typing import Final

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from torch import Tensor, nn

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.explain.attributions import Attributions
from cis490_pipeline.models.networks.classifier import NetworkClassifier, torch_threads
from cis490_pipeline.models.views import channel_view

STEPS: Final = (16, 64, 256, 1024)
"""Points on the path: a window whose sum is still off gets the next number of them. Nearly all are
done with 16; where another step becomes the largest one (pooling), gradients jump: more are due."""
_ROWS_AT_ONCE: Final = 512


class _BehindNormalisation(nn.Module):
    """The network from its normalised values on; which of them are present is given, not varied."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        self.network.standardise = nn.Identity()

    def forward(self, z_BCT: Tensor, mask_BCT: Tensor) -> Tensor:
        """Return the logits ``[B, K]`` relative to their mean."""
        logit_BK = self.network(torch.cat((z_BCT, mask_BCT), dim=1))
        return logit_BK - logit_BK.mean(dim=1, keepdim=True)


def network_attributions(classifier: NetworkClassifier, cases: Cases) -> Attributions:
    """Attribute windows to the logit of their own phase; summed over time, so completeness holds.

    cuDNN is off meanwhile: its recurrent networks have no backward pass in evaluation mode.
    """
    n_channels = channel_view(cases, classifier.inputs).n_channels
    value_NF = np.zeros((cases.n_cases, n_channels))
    difference_N = np.zeros(cases.n_cases)
    pending_N = np.arange(cases.n_cases)
    rest = _BehindNormalisation(classifier.network).eval()
    with torch_threads(classifier.compute.threads), torch.backends.cudnn.flags(enabled=False):
        for steps in STEPS:
            size = max(1, _ROWS_AT_ONCE // steps)
            for start in range(0, pending_N.size, size):
                index_B = pending_N[start : start + size]
                done = _batch(classifier, rest, cases, index_B, steps)
                value_NF[index_B], difference_N[index_B] = done.value_NF, done.difference_N
            found = Attributions(value_NF=value_NF, difference_N=difference_N)
            pending_N = np.flatnonzero(found.is_off)
    return Attributions(value_NF=value_NF, difference_N=difference_N)


def _batch(
    classifier: NetworkClassifier,
    rest: nn.Module,
    cases: Cases,
    index_B: NDArray[np.int64],
    steps: int,
) -> Attributions:
    x_BCT = channel_view(cases, classifier.inputs).gather(index_B)
    raw_BCT = torch.from_numpy(np.ascontiguousarray(x_BCT, dtype=np.float32))
    target_B = torch.from_numpy(cases.y_N[index_B]).to(classifier.compute.device)
    with torch.no_grad():
        normalise = classifier.network.get_submodule("standardise")
        scaled_BCT = normalise(raw_BCT.to(classifier.compute.device))
    z_BCT, mask_BCT = scaled_BCT.chunk(2, dim=1)
    median_BCT = torch.zeros_like(z_BCT)
    attributed_BCT = IntegratedGradients(rest).attribute(
        z_BCT,
        baselines=median_BCT,
        target=target_B,
        additional_forward_args=(mask_BCT,),
        n_steps=steps,
    )
    with torch.no_grad():
        moved_BK = rest(z_BCT, mask_BCT) - rest(median_BCT, mask_BCT)
        difference_B = moved_BK.gather(1, target_B[:, None])[:, 0]
    return Attributions(
        value_NF=attributed_BCT.detach().double().sum(dim=2).cpu().numpy(),
        difference_N=difference_B.double().cpu().numpy(),
    )
