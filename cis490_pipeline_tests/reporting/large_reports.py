"""A report of 26 configurations with 5 seeds each: one model's figures, many times over."""

from dataclasses import replace

import pyarrow.compute as pc

from cis490_pipeline.evaluation.comparison import Comparison, compare
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation, score_model
from cis490_pipeline.evaluation.seeds import SeedSummary
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.schema.channels import CHANNELS, Mode
from cis490_pipeline_tests.evaluation.made_up import (
    FAST,
    basis_of,
    scope_of,
    split_table,
)
from cis490_pipeline_tests.reporting.made_up_explanations import explanation
from cis490_pipeline_tests.reporting.made_up_reports import GBT, LEDGER, TIME

FAMILIES = ("gbt", "mlp", "cnn", "gru", "lstm", "transformer", "bert", "knn", "knn_semi")
LEARNED = (*FAMILIES, "logistic", "minirocket")
N_SEEDS = 5


def configurations() -> list[ModelKey]:
    """Return 26 keys: every family in both modes, some with the past, and the controls."""
    learned = [
        ModelKey(family=family, mode=mode, context="none", seed=0)
        for family in LEARNED
        for mode in (Mode.REALISTIC, Mode.ORACLE)
    ]
    recent = [replace(key, context="recent") for key in learned[:3]]
    return [*learned, *recent, TIME]


def large_report() -> Report:
    """Return the report; all its models have the figures of two that were scored."""
    table = split_table({GBT: (0.8, 0.6), TIME: (0.4, 0.3)})
    test = table.filter(pc.field("role") == "test")
    scored = {
        key: score_model(
            test.filter(pc.field("family") == key.family),
            key=key,
            scope=scope_of(),
            config=FAST,
            basis=basis_of(test),
        )
        for key in (GBT, TIME)
    }
    small = compare(list(scored.values()), table, config=FAST)
    keys = [replace(key, seed=seed) for key in configurations() for seed in range(N_SEEDS)]
    evaluations = tuple(
        _as(scored[TIME if key.family == TIME.family else GBT], key) for key in keys
    )
    return Report(
        comparison=_grown(small, evaluations),
        evaluations=evaluations,
        ledger=LEDGER,
        made_at="2026-11-22T16:40:00Z",
        code_commit="0123456789abcdef",
        explanations=tuple(_explained(key) for key in keys if key.family != TIME.family),
    )


def _as(one: ModelEvaluation, key: ModelKey) -> ModelEvaluation:
    return replace(one, key=key, bundle=f"{key.label}-{key.seed}".ljust(64, "0"))


def _grown(small: Comparison, evaluations: tuple[ModelEvaluation, ...]) -> Comparison:
    first, own = small.models[0], small.differences[0]
    learned = [
        one.key for one in evaluations if one.key.seed == 0 and one.key.family != TIME.family
    ]
    return replace(
        small,
        models=tuple(
            replace(first, key=one.key, role=one.key.role, bundle=one.bundle, macro_f1=one.macro_f1)
            for one in evaluations
        ),
        differences=tuple(replace(own, first=key) for key in learned for _ in range(2)),
        seeds=tuple(
            SeedSummary(
                family=key.family,
                mode=key.mode,
                context=key.context,
                seeds=tuple(range(N_SEEDS)),
                macro_f1=first.macro_f1,
                lowest=0.5,
                highest=0.7,
            )
            for key in configurations()
        ),
    )


def _explained(key: ModelKey) -> object:
    """Return attributions over all channels."""
    n = len(CHANNELS)
    return explanation(
        key.family,
        mode=key.mode.value,
        context=key.context,
        seed=key.seed,
        channels=tuple(one.column for one in CHANNELS),
        cells=tuple(tuple((i + j) / n for j in range(5)) for i in range(n)),
        n_windows=(40,) * 5,
    )
