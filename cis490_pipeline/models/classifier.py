"""The interface that every model family is written against.

Shape suffixes: N cases, K classes.

A family is a ``FamilySpec``: facts that the catalog, requests and assets read without importing a
learning library, and small callables that import it when they are called. What differs between
families is only how they are fitted (``Network``, ``Boosting``, ``Counting``); what comes out is
always a ``Classifier``.

Not here: the families, the bundle format (``bundle``), the fitting (``training``).
Source: the split into a common ``fit`` over a family's own ``_fit`` follows aeon's
``classification/base.py``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context

if TYPE_CHECKING:
    from torch import nn


class Inputs(StrEnum):
    """Which view of the cases a family reads."""

    SUMMARY = "summary"  # the window statistics
    SEQUENCE = "sequence"  # the raw grid
    BOTH = "both"  # the window statistics and the raw grid
    TIME = "time"  # only the window's time since episode start
    NOTHING = "nothing"  # only the labels of the training set

    @property
    def has_summary(self) -> bool:
        """Whether the window statistics are among them."""
        return self in (Inputs.SUMMARY, Inputs.BOTH)

    @property
    def has_sequences(self) -> bool:
        """Whether the raw grid is among them."""
        return self in (Inputs.SEQUENCE, Inputs.BOTH)


class Procedure(StrEnum):
    """Which fitting procedure of ``training`` a family goes through."""

    NETWORK = "network"
    BOOSTING = "boosting"
    COUNTING = "counting"
    BLENDING = "blending"


CHANNEL_MODES: Final[tuple[Mode, ...]] = (Mode.REALISTIC, Mode.ORACLE)
"""Modes of a family that looks at channels."""
NO_CHANNEL_MODES: Final[tuple[Mode, ...]] = (Mode.ANY,)
"""Modes of a family that looks at none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperParameters:
    """Root of the families' hyper-parameters: frozen, scalar fields only, all with defaults.

    Bounds are written as ``msgspec.Meta`` annotations and hold for overrides and for the headers of
    bundles alike, so that a hostile header cannot ask for a network of any size.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkHyperParameters(HyperParameters):
    """What the one torch loop needs from every network family.

    Attributes
    ----------
    epochs
        Exact number of passes over the training set. None chooses it from the size of the set:
        ``passes`` of them, but no fewer steps than ``min_steps`` and about ``max_steps`` at most,
        so that 40 cases train as well as 4 million.
    batch_size
        None chooses about a thirty-second of the training set, between 16 and 512.
    evaluation_steps
        At least so many optimiser steps lie between two evaluations on id_val.
    patience
        Training stops after so many evaluations without a better id_val macro F1, though never
        before ``min_steps``.
    moved_share
        In a context, share of the training episodes that a summary family sees in each pass as
        another host might have recorded them: levels moved by a factor, netflow missing. A
        sequence in context has no level left to move.
    """

    epochs: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    passes: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 30
    min_steps: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 600
    max_steps: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=65_536)] | None = None
    evaluation_steps: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 25
    patience: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 8
    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1e-2
    warm_up_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.05
    gradient_clip: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    label_smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    moved_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainedHyperParameters(NetworkHyperParameters):
    """What pre-training needs beside the loop's own, of which it makes use itself.

    ``FINE_TUNING_ONLY`` names those that it does not look at: fits that differ in nothing else
    start from the same trunk.

    Attributes
    ----------
    pretraining_steps
        Optimiser steps on unlabelled cases; None takes as many as the budget of the fit, and none
        at all are taken with 0.
    """

    FINE_TUNING_ONLY: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "label_smoothing", "patience", "moved_share"}
    )

    pretraining_steps: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] | None = None
    pretraining_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1e-3


H = TypeVar("H", bound=HyperParameters)


def narrow(hyper_parameters: HyperParameters, kind: type[H]) -> H:
    """Return the hyper-parameters as those of one family.

    Raises
    ------
    ConfigurationError
        Where they belong to another family.
    """
    if not isinstance(hyper_parameters, kind):
        raise ConfigurationError(
            "hyper-parameters of another family",
            expected=kind.__name__,
            found=type(hyper_parameters).__name__,
            todo="build them with training.request.hyper_parameters_from_overrides",
        )
    return hyper_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShape:
    """What the cases of a model look like.

    For summary families ``n_channels`` counts the columns and ``n_timepoints`` is 1; for families
    that see no channel both are 0. Of a family that reads both, they are those of the raw grid, and
    ``n_columns`` counts the columns beside it.
    """

    n_channels: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    n_timepoints: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    n_classes: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    n_columns: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0

    @property
    def n_values(self) -> int:
        """Values of a case, at least 1."""
        return max(1, self.n_channels * self.n_timepoints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """What a fit or a prediction may use of the machine; never part of an identity."""

    threads: int = 1
    device: str = "cpu"


class Classifier(Protocol):
    """A fitted model."""

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the probabilities ``[N, K]``; every row sums to 1, whatever is missing."""
        ...

    def weights(self) -> dict[str, bytes]:
        """Return file name -> bytes: safetensors, XGBoost UBJ or JSON."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitTask:
    """Everything that a fit may look at.

    ``class_weight_K`` are the inverse-frequency weights of the train slice. ``trunk`` is what a
    pre-trained family starts from, as safetensors; None where it is to be made in memory.
    """

    train: Cases
    id_val: Cases
    shape: CaseShape
    class_weight_K: NDArray[np.float64]
    hyper_parameters: HyperParameters
    seed: int
    compute: Compute
    trunk: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Fitted by the one torch loop.

    ``build`` returns an untrained module that takes raw ``x_BCT`` (NaN = missing) and returns
    logits ``[B, K]``; its ``standardise`` sub-module receives the scaling fitted on train.
    ``pretraining`` wraps that module into an objective that takes the same ``x_BCT``, without
    labels, and returns a loss; what it shares with the network is what is pre-trained. None for a
    family that starts from random weights.
    """

    build: "Callable[[HyperParameters, CaseShape], nn.Module]"
    pretraining: "Callable[[nn.Module, HyperParameters], nn.Module] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """Fitted by the XGBoost procedure with early stopping on id_val."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Fitted in one call, without epochs."""

    fit: Callable[[FitTask], Classifier]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blending:
    """Fitted as the families that it is the mean of, each by its own procedure.

    ``members`` returns each family with the hyper-parameters that it gets; ``blend`` puts their
    classifiers together. One network at most: its checkpoint is the job's.
    """

    members: "Callable[[HyperParameters], tuple[tuple[FamilySpec, HyperParameters], ...]]"
    blend: Callable[[tuple[Classifier, ...]], Classifier]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """What a family gets to rebuild a classifier from a bundle; the files' hashes are checked."""

    files: Mapping[str, bytes]
    shape: CaseShape
    hyper_parameters: HyperParameters
    compute: Compute


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySpec:
    """One model family.

    Attributes
    ----------
    hyper_parameters
        The defaults; their type is the type of all hyper-parameters of the family.
    fitting
        How it is fitted.
    load
        Rebuilds the fitted classifier; raises ``BundleError`` where the files do not fit.
    grid
        What a search tries, the defaults first; empty where there is nothing to search, or where
        every fit chooses its one number on id_val anyway.
    permutes_labels
        Whether the training labels are permuted before anything looks at them: a negative control.
    """

    name: str
    inputs: Inputs
    modes: tuple[Mode, ...]
    wants_gpu: bool
    hyper_parameters: HyperParameters
    fitting: Network | Boosting | Counting | Blending
    load: Callable[[StoredModel], Classifier]
    grid: tuple[HyperParameters, ...] = ()
    permutes_labels: bool = False

    @property
    def is_pretrained(self) -> bool:
        """Whether its fits start from a trunk that was trained on unlabelled cases."""
        return isinstance(self.fitting, Network) and self.fitting.pretraining is not None

    @property
    def contexts(self) -> tuple[Context, ...]:
        """How much of the past it can be given; the first is the default."""
        match self.inputs:
            case Inputs.SUMMARY | Inputs.SEQUENCE | Inputs.BOTH:
                return tuple(Context)
            case Inputs.TIME | Inputs.NOTHING:
                return (Context.NONE,)

    @property
    def procedure(self) -> Procedure:
        """Which procedure of ``training`` fits it."""
        match self.fitting:
            case Network():
                return Procedure.NETWORK
            case Boosting():
                return Procedure.BOOSTING
            case Counting():
                return Procedure.COUNTING
            case Blending():
                return Procedure.BLENDING
