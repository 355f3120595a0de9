"""What all network families have in common: the one loop fits them, one way loads them.

Not here: the families, their networks (``networks``). Importing this module does not import torch.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from cis490_pipeline.models.classifier import (
    CHANNEL_MODES,
    CaseShape,
    Classifier,
    FamilySpec,
    HyperParameters,
    Inputs,
    Network,
    StoredModel,
)

if TYPE_CHECKING:
    from torch import nn

    Build = Callable[[HyperParameters, CaseShape], nn.Module]
    Pretraining = Callable[[nn.Module, HyperParameters], nn.Module]

P = TypeVar("P")


def network_family(
    name: str,
    hyper_parameters: HyperParameters,
    build: "Build",
    *,
    inputs: Inputs = Inputs.SEQUENCE,
    pretraining: "Pretraining | None" = None,
    grid: tuple[HyperParameters, ...] = (),
) -> FamilySpec:
    """Return a family that the torch loop fits, in both channel modes, on a GPU where there is one.

    Parameters
    ----------
    build, pretraining
        As in ``Network``.
    grid
        As in ``FamilySpec``.
    """

    def load(stored: StoredModel) -> Classifier:
        from cis490_pipeline.models.networks.classifier import load_network

        return load_network(build, inputs, stored)

    return FamilySpec(
        name=name,
        inputs=inputs,
        modes=CHANNEL_MODES,
        wants_gpu=True,
        hyper_parameters=hyper_parameters,
        fitting=Network(build=build, pretraining=pretraining),
        load=load,
        grid=grid,
    )


def plan_of(kind: type[P], hyper_parameters: HyperParameters, **more: Any) -> P:
    """Return the plan of a network: the hyper-parameters of the same names, and ``more``."""
    names = [one.name for one in fields(kind) if one.name not in more]  # pyright: ignore[reportArgumentType]
    return kind(**{name: getattr(hyper_parameters, name) for name in names}, **more)
