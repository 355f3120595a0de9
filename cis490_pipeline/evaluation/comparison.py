"""Comparison of the models of one split: paired differences, Holm's correction, the choice.

Two families of tests are declared before any number is seen: every model against ``elapsed_time``,
and every learned model against the simple model that id_val chose for its mode. Holm's correction
runs within each. Transductive models are in neither: no claim about a device rests on them.

Shape suffixes: E episodes, M models, K classes.

Not here: the sentence for people (``headline``), pages (``reporting``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    Contrast,
    contrast_interval,
    resample,
)
from cis490_pipeline.evaluation.choice import Candidate, Gain, ModeChoice, choose
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, FamilyRole, ModelKey
from cis490_pipeline.evaluation.permutation import holm, paired_permutation_p
from cis490_pipeline.evaluation.predictions import (
    ID_VAL,
    TEST,
    Predictions,
    predictions_of,
    require_paired,
    rows_of,
)
from cis490_pipeline.evaluation.scores import ModelEvaluation, SliceScore, TestScope
from cis490_pipeline.evaluation.seeds import SeedSummary, seeds_interval
from cis490_pipeline.metrics.f1 import macro_f1, supported_classes
from cis490_pipeline.schema.channels import Mode

COMPARISON_VERSION: Final = 1


class DeclaredFamily(StrEnum):
    """A declared family of tests; the value says it to people."""

    AGAINST_TIME = "against elapsed_time"
    AGAINST_SIMPLE = "against the simple model chosen on id_val"


class Verdict(StrEnum):
    """What interval and corrected p of a paired difference say together.

    The interval alone is too narrow for few episodes (of equal models 14 % were told apart with 6
    episodes, 8 % with 10, 4 % with 24; by the permutation p 3 to 5 %), and it knows nothing of the
    other models that were tried.
    """

    BETTER = "better"  # the whole interval lies above 0, and Holm's p is small enough
    WORSE = "worse"
    UNDECIDED = "undecided"  # neither


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Macro F1 of ``first`` minus that of ``second`` on the same episodes.

    ``p`` is the two-sided paired permutation p, ``p_holm`` the same after Holm's correction within
    ``tests``; None where there are fewer than two episodes.
    """

    tests: DeclaredFamily
    first: ModelKey
    second: ModelKey
    difference: Interval
    verdict: Verdict
    p: float | None
    p_holm: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedModel:
    """One line of the table of models.

    ``n_tried`` is how many combinations of hyper-parameters the id_val score is the best of.
    """

    key: ModelKey
    role: FamilyRole
    bundle: str
    id_val_macro_f1: float | None
    n_tried: int
    macro_f1: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All models of a split on its test set, and what id_val chose.

    ``profiles`` names each profile of the label universe and whether it was tested. ``recommended``
    and ``best_learned`` are those of the first mode that has any, realistic before oracle: no
    deployed detector has the oracle's channels.
    """

    format: str = "cis490.comparison"
    version: int = COMPARISON_VERSION
    split: str
    scope: TestScope
    profiles: tuple[SliceScore, ...]
    models: tuple[ComparedModel, ...]
    differences: tuple[Difference, ...]
    choices: tuple[ModeChoice, ...]
    seeds: tuple[SeedSummary, ...]
    best_learned: ModelKey | None
    recommended: ModelKey | None
    bootstrap: BootstrapConfig


def compare(
    evaluations: Sequence[ModelEvaluation],
    predictions: pa.Table,
    *,
    config: BootstrapConfig,
    n_tried: Mapping[ModelKey, int] | None = None,
) -> Comparison:
    """Compare the models of one split.

    Parameters
    ----------
    evaluations
        One per model, all of one split.
    predictions
        Rows of ``predictions`` of the split with roles ``id_val`` and ``test``; rows of other
        bundles than the evaluated ones are left out.
    n_tried
        Of the models that were searched, how many combinations were tried.

    Raises
    ------
    EvaluationError
        Where there is nothing to compare, a model comes twice, the evaluations are of several
        splits, or two models were scored on different windows.
    """
    ordered = sorted(evaluations, key=lambda one: one.key)
    _require_one_split(ordered)
    test = _read(ordered, predictions, TEST)
    id_val = _read(ordered, predictions, ID_VAL)
    scores = {key: _macro(found) for key, found in id_val.items()}
    tried = n_tried or {}
    candidates = [Candidate(key=one.key, id_val_macro_f1=scores.get(one.key)) for one in ordered]

    def id_val_gain(first: ModelKey, second: ModelKey) -> Gain:
        pair = id_val[first], id_val[second]
        p = paired_permutation_p(pair[0].confusions(), pair[1].confusions(), config)
        interval = paired_difference(*pair, config)
        return Gain(interval=interval, p=p, n_tried=tried.get(first, 1))

    choices = tuple(
        choose(mode, candidates, id_val_gain)
        for mode in (Mode.REALISTIC, Mode.ORACLE)
        if any(one.key.mode == mode for one in ordered)
    )
    return Comparison(
        split=ordered[0].scope.split,
        scope=ordered[0].scope,
        profiles=ordered[0].profiles,
        models=tuple(_compared(one, scores, tried) for one in ordered),
        differences=_differences(test, choices, config),
        choices=choices,
        seeds=tuple(_seed_summaries(test, config)),
        best_learned=next((one.best_learned for one in choices if one.best_learned), None),
        recommended=next((one.recommended for one in choices if one.recommended), None),
        bootstrap=config,
    )


def _require_one_split(evaluations: Sequence[ModelEvaluation]) -> None:
    splits = sorted({one.scope.split for one in evaluations})
    keys = [one.key for one in evaluations]
    if len(splits) != 1 or len(set(keys)) != len(keys):
        raise EvaluationError(
            "these evaluations cannot be compared",
            expected="evaluations of one split, each model once",
            found=f"{len(keys)} evaluations of {len(set(keys))} models, splits {splits}",
            todo="evaluate the models of one split, one bundle for each",
        )


def _read(
    evaluations: Sequence[ModelEvaluation], table: pa.Table, role: str
) -> dict[ModelKey, Predictions]:
    """Read each model's rows; on id_val a model may have none, on the test set it may not."""
    found: dict[ModelKey, Predictions] = {}
    for one in evaluations:
        rows = rows_of(table, key=one.key, bundle=one.bundle, role=role)
        if rows.num_rows or role == TEST:
            found[one.key] = predictions_of(rows, key=one.key, role=role)
    for key, other in found.items():
        first = next(iter(found))
        require_paired(found[first], other, names=(first.label, key.label))
    return found


