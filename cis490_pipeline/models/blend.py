"""``blend``: the mean of trees on the window statistics and a network on the raw grid.

What the two get wrong on a host that they never saw differs: trees lose their thresholds where
levels move, the network loses shapes that it never saw at that rate. Equal weights, because weights
fitted on a dozen id_val episodes of the training hosts would fit those hosts. Each member is fitted
as the family of its name, with that family's defaults; the two are not fitted to each other.

Not here: the members (``gbt``, ``cnn``), how they are fitted (``training.blending``).
Source: Krogh and Vedelsby 1995, *Neural Network Ensembles, Cross Validation, and Active Learning*
(the error of a mean is the mean error less the members' disagreement).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.classifier import (
    CHANNEL_MODES,
    Blending,
    CaseShape,
    Classifier,
    FamilySpec,
    HyperParameters,
    Inputs,
    StoredModel,
    narrow,
)
from cis490_pipeline.models.cnn import CNN, CnnHyperParameters
from cis490_pipeline.models.gbt import GBT, GbtHyperParameters
from cis490_pipeline.models.views import part_of

if TYPE_CHECKING:
    import onnx

_MEMBERS: Final = (GBT, CNN)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlendHyperParameters(HyperParameters):
    """How long the members are fitted; all else are the defaults of their families.

    Attributes
    ----------
    rounds, epochs
        Those of ``gbt`` and ``cnn``.
    """

    rounds: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 800
    epochs: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlendClassifier:
    """Fitted members, in the order of their families."""

    members: tuple[Classifier, ...]

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the mean of the members' probabilities."""
        return np.mean([member.predict_proba(cases) for member in self.members], axis=0)

    def weights(self) -> dict[str, bytes]:
        """Return the files of all members; no two have a file of the same name."""
        return {name: data for one in self.members for name, data in one.weights().items()}

    def onnx_graph(self, shape: CaseShape) -> "onnx.ModelProto":
        """Return the members' graphs side by side, and their mean."""
        from cis490_pipeline.models.blend_graph import blend_graph

        return blend_graph(self.members, [spec.inputs for spec in _MEMBERS], shape)


def _parameters(chosen: HyperParameters) -> Iterator[tuple[FamilySpec, HyperParameters]]:
    blend = narrow(chosen, BlendHyperParameters)
    trees = narrow(GBT.hyper_parameters, GbtHyperParameters)
    network = narrow(CNN.hyper_parameters, CnnHyperParameters)
    yield GBT, replace(trees, rounds=blend.rounds)
    yield CNN, replace(network, epochs=blend.epochs)


def _members(chosen: HyperParameters) -> tuple[tuple[FamilySpec, HyperParameters], ...]:
    return tuple(_parameters(chosen))


def _blended(classifiers: tuple[Classifier, ...]) -> Classifier:
    return BlendClassifier(members=classifiers)


def _load(stored: StoredModel) -> Classifier:
    return _blended(
        tuple(
            spec.load(
                replace(
                    stored, shape=part_of(stored.shape, spec.inputs), hyper_parameters=parameters
                )
            )
            for spec, parameters in _parameters(stored.hyper_parameters)
        )
    )


BLEND: Final = FamilySpec(
    name="blend",
    inputs=Inputs.BOTH,
    modes=CHANNEL_MODES,
    wants_gpu=True,
    hyper_parameters=BlendHyperParameters(),
    fitting=Blending(members=_members, blend=_blended),
    load=_load,
)
