"""A bundle's header and its record as the facts that a model card quotes.

Not here: the card (``cards``).
"""

from collections.abc import Mapping

from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.edge.header import BundleHeader
from cis490_pipeline.edge.phase_filter import PhaseFilter
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.records import EvaluationRecord
from cis490_pipeline.reporting.cards import ModelFacts

_NO_CLAIM = "Fitted on all hosts; scores of the leave-one-host-out splits are the only claim."


def model_facts(record: EvaluationRecord, header: BundleHeader) -> ModelFacts:
    """Return what a card says of a fitted model."""
    fitted, evaluation = record.fitted, record.evaluation
    return ModelFacts(
        key=ModelKey(
            family=header.family,
            mode=header.mode,
            context=header.context.value,
            seed=header.seed,
        ),
        bundle=fitted.bundle,
        identity=header.identity,
        split=header.split,
        claim=_NO_CLAIM if evaluation is None else evaluation.scope.claim,
        training_ids_hash=header.training_ids_hash,
        statuses=header.statuses,
        labels=header.labels,
        n_channels=header.n_channels,
        hyper_parameters=_texts(header.hyper_parameters),
        phase_filter=_in_words(header.phase_filter),
        temperature=header.calibration.temperature,
        id_val_macro_f1=header.id_val_macro_f1,
        schema_fingerprint=header.schema_fingerprint,
        library_versions=_texts(header.library_versions),
        code_commit=header.code_commit,
        size_bytes=sum(file.bytes for file in header.files.values()),
        trunk=header.trunk,
        search=header.search,
        alarm=_alarm_in_words(header.alarm),
    )


def _alarm_in_words(rule: AlarmRule) -> str:
    asked = f"{rule.policy.k} of {rule.policy.n} windows"
    if rule.threshold is None:
        return f"{asked}; never rings: {rule.reason}"
    return (
        f"{asked} above {rule.threshold:.3f}; budget {100 * rule.policy.budget:g} % of the id_val "
        f"episodes, {rule.n_false} of {rule.n_episodes} ring before their onset"
    )


def _in_words(phase_filter: PhaseFilter | None) -> str:
    if phase_filter is None:
        return "none"
    return f"sharpness {phase_filter.sharpness:g}, inertia {phase_filter.inertia:g}"


def _texts(values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in values.items()))
