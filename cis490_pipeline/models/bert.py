"""``bert``: the transformer, pre-trained by filling in hidden spans, then fine-tuned.

The same encoder as ``transformer``: what differs between the two is the pre-training alone, so that
their difference in the report is its worth. It learns from the training windows without their
labels, in the same number of steps as the fit that follows: a span of half-second tokens is hidden
in each channel by itself or in all of them, and the trunk says what was there. No case of id_val or
of the test set takes part. The trunk is an artifact of its own (``trunk_header``); fine-tuning
begins from it and trains the whole network.

Source: Devlin et al. 2019 (masked pre-training); Zerveas et al. 2021, *A Transformer-based
Framework for Multivariate Time Series Representation Learning*.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from cis490_pipeline.models.classifier import (
    CaseShape,
    HyperParameters,
    PretrainedHyperParameters,
    narrow,
)
from cis490_pipeline.models.network_family import network_family, plan_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class BertHyperParameters(PretrainedHyperParameters):
    """Size and regularisation of the network.

    Attributes
    ----------
    width
        Features of a token; a multiple of ``heads``.
    expansion
        The perceptron of a layer is so many times as wide.
    channel_dropout
        Share of the training cases in which a run of channels is hidden.
    masked_share, span
        About this share of the tokens is hidden while pre-training, in spans of so many.
    """

    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1e-3
    label_smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    width: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    heads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    layers: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2
    expansion: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.2
    channel_dropout: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    masked_share: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.3
    span: Annotated[int, msgspec.Meta(ge=1, le=64)] = 3

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")


def _build(hyper_parameters: HyperParameters, shape: CaseShape) -> "nn.Module":
    from cis490_pipeline.models.networks.attention import TransformerNetwork, TransformerPlan

    return TransformerNetwork(plan_of(TransformerPlan, hyper_parameters), shape)


def _objective(network: "nn.Module", hyper_parameters: HyperParameters) -> "nn.Module":
    from cis490_pipeline.models.networks.attention import TransformerNetwork
    from cis490_pipeline.models.networks.masked import MaskedReconstruction

    chosen = narrow(hyper_parameters, BertHyperParameters)
    if not isinstance(network, TransformerNetwork):
        raise TypeError(f"expected a TransformerNetwork, found {type(network).__name__}")
    return MaskedReconstruction(network, chosen.masked_share, chosen.span)


GRID: Final = (
    BertHyperParameters(),
    BertHyperParameters(learning_rate=3e-4),
    BertHyperParameters(learning_rate=3e-3),
    BertHyperParameters(label_smoothing=0.0),
)
"""What fine-tuning alone looks at: all of them begin from one trunk."""

BERT: Final = network_family(
    "bert", BertHyperParameters(), _build, pretraining=_objective, grid=GRID
)
"""The family."""
