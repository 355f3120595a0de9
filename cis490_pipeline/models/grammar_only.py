"""``grammar_only``: the phase filter with no evidence; what the order of phases alone is worth.

A negative control for every model with a phase filter: it knows how episodes begin, what follows
what, and how many windows have passed, and it sees no channel. As ``elapsed_time`` it is made
strong: its expectation is divided by the class mix, else it would answer the two most frequent
phases for ever.

Shape suffixes: N cases, K classes.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.phase_filter import PhaseFilter, before_first, weigh
from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import (
    NO_CHANNEL_MODES,
    Classifier,
    Counting,
    FamilySpec,
    FitTask,
    HyperParameters,
    Inputs,
    StoredModel,
    narrow,
)
from cis490_pipeline.models.filtering import windows_of
from cis490_pipeline.models.grammar import class_mix, grammar_of
from cis490_pipeline.models.json_weights import WEIGHTS_FILE, decode_weights, encode_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class GrammarOnlyHyperParameters(HyperParameters):
    """Smoothing.

    Attributes
    ----------
    pseudo_count
        Cases that every first phase and every transition gets beforehand.
    """

    pseudo_count: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 1.0


class _Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    grammar: PhaseFilter


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrammarOnlyClassifier:
    """A filter that is never shown anything; its ``prior`` is the class mix of train."""

    grammar: PhaseFilter

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return what the grammar expects of each case's window."""
        expected_NK = before_first(self.grammar, windows_of(cases))
        nothing_NK = np.full_like(expected_NK, 1.0 / self.grammar.n_classes)
        return weigh(self.grammar, expected_NK, nothing_NK)

    def weights(self) -> dict[str, bytes]:
        """Return the grammar as JSON."""
        return encode_weights(_Weights(grammar=self.grammar))


def _fit(task: FitTask) -> Classifier:
    chosen = narrow(task.hyper_parameters, GrammarOnlyHyperParameters)
    grammar = grammar_of(task.train, chosen.pseudo_count)
    mix_K = class_mix(task.train.y_N, task.shape.n_classes, chosen.pseudo_count)
    phase_filter = PhaseFilter(
        transitions=tuple(tuple(row) for row in grammar.transitions_KK.tolist()),
        initial=tuple(grammar.initial_K.tolist()),
        prior=tuple(mix_K.tolist()),
        sharpness=1.0,
        inertia=1.0,
    )
    return GrammarOnlyClassifier(grammar=phase_filter)


def _load(stored: StoredModel) -> Classifier:
    grammar = decode_weights(stored, _Weights).grammar
    if grammar.n_classes != stored.shape.n_classes:
        raise BundleError(
            "the grammar is not over the classes of the model",
            where=WEIGHTS_FILE,
            expected=f"{stored.shape.n_classes} classes",
            found=f"{grammar.n_classes} classes",
            todo="train the model again",
        )
    return GrammarOnlyClassifier(grammar=grammar)


GRAMMAR_ONLY: Final = FamilySpec(
    name="grammar_only",
    inputs=Inputs.TIME,
    modes=NO_CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=GrammarOnlyHyperParameters(),
    fitting=Counting(fit=_fit),
    load=_load,
)
