"""Attributions of windows: the one form of all methods, and which family has which method.

Shape suffixes: N windows, F input columns (of a sequence family: channels), K phases.

What is attributed is the logit of the window's own phase, relative to the mean logit of all phases:
the softmax knows logits up to a constant only, and a constant must not count as evidence. It is the
model's view of one window, before the phase filter and the calibration.

Every method is additive: of each window the attributions sum to the difference between its logit
and that of a baseline (*completeness*), which is checked and reported. A value that is missing is
missing in the baseline as well and gets exactly 0.

Not here: the methods (``gradients``, ``trees``, ``linear``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.classifier import Boosting, Classifier, FamilySpec, Network
from cis490_pipeline.models.gbt import GbtClassifier
from cis490_pipeline.models.logistic import LogisticClassifier

INTEGRATED_GRADIENTS: Final = "integrated gradients"
TREE_SHAP: Final = "TreeSHAP"
LINEAR: Final = "coefficient × standardised value"
TOLERANCE: Final = 0.05
"""Logits by which a window's sum may be off, where its logit moves by less than 1; relative above
that. Far below what the ranking of channels rests on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attributions:
    """Signed attributions in logits.

    ``value_NF`` is float64, of sequence families summed over time; ``difference_N`` is what each
    row should sum to: the logit of the window minus that of the baseline.
    """

    value_NF: NDArray[np.float64]
    difference_N: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """By how much each row misses its sum (the convergence delta), in logits."""
        return np.abs(self.value_NF.sum(axis=1) - self.difference_N)

    @property
    def is_off(self) -> NDArray[np.bool_]:
        """Which rows miss their sum by more than the tolerance."""
        return self.error > TOLERANCE * np.maximum(1.0, np.abs(self.difference_N))


def method_of(spec: FamilySpec) -> str | None:
    """Return the method for a family, None where it has no attribution that is well defined.

    >>> [method_of(spec) for spec in FAMILIES if spec.name in ("gbt", "knn")]
    ['TreeSHAP', None]
    """
    if spec.permutes_labels:
        return None
    match spec.fitting:
        case Network():
            return INTEGRATED_GRADIENTS
        case Boosting():
            return TREE_SHAP
        case _:
            return LINEAR if spec.name == "logistic" else None


def explainable_families() -> tuple[str, ...]:
    """Return the names of the families that have a method."""
    return tuple(spec.name for spec in FAMILIES if method_of(spec) is not None)


def require_method(spec: FamilySpec) -> str:
    """Return the method for a family.

    Raises
    ------
    ConfigurationError
        Where it has none; says which families have one.
    """
    method = method_of(spec)
    if method is None:
        raise ConfigurationError(
            "the family has no attribution that is well defined",
            where=f"family {spec.name}",
            expected="one of " + ", ".join(explainable_families()),
            found=spec.name,
            todo="explain one of these families",
        )
    return method


def attribute(spec: FamilySpec, classifier: Classifier, cases: Cases) -> Attributions:
    """Attribute every window to the logit of its own phase.

    Raises
    ------
    ConfigurationError
        Where the family has no method.
    """
    require_method(spec)
    if isinstance(classifier, GbtClassifier):
        from cis490_pipeline.explain.trees import tree_attributions

        return tree_attributions(classifier, cases)
    if isinstance(classifier, LogisticClassifier):
        from cis490_pipeline.explain.linear import linear_attributions

        return linear_attributions(classifier, cases)
    from cis490_pipeline.explain.gradients import network_attributions
    from cis490_pipeline.models.networks.classifier import NetworkClassifier

    if not isinstance(classifier, NetworkClassifier):
        raise TypeError(f"expected a network, found {type(classifier).__name__}")
    return network_attributions(classifier, cases)


def centred(logit_NK: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logits relative to their mean over the phases.

    >>> centred(np.array([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """
    return logit_NK - logit_NK.mean(axis=1, keepdims=True)
