"""One asset per model family × mode, with a model for each context, and one for its evaluation.

A model depends on ``training_set`` alone. An evaluation depends on the model and on both sets: the
test set is read there and nowhere before.

Not here: fitting (``training``), scoring (``evaluation``).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import dagster as dg

from cis490_pipeline.evaluation.on_split import ScoringContext, evaluate_on_split
from cis490_pipeline.evaluation.records import EvaluationRecord
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.classifier import FamilySpec, Procedure
from cis490_pipeline.models.provenance import code_commit
from cis490_pipeline.orchestration.cancel import cancel_guard
from cis490_pipeline.orchestration.config import ModelConfig
from cis490_pipeline.orchestration.metadata import file_link, markdown_table
from cis490_pipeline.orchestration.partitions import SPLITS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.training.on_split import fit_on_split
from cis490_pipeline.training.progress import EpochRecord
from cis490_pipeline.training.run import TrainingOutcome

_SCORE_HEADER: Final = ("context", "seed", "bundle", "macro F1", "95 % interval", "episodes")
_FIT_HEADER: Final = ("context", "bundle", "id_val", "epochs", "train loss", "took", "identity")
_RETRY: Final = dg.RetryPolicy(max_retries=1, delay=10, backoff=dg.Backoff.EXPONENTIAL)


def model_key(family: str, mode: Mode) -> dg.AssetKey:
    """Return the key of a model asset."""
    return dg.AssetKey(["model", family, mode.value])


def evaluation_key(family: str, mode: Mode) -> dg.AssetKey:
    """Return the key of an evaluation asset."""
    return dg.AssetKey(["evaluation", family, mode.value])


def families_and_modes() -> Iterator[tuple[FamilySpec, Mode]]:
    """Yield every model asset's family and mode, in the order of the catalog."""
    for spec in FAMILIES:
        for mode in spec.modes:
            yield spec, mode


def build_model_asset(spec: FamilySpec, mode: Mode) -> dg.AssetsDefinition:
    """Return the asset that fits one family in one mode."""

    @dg.asset(
        key=model_key(spec.name, mode),
        partitions_def=SPLITS,
        deps=["training_set"],
        group_name="models",
        kinds={spec.name, _library(spec)},  # the graph shows only the key's last part
        owners=["team:ml"],
        code_version=current_schema().fingerprint[:12],
        description=f"`{spec.name}` fitted in mode `{mode.value}` on the split's training set, "
        "once for each context; the same identity is never fitted twice.",
        tags={"family": spec.name, "mode": mode.value},
        pool="gpu" if spec.wants_gpu else None,
        op_tags={"dagster-celery/queue": "gpu" if spec.wants_gpu else "cpu"},
        retry_policy=_RETRY,
    )
    def model(
        context: dg.AssetExecutionContext, config: ModelConfig, lab: Lab
    ) -> dg.MaterializeResult:
        cancelled = cancel_guard(context.instance, context.run.run_id)
        reporter = _LogReporter(context.log.info)
        split = context.partition_key
        outcomes = {
            options.context: fit_on_split(lab.warehouse, split, options, reporter, cancelled)
            for options in config.to_fit_options(spec, mode)
        }
        return _fitted(outcomes, lab)

    return model


def build_evaluation_asset(spec: FamilySpec, mode: Mode) -> dg.AssetsDefinition:
    """Return the asset that scores one model on the split's test set."""

    @dg.asset(
        key=evaluation_key(spec.name, mode),
        partitions_def=SPLITS,
        deps=[model_key(spec.name, mode), "training_set", "test_set"],
        group_name="evaluation",
        kinds={spec.name, "deltalake"},
        owners=["team:ml"],
        code_version=current_schema().fingerprint[:12],
        description=f"`{spec.name}` / `{mode.value}` scored on the split's test set: predictions, "
        "clustered intervals, an entry in the test ledger.",
        tags={"family": spec.name, "mode": mode.value},
        op_tags={"dagster-celery/queue": "cpu"},
        retry_policy=_RETRY,
    )
    def evaluation(context: dg.AssetExecutionContext, lab: Lab) -> dg.MaterializeResult:
        scoring = ScoringContext(why=f"dagster run {context.run.run_id}", code_commit=code_commit())
        split = context.partition_key
        return _scored(evaluate_on_split(lab.warehouse, split, spec.name, mode, scoring))

    return evaluation


