"""Score a split's fitted models on its test set.

Not here: what has to hold before that (``opening``), the figures (``scores``), the comparison
(``comparison``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cis490_pipeline.datasets.loading import LoadedCases, load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.test_sets import TestSet, load_test_set
from cis490_pipeline.datasets.training_sets import TrainingSet, load_training_set
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.courses import load_basis
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.opening import (
    enter_in_ledger,
    require_disjoint,
    require_same_training,
)
from cis490_pipeline.evaluation.own_scaling import require_own_scaling
from cis490_pipeline.evaluation.predictions import ID_VAL, TEST
from cis490_pipeline.evaluation.records import EvaluationRecord, save_record
from cis490_pipeline.evaluation.scores import ModelEvaluation, TestScope, score_model
from cis490_pipeline.models.bundle import Bundle, open_bundle
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.models.current import FittedModel, fitted_models
from cis490_pipeline.models.predict import predict
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.phases import NOT_A_CLASS
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS, TABLE_SCHEMAS, Table
from cis490_pipeline.warehouse.locks import held_alone
from cis490_pipeline.warehouse.tables import sql_text
from cis490_pipeline.warehouse.warehouse import Warehouse

_KEYS: Final = (
    "episode_id",
    "host_id",
    "profile",
    "sample_name",
    "window",
    "t_center_s",
    "phase",
)


def utc_now() -> datetime:
    """Return the time that the ledger gets."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringContext:
    """Who scores, why and how; none of it changes a prediction."""

    why: str
    code_commit: str = ""
    threads: int = 1
    bootstrap: BootstrapConfig = field(default_factory=BootstrapConfig)
    now: Callable[[], datetime] = utc_now


def evaluate_on_split(
    warehouse: Warehouse, split: str, family: str, mode: Mode, context: ScoringContext
) -> tuple[EvaluationRecord, ...]:
    """Score every current model of one family and mode.

    Writes ``predictions`` (id_val and test), an entry of ``test_ledger`` per model, and the
    evaluation record. For ``deploy``, which has no test set, only the id_val predictions.

    Raises
    ------
    WarehouseError
        Where a set file is absent, or no model was fitted on the current training set.
    LeakageError
        Where the sets overlap, an episode changed host, a bundle was fitted on other episodes than
        the set lists, or its scaling is not that of those.
    """
    layout = warehouse.layout
    training_set, test_set = load_training_set(layout, split), load_test_set(layout, split)
    require_disjoint(warehouse, training_set, test_set)
    current = [
        fitted
        for fitted in fitted_models(layout, split, training_set.content_hash)
        if fitted.family == family and fitted.mode == mode
    ]
    if not current:
        raise WarehouseError(
            "no model was fitted on the current training set",
            where=f"split {split}, {family}/{mode}",
            todo=f"materialize model/{family}/{mode} (or run `cis490 train`) first",
        )
    # the step of a run that was killed may still be at it: two that find no rows to replace would
    # both append theirs
    with held_alone(layout.split(split) / f"{family}-{mode.value}.lock"):
        return tuple(_evaluate(warehouse, f, training_set, test_set, context) for f in current)


def scope_of(test_set: TestSet) -> TestScope:
    """Return what the test set is evidence for."""
    return TestScope(
        split=test_set.split,
        claim=test_set.claim,
        untested_profiles=test_set.untested_profiles,
        unseen_profiles=test_set.unseen_profiles,
        warnings=test_set.warnings,
        train_hosts=test_set.train_hosts,
        test_hosts=test_set.hosts,
    )


def _evaluate(
    warehouse: Warehouse,
    fitted: FittedModel,
    training_set: TrainingSet,
    test_set: TestSet,
    context: ScoringContext,
) -> EvaluationRecord:
    registry = ModelRegistry(warehouse.layout.models)
    bundle = open_bundle(registry.find(fitted.bundle), compute=Compute(threads=context.threads))
    require_same_training(bundle, registry, training_set)
    require_own_scaling(warehouse, bundle, training_set)
    if test_set.test:
        enter_in_ledger(
            warehouse,
            fitted,
            why=context.why,
            code_commit=context.code_commit,
            when=context.now(),
        )
    roles = {ID_VAL: training_set.id_val, TEST: test_set.test}
    rows = pa.concat_tables(
        [predicted_rows(warehouse, fitted, bundle, role, who) for role, who in roles.items()]
    )
    _replace_predictions(warehouse, fitted, rows)
    record = EvaluationRecord(
        training_set_hash=training_set.content_hash,
        test_set_hash=test_set.content_hash,
        fitted=fitted,
        evaluation=_scored(warehouse, fitted, bundle, test_set, rows, context)
        if test_set.test
        else None,
    )
    save_record(warehouse.layout, record)
    return record


def _scored(
    warehouse: Warehouse,
    fitted: FittedModel,
    bundle: Bundle,
    test_set: TestSet,
    rows: pa.Table,
    context: ScoringContext,
) -> ModelEvaluation:
    return score_model(
        rows.filter(pc.field("role") == TEST),
        key=ModelKey(
            family=fitted.family, mode=Mode(fitted.mode), context=fitted.context, seed=fitted.seed
        ),
        scope=scope_of(test_set),
        config=context.bootstrap,
        basis=load_basis(warehouse, test_set.test, bundle.header.alarm),
        id_val=rows.filter(pc.field("role") == ID_VAL),
    )


def predicted_rows(
    warehouse: Warehouse,
    fitted: FittedModel,
    bundle: Bundle,
    role: str,
    members: Sequence[Member],
) -> pa.Table:
    """Return rows of the ``predictions`` table for one role.

    Every window is predicted, as on a device whose phase filter has seen them all; those without a
    label are not scored, and so they are no rows.
    """
    loaded = load_cases(
        warehouse,
        members,
        bundle.header.mode,
        summary=bundle.spec.inputs.has_summary,
        sequences=bundle.spec.inputs.has_sequences,
        context=bundle.header.context,
        every_window=True,
    )
    proba_NK = predict(bundle, loaded.cases)[loaded.cases.y_N != NOT_A_CLASS]
    return _rows(fitted, role, loaded, dict(zip(PROBABILITY_COLUMNS, proba_NK.T, strict=True)))


def _rows(
    fitted: FittedModel, role: str, loaded: LoadedCases, probabilities: dict[str, np.ndarray]
) -> pa.Table:
    n = loaded.keys.num_rows
    same = {
        "split": fitted.split,
        "family": fitted.family,
        "mode": fitted.mode,
        "context": fitted.context,
        "bundle": fitted.bundle,
        "role": role,
    }
    columns = {name: pa.array([value] * n, pa.string()) for name, value in same.items()}
    columns["seed"] = pa.array(np.full(n, fitted.seed, dtype=np.int64))
    columns |= {name: loaded.keys[name] for name in _KEYS}
    columns |= {name: pa.array(np.ascontiguousarray(p)) for name, p in probabilities.items()}
    schema = TABLE_SCHEMAS[Table.PREDICTIONS]
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _replace_predictions(warehouse: Warehouse, fitted: FittedModel, rows: pa.Table) -> None:
    """Put the rows in the place of those of this configuration's earlier bundle."""
    texts = {
        "split": fitted.split,
        "family": fitted.family,
        "mode": fitted.mode,
        "context": fitted.context,
    }
    parts = [f"{name} = {sql_text(value)}" for name, value in texts.items()]
    predicate = " AND ".join([*parts, f"seed = {fitted.seed}"])
    warehouse.tables.replace_where(Table.PREDICTIONS, predicate, rows)
