"""One asset per model family × mode, a model for each context and seed, and its evaluation.

A model depends on ``training_set`` alone, and on its trunk where it is pre-trained. An evaluation
depends on the model and on both sets: the test set is read there and nowhere before.

Not here: fitting (``training``), scoring (``evaluation``), trunks (``assets_trunks``).
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import dagster as dg

from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.evaluation.on_split import ScoringContext, evaluate_on_split
from cis490_pipeline.evaluation.records import EvaluationRecord
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.classifier import FamilySpec, Procedure
from cis490_pipeline.models.current import file_stem, fitted_models
from cis490_pipeline.models.provenance import code_commit
from cis490_pipeline.orchestration.assets_trunks import trunk_key
from cis490_pipeline.orchestration.config import ModelConfig
from cis490_pipeline.orchestration.epochs import each_fitted, label_of
from cis490_pipeline.orchestration.metadata import (
    file_link,
    markdown_table,
    prediction_lineage,
    rounded,
    table_metadata,
)
from cis490_pipeline.orchestration.partitions import SPLITS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import RETRY
from cis490_pipeline.reporting.publish_cards import card_path
from cis490_pipeline.reporting.search import SEARCH_HEADER, search_rows
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.training.job import TrainingOutcome
from cis490_pipeline.training.on_split import FitOptions, fit_on_split
from cis490_pipeline.warehouse.layout import Layout

_SCORE_HEADER: Final = ("context", "seed", "bundle", "macro F1", "95 % interval", "episodes")
_FIT_HEADER: Final = (
    "context",
    "seed",
    "bundle",
    "id_val",
    "epochs",
    "train loss",
    "took",
    "identity",
)
Fits = Sequence[tuple[FitOptions, TrainingOutcome]]


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
        deps=["training_set", *([trunk_key(spec.name, mode)] if spec.is_pretrained else [])],
        group_name="models",
        kinds={spec.name, _library(spec)},  # the graph shows only the key's last part
        owners=["team:ml"],
        code_version=current_schema().fingerprint[:12],
        description=f"`{spec.name}` fitted in mode `{mode.value}` on the split's training set, "
        "once for each context and seed; the same identity is never fitted twice.",
        tags={"family": spec.name, "mode": mode.value},
        pool="gpu" if spec.wants_gpu else None,
        op_tags={"dagster-celery/queue": "gpu" if spec.wants_gpu else "cpu"},
        retry_policy=RETRY,
    )
    def model(
        context: dg.AssetExecutionContext, config: ModelConfig, lab: Lab
    ) -> dg.MaterializeResult:
        wanted = config.to_fit_options(spec, mode)
        fitted = each_fitted(context, lab.warehouse, wanted, fit_on_split)
        return _fitted(fitted, lab, context.partition_key)

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
        metadata=table_metadata(Table.PREDICTIONS),
        tags={"family": spec.name, "mode": mode.value},
        op_tags={"dagster-celery/queue": "cpu"},
        retry_policy=RETRY,
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
        Procedure.BLENDING: "torch",
    }
    return by_procedure[spec.procedure]


def _fitted(fitted: Fits, lab: Lab, split: str) -> dg.MaterializeResult:
    rows = [_fit_row(options, outcome) for options, outcome in fitted]
    metadata: dict[str, dg.MetadataValue] = {
        "models": markdown_table(_FIT_HEADER, rows),
        "seconds": dg.MetadataValue.float(round(sum(o.seconds for _, o in fitted), 3)),
    }
    for options, outcome in fitted:
        ending = label_of(options)
        metadata[f"bundle{ending}"] = file_link(lab.warehouse.layout.models / outcome.bundle)
        metadata[f"card{ending}"] = _card_link(lab, split, options)
        if outcome.id_val_macro_f1 is not None:  # numbers plot over time
            score = rounded(outcome.id_val_macro_f1)
            metadata[f"id_val_macro_f1{ending}"] = score
        if outcome.search:
            table = markdown_table(SEARCH_HEADER, search_rows(outcome.search))
            metadata[f"search{ending}"] = table
    options = fitted[0][0]
    version = _version_of(
        current_bundles(lab.warehouse.layout, split, options.family, options.mode)
    )
    return dg.MaterializeResult(data_version=version, metadata=metadata)


def _card_link(lab: Lab, split: str, options: FitOptions) -> dg.MetadataValue:
    """Return the page that ``model_cards`` writes once the model is scored."""
    stem = file_stem(options.family, options.mode.value, options.context.value, options.seed)
    return dg.MetadataValue.url(lab.page_url(card_path(lab.warehouse.layout, split, stem)))


def current_bundles(layout: Layout, split: str, family: str, mode: Mode) -> list[str]:
    """Return the bundles that an evaluation would score: those of all seeds and contexts.

    Also those that an earlier materialization fitted: one with fewer seeds changes nothing of what
    there is to score.
    """
    training_set = load_training_set(layout, split)
    return sorted(
        fitted.bundle
        for fitted in fitted_models(layout, split, training_set.content_hash)
        if (fitted.family, fitted.mode) == (family, mode.value)
    )


def _version_of(parts: Sequence[str]) -> dg.DataVersion:
    return dg.DataVersion(hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest())


def _fit_row(options: FitOptions, outcome: TrainingOutcome) -> tuple[object, ...]:
    score = "untested" if outcome.id_val_macro_f1 is None else f"{outcome.id_val_macro_f1:.3f}"
    epochs, loss = "", ""
    if outcome.history:
        last = outcome.history[-1]
        epochs, loss = str(last.epoch), f"{last.train_loss:.4f}"
    how = "reused" if outcome.reused else f"{outcome.seconds:.1f} s"
    names = (options.context.value, options.seed, outcome.bundle[:12])
    return (*names, score, epochs, loss, how, outcome.identity[:12])


def _scored(records: Sequence[EvaluationRecord]) -> dg.MaterializeResult:
    versions = [f"{r.fitted.bundle}:{r.test_set_hash}" for r in records]
    metadata: dict[str, dg.MetadataValue] = {
        "models": dg.MetadataValue.int(len(records)),
        "dagster/column_lineage": prediction_lineage(),
        "scores": markdown_table(_SCORE_HEADER, [_score_row(record) for record in records]),
    }
    for context in sorted({record.fitted.context for record in records}):
        ending = "" if context == Context.NONE.value else f"_{context}"
        metadata |= {f"{name}{ending}": value for name, value in _plotted(records, context).items()}
    return dg.MaterializeResult(data_version=_version_of(versions), metadata=metadata)


def _plotted(records: Sequence[EvaluationRecord], context: str) -> dict[str, dg.MetadataValue]:
    """Return the numbers of a context that plot over time; the table has every seed.

    Of several seeds the mean, and the range of their scores in the place of the interval of one.
    """
    scores = [
        r.evaluation.macro_f1
        for r in records
        if r.evaluation is not None and r.fitted.context == context
    ]
    points = [score.point for score in scores if score.point is not None]
    if not points:
        return {}
    low, high = (min(points), max(points)) if len(scores) > 1 else (scores[0].low, scores[0].high)
    numbers = {
        "macro_f1": sum(points) / len(points),
        "macro_f1_low": low,
        "macro_f1_high": high,
    }
    return {k: rounded(v) for k, v in numbers.items() if v is not None}


def _score_row(record: EvaluationRecord) -> tuple[object, ...]:
    fitted, evaluation = record.fitted, record.evaluation
    if evaluation is None:
        return (fitted.context, fitted.seed, fitted.bundle[:12], "no test set", "", "")
    score = evaluation.macro_f1
    shown = "untested" if score.point is None else f"{score.point:.3f}"
    interval = "none" if score.low is None else f"{score.low:.3f} – {score.high:.3f}"
    return (fitted.context, fitted.seed, fitted.bundle[:12], shown, interval, evaluation.n_episodes)