def _library(spec: FamilySpec) -> str:
    by_procedure = {
        Procedure.NETWORK: "torch",
        Procedure.BOOSTING: "xgboost",
        Procedure.COUNTING: "numpy",
    }
    return by_procedure[spec.procedure]


def _fitted(outcomes: Mapping[Context, TrainingOutcome], lab: Lab) -> dg.MaterializeResult:
    rows = [_fit_row(context, outcome) for context, outcome in outcomes.items()]
    metadata: dict[str, dg.MetadataValue] = {
        "models": markdown_table(_FIT_HEADER, rows),
        "seconds": dg.MetadataValue.float(round(sum(o.seconds for o in outcomes.values()), 3)),
    }
    for context, outcome in outcomes.items():
        ending = "" if context is Context.NONE else f"_{context.value}"
        metadata[f"bundle{ending}"] = file_link(lab.warehouse.layout.models / outcome.bundle)
        if outcome.id_val_macro_f1 is not None:  # numbers plot over time
            score = dg.MetadataValue.float(outcome.id_val_macro_f1)
            metadata[f"id_val_macro_f1{ending}"] = score
    bundles = "\n".join(sorted(outcome.bundle for outcome in outcomes.values()))
    digest = hashlib.sha256(bundles.encode()).hexdigest()
    return dg.MaterializeResult(data_version=dg.DataVersion(digest), metadata=metadata)


def _fit_row(context: Context, outcome: TrainingOutcome) -> tuple[object, ...]:
    score = "untested" if outcome.id_val_macro_f1 is None else f"{outcome.id_val_macro_f1:.3f}"
    epochs, loss = "", ""
    if outcome.history:
        last = outcome.history[-1]
        epochs, loss = str(last.epoch), f"{last.train_loss:.4f}"
    how = "reused" if outcome.reused else f"{outcome.seconds:.1f} s"
    return (context.value, outcome.bundle[:12], score, epochs, loss, how, outcome.identity[:12])


def _scored(records: Sequence[EvaluationRecord]) -> dg.MaterializeResult:
    versions = [f"{r.fitted.bundle}:{r.test_set_hash}" for r in records]
    metadata: dict[str, dg.MetadataValue] = {
        "models": dg.MetadataValue.int(len(records)),
        "scores": markdown_table(_SCORE_HEADER, [_score_row(record) for record in records]),
    }
    scores = [r.evaluation.macro_f1 for r in records if r.evaluation is not None]
    for score in scores[:1]:  # numbers plot over time; the table has every seed
        numbers = {
            "macro_f1": score.point,
            "macro_f1_low": score.low,
            "macro_f1_high": score.high,
        }
        metadata |= {k: dg.MetadataValue.float(v) for k, v in numbers.items() if v is not None}
    digest = hashlib.sha256("\n".join(sorted(versions)).encode()).hexdigest()
    return dg.MaterializeResult(data_version=dg.DataVersion(digest), metadata=metadata)


def _score_row(record: EvaluationRecord) -> tuple[object, ...]:
    fitted, evaluation = record.fitted, record.evaluation
    if evaluation is None:
        return (fitted.context, fitted.seed, fitted.bundle[:12], "no test set", "", "")
    score = evaluation.macro_f1
    shown = "untested" if score.point is None else f"{score.point:.3f}"
    interval = "none" if score.low is None else f"{score.low:.3f} – {score.high:.3f}"
    return (fitted.context, fitted.seed, fitted.bundle[:12], shown, interval, evaluation.n_episodes)


class _LogReporter:
    """Epochs as log lines of the step; also what the UI shows while a fit runs."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log

    def epoch(self, record: EpochRecord) -> None:
        """Report one epoch."""
        score = "–" if record.id_val_macro_f1 is None else f"{record.id_val_macro_f1:.3f}"
        self._log(f"epoch {record.epoch}: loss {record.train_loss:.4f}, id_val macro F1 {score}")
