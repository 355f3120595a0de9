"""``transformer``: a small encoder over patches of the raw grid.

Two pre-norm layers of width 64 over tokens of half a second. Patches and not ticks: attention over
100 held ticks costs eleven times as much and sees the same values. Positions are learned and a
depth-wise convolution tells neighbours, so that order within a token's surroundings needs no
attention. All tokens are pooled (mean and maximum) instead of a class token, which a few hundred
cases do not teach where to look. Absent tokens are neither attended to nor pooled; presence masks
are inputs; runs of channels are hidden at random while training.

Source: Zerveas et al. 2021, *A Transformer-based Framework for Multivariate Time Series
Representation Learning*; Nie et al. 2023 (patches).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from cis490_pipeline.models.classifier import (
    CaseShape,
    HyperParameters,
    NetworkHyperParameters,
)
from cis490_pipeline.models.network_family import network_family, plan_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerHyperParameters(NetworkHyperParameters):
    """Size and regularisation of the network.

    Attributes
    ----------
    width
        Features of a token; a multiple of ``heads``.
    expansion
        The perceptron of a layer is so many times as wide.
    channel_dropout
        Share of the training cases in which a run of channels is hidden.
    """

    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1e-3
    label_smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    width: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    heads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    layers: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2
    expansion: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.2
    channel_dropout: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")


def _build(hyper_parameters: HyperParameters, shape: CaseShape) -> "nn.Module":
    from cis490_pipeline.models.networks.attention import TransformerNetwork, TransformerPlan

    return TransformerNetwork(plan_of(TransformerPlan, hyper_parameters), shape)


GRID: Final = (
    TransformerHyperParameters(),
    TransformerHyperParameters(width=32),
    TransformerHyperParameters(dropout=0.4),
    TransformerHyperParameters(learning_rate=3e-4),
)
"""Narrower, more regularised, slower."""

TRANSFORMER: Final = network_family("transformer", TransformerHyperParameters(), _build, grid=GRID)
"""The family."""
