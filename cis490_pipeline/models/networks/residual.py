"""The residual convolutional network behind ``cnn``.

Shape suffixes: B a batch of cases, C channels, T timepoints, S steps after striding, D features,
K classes.

Source: Wang, Yan and Oates 2017, *Time Series Classification from Scratch*.
"""

from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn
from torch.nn import functional

from cis490_pipeline.models.classifier import CaseShape
from cis490_pipeline.models.networks.pooling import masked_pool
from cis490_pipeline.models.networks.standardise import Standardise

_LONGEST_UNSTRIDED: Final = 32
"""A block halves the time axis as long as it is longer than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualPlan:
    """Size of the network; the fields are those of ``CnnHyperParameters``."""

    filters: int
    blocks: int
    kernel: int
    dropout: float
    channel_dropout: float


def _convolution(n_in: int, n_out: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(n_out),
    )


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut; the first one may halve the time axis."""

    def __init__(self, n_in: int, n_out: int, plan: ResidualPlan, stride: int) -> None:
        super().__init__()
        self.first = _convolution(n_in, n_out, plan.kernel, stride)
        self.dropout = nn.Dropout(plan.dropout)
        self.second = _convolution(n_out, n_out, plan.kernel, 1)
        plain = n_in == n_out and stride == 1
        self.shortcut = nn.Identity() if plain else _convolution(n_in, n_out, 1, stride)

    def forward(self, h_BDS: Tensor) -> Tensor:
        """Return the block's features."""
        inner_BDS = self.second(self.dropout(functional.relu(self.first(h_BDS))))
        return functional.relu(inner_BDS + self.shortcut(h_BDS))


class ResidualNetwork(nn.Module):
    """Raw ``x_BCT`` to logits ``[B, K]``."""

    def __init__(self, plan: ResidualPlan, shape: CaseShape) -> None:
        super().__init__()
        self.standardise = Standardise(shape.n_channels, plan.channel_dropout)
        self.n_channels = shape.n_channels
        self.stride = 1
        blocks: list[nn.Module] = []
        length, n_in = shape.n_timepoints, 2 * shape.n_channels
        for number in range(plan.blocks):
            stride = 2 if length > _LONGEST_UNSTRIDED else 1
            n_out = plan.filters * (1 if number == 0 else 2)
            blocks.append(ResidualBlock(n_in, n_out, plan, stride))
            length, n_in = (length + stride - 1) // stride, n_out
            self.stride *= stride
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.Dropout(plan.dropout), nn.Linear(2 * n_in, shape.n_classes))

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Return the logits."""
        z_BCT = self.standardise(x_BCT)
        h_BDS = self.blocks(z_BCT)
        any_B1T = z_BCT[:, self.n_channels :].amax(dim=1, keepdim=True)
        present_BS = functional.max_pool1d(any_B1T, self.stride, ceil_mode=True)[:, 0]
        return self.head(masked_pool(h_BDS, present_BS))