def _macro(found: Predictions) -> float | None:
    return macro_f1(found.confusions().sum(axis=0))


def _compared(
    one: ModelEvaluation,
    scores: Mapping[ModelKey, float | None],
    tried: Mapping[ModelKey, int],
) -> ComparedModel:
    return ComparedModel(
        key=one.key,
        role=one.key.role,
        bundle=one.bundle,
        id_val_macro_f1=scores.get(one.key),
        n_tried=tried.get(one.key, 1),
        macro_f1=one.macro_f1,
    )


def paired_difference(first: Predictions, second: Predictions, config: BootstrapConfig) -> Interval:
    """Return macro F1 of first minus second, with an interval over the same resampled episodes.

    Raises
    ------
    EvaluationError
        Where the two were scored on different windows.
    """
    require_paired(first, second, names=("first model", "second model"))
    confusions_EMKK = np.stack([first.confusions(), second.confusions()], axis=1)
    size = first.size()
    if not size.n_windows:
        return without_interval("no windows", size=size, level=config.level)
    return contrast_interval(
        confusions_EMKK,
        Contrast(weights_M=(1.0, -1.0), classes_K=_supported(confusions_EMKK)),
        resample(confusions_EMKK, config),
        config=config,
        size=size,
    )


def _supported(confusions_EMKK: NDArray[np.int64]) -> NDArray[np.bool_]:
    return supported_classes(confusions_EMKK[:, 0].sum(axis=0))


