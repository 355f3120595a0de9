"""What ``gru`` and ``lstm`` share: everything but the cell.

They read tokens of half a second and not single ticks: recurrent networks are weak on long, held
series, and 20 steps train five times as fast as 100. Both directions, because a window is complete
before it is judged. All steps are pooled (mean and maximum) and not the last one alone: the last
steps of a padded case, or of one that ends in an outage, hold nothing. Presence masks are inputs;
runs of channels are hidden at random while training, since another host lacks whole sources. One
layer: a few hundred cases do not fill more, and the tokens have looked at their neighbours already.

Not here: the network (``networks.recurrent``).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from cis490_pipeline.models.classifier import (
    CaseShape,
    FamilySpec,
    HyperParameters,
    NetworkHyperParameters,
)
from cis490_pipeline.models.network_family import network_family, plan_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentHyperParameters(NetworkHyperParameters):
    """Size and regularisation of the network.

    Attributes
    ----------
    width
        Features of a token.
    hidden
        State of each direction.
    channel_dropout
        Share of the training cases in which a run of channels is hidden.
    """

    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 2e-3
    label_smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    width: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    hidden: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    layers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.3
    channel_dropout: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5


GRID: Final = (
    RecurrentHyperParameters(),
    RecurrentHyperParameters(hidden=32),
    RecurrentHyperParameters(dropout=0.5),
    RecurrentHyperParameters(learning_rate=5e-4),
)
"""Smaller, more regularised, slower."""


def recurrent_family(cell: Literal["gru", "lstm"]) -> FamilySpec:
    """Return the family of a cell."""

    def build(hyper_parameters: HyperParameters, shape: CaseShape) -> "nn.Module":
        from cis490_pipeline.models.networks.recurrent import RecurrentNetwork, RecurrentPlan

        return RecurrentNetwork(plan_of(RecurrentPlan, hyper_parameters, cell=cell), shape)

    return network_family(cell, RecurrentHyperParameters(), build, grid=GRID)
