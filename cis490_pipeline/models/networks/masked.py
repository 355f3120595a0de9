"""Masked-span reconstruction: the pre-training objective of ``bert``.

Shape suffixes: B a batch of cases, C channels, T timepoints, S tokens, D features.

Spans of neighbouring tokens are hidden and the trunk says what was there. In half of the cases
every channel has spans of its own (the others are the clue: sources depend on each other), in the
other half all channels share them (the past and the future are). What is hidden looks to the trunk
like what is missing, so that no mask token is needed and pre-training is practice for outages.

Source: Zerveas et al. 2021, *A Transformer-based Framework for Multivariate Time Series
Representation Learning* (TST).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cis490_pipeline.models.networks.attention import TransformerNetwork


def hidden_spans(shape_BCS: tuple[int, int, int], share: float, length: int) -> Tensor:
    """Return ``[B, C, S]``, 1 where a token is hidden, about ``share`` of all.

    Spans start anywhere, also before the first token, and may overlap.
    """
    n_cases, n_channels, n_tokens = shape_BCS
    chance = 1.0 - (1.0 - share) ** (1.0 / length)
    own_BCS = torch.rand(n_cases, n_channels, n_tokens + length - 1)
    joint_B1S = torch.rand(n_cases, 1, n_tokens + length - 1)
    joint_B11 = torch.rand(n_cases, 1, 1) < 0.5
    start_BCS = (torch.where(joint_B11, joint_B1S, own_BCS) < chance).float()
    return functional.max_pool1d(start_BCS, length, stride=1)


class MaskedReconstruction(nn.Module):
    """Raw ``x_BCT`` to the mean error over the values that were hidden."""

    def __init__(self, network: TransformerNetwork, share: float, length: int) -> None:
        super().__init__()
        self.standardise = network.standardise
        self.trunk = network.trunk
        self.share = share
        self.length = length
        stem = network.trunk.stem
        width = network.trunk.norm.normalized_shape[0]
        self.decode = nn.Linear(width, stem.n_channels * stem.patch)

    def _decoded(self, h_BSD: Tensor, n_timepoints: int) -> Tensor:
        stem = self.trunk.stem
        flat = self.decode(h_BSD).unflatten(2, (stem.n_channels, stem.patch))
        return flat.permute(0, 2, 1, 3).flatten(start_dim=2)[:, :, :n_timepoints]

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Return the loss."""
        stem = self.trunk.stem
        value_BCT, present_BCT = self.standardise(x_BCT).chunk(2, dim=1)
        shape = (x_BCT.shape[0], stem.n_channels, stem.n_tokens)
        hidden_BCS = hidden_spans(shape, self.share, self.length).to(x_BCT.device)
        hidden_BCT = hidden_BCS.repeat_interleave(stem.patch, dim=2)[:, :, : x_BCT.shape[2]]
        shown_BCT = present_BCT * (1.0 - hidden_BCT)
        h_BSD, _ = self.trunk(torch.cat((value_BCT * shown_BCT, shown_BCT), dim=1))
        asked_BCT = present_BCT * hidden_BCT
        error_BCT = functional.smooth_l1_loss(
            self._decoded(h_BSD, x_BCT.shape[2]), value_BCT, reduction="none"
        )
        return (error_BCT * asked_BCT).sum() / asked_BCT.sum().clamp(min=1.0)
