"""``mlp``: a small perceptron on the window statistics.

Three hidden layers are the default of the published comparisons of time-series classifiers; on
window statistics two of 256 suffice, and BatchNorm with dropout of 0.3 keeps 40 cases from being
learned by heart. Statistics span eleven orders of magnitude: the columns are standardised by
constants fitted on train (a signed logarithm where tails are heavy), and whether a value is present
is an input of its own. Runs of columns are hidden at random while training, since another host
lacks whole sources; in a context, half of the episodes of every pass are moved as another host
might have recorded them, since a perceptron learns levels by heart sooner than trees do.

Source: Wang, Yan and Oates 2017, *Time Series Classification from Scratch* (MLP).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from cis490_pipeline.models.classifier import (
    CaseShape,
    HyperParameters,
    Inputs,
    NetworkHyperParameters,
)
from cis490_pipeline.models.network_family import network_family, plan_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class MlpHyperParameters(NetworkHyperParameters):
    """Size and regularisation of the network.

    Attributes
    ----------
    hidden
        Width of every hidden layer.
    channel_dropout
        Share of the training cases in which a run of columns is hidden.
    """

    label_smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    moved_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    hidden: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 256
    layers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.3
    channel_dropout: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5


def _build(hyper_parameters: HyperParameters, shape: CaseShape) -> "nn.Module":
    from cis490_pipeline.models.networks.perceptron import Perceptron, PerceptronPlan

    return Perceptron(plan_of(PerceptronPlan, hyper_parameters), shape)


GRID: Final = (
    MlpHyperParameters(),
    MlpHyperParameters(hidden=64),
    MlpHyperParameters(dropout=0.5),
    MlpHyperParameters(learning_rate=3e-3),
)
"""Smaller, more regularised, faster."""

MLP: Final = network_family("mlp", MlpHyperParameters(), _build, inputs=Inputs.SUMMARY, grid=GRID)
"""The family."""