def _differences(
    test: Mapping[ModelKey, Predictions], choices: Sequence[ModeChoice], config: BootstrapConfig
) -> tuple[Difference, ...]:
    """Test both declared families, each with its own correction."""
    against_time = [
        _difference(DeclaredFamily.AGAINST_TIME, pair, test, config) for pair in _time_pairs(test)
    ]
    against_simple = [
        _difference(DeclaredFamily.AGAINST_SIMPLE, pair, test, config)
        for pair in _simple_pairs(test, choices)
    ]
    return (*_with_holm(against_time), *_with_holm(against_simple))


def _time_pairs(test: Mapping[ModelKey, Predictions]) -> list[tuple[ModelKey, ModelKey]]:
    clocks = sorted(key for key in test if key.family == ELAPSED_TIME)
    if not clocks:
        return []
    return [
        (key, clocks[0]) for key in test if key.family != ELAPSED_TIME and not key.is_transductive
    ]


def _simple_pairs(
    test: Mapping[ModelKey, Predictions], choices: Sequence[ModeChoice]
) -> list[tuple[ModelKey, ModelKey]]:
    return [
        (key, choice.simple)
        for choice in choices
        for key in test
        if choice.simple is not None
        and key != choice.simple
        and key.mode == choice.mode
        and key.role is not FamilyRole.BASELINE
        and not key.is_transductive
    ]


def _difference(
    tests: DeclaredFamily,
    pair: tuple[ModelKey, ModelKey],
    test: Mapping[ModelKey, Predictions],
    config: BootstrapConfig,
) -> Difference:
    first, second = pair
    interval = paired_difference(test[first], test[second], config)
    confusions = test[first].confusions(), test[second].confusions()
    return Difference(
        tests=tests,
        first=first,
        second=second,
        difference=interval,
        verdict=Verdict.UNDECIDED,
        p=paired_permutation_p(*confusions, config) if interval.point is not None else None,
        p_holm=None,
    )


def _verdict(interval: Interval, p_holm: float) -> Verdict:
    if interval.low is None or interval.high is None or p_holm > 1.0 - interval.level:
        return Verdict.UNDECIDED
    if interval.low > 0:
        return Verdict.BETTER
    return Verdict.WORSE if interval.high < 0 else Verdict.UNDECIDED


def _with_holm(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """Correct the p-values of one declared family; only then is there a verdict."""
    adjusted = iter(holm(tuple(one.p for one in differences if one.p is not None)))
    return tuple(one if one.p is None else _judged(one, next(adjusted)) for one in differences)


def _judged(one: Difference, p_holm: float) -> Difference:
    return replace(one, p_holm=p_holm, verdict=_verdict(one.difference, p_holm))


def _seed_summaries(
    test: Mapping[ModelKey, Predictions], config: BootstrapConfig
) -> Iterator[SeedSummary]:
    """Summarise every configuration that has more than one seed."""
    groups: dict[tuple[str, Mode, str], list[ModelKey]] = {}
    for key in sorted(test):
        groups.setdefault((key.family, key.mode, key.context), []).append(key)
    for (family, mode, context), keys in groups.items():
        if len(keys) < 2:
            continue
        scores = [score for key in keys if (score := _macro(test[key])) is not None]
        confusions_ESKK = np.stack([test[key].confusions() for key in keys], axis=1)
        size = test[keys[0]].size()
        yield SeedSummary(
            family=family,
            mode=mode,
            context=context,
            seeds=tuple(key.seed for key in keys),
            macro_f1=seeds_interval(confusions_ESKK, config=config, size=size),
            lowest=min(scores, default=None),
            highest=max(scores, default=None),
        )


def comparison_to_json(comparison: Comparison) -> bytes:
    """Return the JSON form: keys in a fixed order, absent is null."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=1)
