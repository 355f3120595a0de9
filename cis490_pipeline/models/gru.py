"""``gru``: a bidirectional gated recurrent network on the raw grid.

It reads tokens of half a second and not single ticks: recurrent networks are weak on long, held
series, and 20 steps train five times as fast as 100. Both directions, because a window is complete
before it is judged. All steps are pooled (mean and maximum) and not the last one alone: the last
steps of a padded case, or of one that ends in an outage, hold nothing. Presence masks are inputs;
runs of channels are hidden at random while training, since another host lacks whole sources. One
layer: a few hundred cases do not fill more, and the tokens have looked at their neighbours already.

Source: Cho et al. 2014.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from cis490_pipeline.models.classifier import (
    CHANNEL_MODES,
    CaseShape,
    Classifier,
    FamilySpec,
    HyperParameters,
    Inputs,
    Network,
    NetworkHyperParameters,
    StoredModel,
    narrow,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class GruHyperParameters(NetworkHyperParameters):
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


def _build(hyper_parameters: HyperParameters, shape: CaseShape) -> "nn.Module":
    from cis490_pipeline.models.networks.recurrent import RecurrentNetwork, RecurrentPlan

    chosen = narrow(hyper_parameters, GruHyperParameters)
    plan = RecurrentPlan(
        cell="gru",
        width=chosen.width,
        hidden=chosen.hidden,
        layers=chosen.layers,
        dropout=chosen.dropout,
        channel_dropout=chosen.channel_dropout,
    )
    return RecurrentNetwork(plan, shape)


def _load(stored: StoredModel) -> Classifier:
    from cis490_pipeline.models.networks.classifier import load_network

    return load_network(_build, Inputs.SEQUENCE, stored)


GRU: Final = FamilySpec(
    name="gru",
    inputs=Inputs.SEQUENCE,
    modes=CHANNEL_MODES,
    wants_gpu=True,
    hyper_parameters=GruHyperParameters(),
    fitting=Network(build=_build),
    load=_load,
)
"""The family."""
