"""The reference of the transformer row: ``nn.TransformerEncoder`` with a token for each tick.

It goes through the project's own loop, on the same cases, with the same scaling layer; what differs
is the network.

Shape suffixes: B a batch of cases, C channels, T timepoints, D features, K classes.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from cis490_pipeline.models.classifier import (
    CaseShape,
    HyperParameters,
    NetworkHyperParameters,
)
from cis490_pipeline.models.network_family import network_family
from cis490_pipeline.models.networks.standardise import Standardise

_WIDTH: Final = 64
_LAYERS: Final = 2
_HEADS: Final = 4
_DROPOUT: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHyperParameters(NetworkHyperParameters):
    """Only what the loop needs."""


class TokenTransformer(nn.Module):
    """Raw ``x_BCT`` to logits ``[B, K]``."""

    def __init__(self, shape: CaseShape) -> None:
        super().__init__()
        self.standardise = Standardise(shape.n_channels, 0.0)
        self.embed = nn.Linear(2 * shape.n_channels, _WIDTH)
        self.position = nn.Parameter(0.02 * torch.randn(shape.n_timepoints, _WIDTH))
        layer = nn.TransformerEncoderLayer(
            _WIDTH, _HEADS, dim_feedforward=4 * _WIDTH, dropout=_DROPOUT, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(_WIDTH, shape.n_classes)

    def forward(self, x_BCT: Tensor) -> Tensor:
        h_BTD = self.embed(self.standardise(x_BCT).transpose(1, 2)) + self.position
        return self.head(self.encoder(h_BTD).mean(dim=1))


def _build(hyper_parameters: HyperParameters, shape: CaseShape) -> nn.Module:
    return TokenTransformer(shape)


TOKEN_TRANSFORMER: Final = network_family("token_transformer", TokenHyperParameters(), _build)
