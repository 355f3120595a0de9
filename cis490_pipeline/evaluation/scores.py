"""The evaluation of one model on one test set, and its JSON form.

Shape suffixes: N windows, K classes, E episodes, M models (here always 1).

Not here: comparing models (``comparison``), pages (``reporting``). Metric definitions: ``metrics``.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.across_hosts import interval_across_hosts
from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    Contrast,
    Resamples,
    contrast_interval,
    macro_f1_interval,
    resample,
)
from cis490_pipeline.evaluation.courses import Basis
from cis490_pipeline.evaluation.host_profiles import HostProfileScore, host_profile_scores
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.measures import Measures, measures_of
from cis490_pipeline.evaluation.predictions import (
    ID_VAL,
    TEST,
    Predictions,
    predictions_of,
    rows_of,
)
from cis490_pipeline.evaluation.selective import Selective, selective_of
from cis490_pipeline.metrics.calibration import brier, ece, log_loss
from cis490_pipeline.metrics.f1 import precision_recall, supported_classes
from cis490_pipeline.schema.phases import N_PHASES, PHASES

EVALUATION_VERSION: Final = 3
_NO_WINDOWS: Final = "the test set has no labelled window"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestScope:
    """What a test set is and is not evidence for; comes from the split's plan."""

    __test__ = False  # the name starts with Test, but pytest has nothing to collect here

    split: str
    claim: str
    untested_profiles: tuple[str, ...]
    unseen_profiles: tuple[str, ...]
    warnings: tuple[str, ...]
    train_hosts: tuple[str, ...]
    test_hosts: tuple[str, ...]


class Coverage(StrEnum):
    """Whether a slice of the test set says anything."""

    TESTED = "tested"
    UNSEEN = "unseen"  # tested, but absent from training
    UNTESTED = "untested"  # no window of it in the test set


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """One phase. ``precision`` is None where it was never predicted, ``recall`` where untested."""

    phase: str
    precision: float | None
    recall: float | None
    f1: Interval
    n_windows: int
    n_episodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScore:
    """One profile or host; ``macro_f1`` and ``accuracy`` are None where it is untested.

    ``phases`` are the ones with support in the slice: macro F1 is their mean and cannot be compared
    with that of a slice that has others.
    """

    name: str
    coverage: Coverage
    reason: str | None
    macro_f1: Interval | None
    accuracy: float | None
    phases: tuple[str, ...]
    n_episodes: int
    n_windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvaluation:
    """Everything that a test set says about one bundle; absent is None, with a reason.

    ``confusion`` has the rows (truth) and columns of ``labels``, which is always the whole label
    set. ``n_unlabelled`` windows carry a label that is no class and are in no figure.
    """

    format: str = "cis490.model-evaluation"
    version: int = EVALUATION_VERSION
    key: ModelKey
    bundle: str
    scope: TestScope
    labels: tuple[str, ...]
    reason: str | None
    macro_f1: Interval
    accuracy: float | None
    brier: float | None
    ece: float | None
    log_loss: float | None
    classes: tuple[ClassScore, ...]
    profiles: tuple[SliceScore, ...]
    hosts: tuple[SliceScore, ...]
    host_profiles: tuple[HostProfileScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    measures: Measures
    selective: Selective
    n_hosts: int
    n_samples: int
    n_episodes: int
    n_windows: int
    n_unlabelled: int
    bootstrap: BootstrapConfig


def score_model(
    table: pa.Table,
    *,
    key: ModelKey,
    scope: TestScope,
    config: BootstrapConfig,
    basis: Basis | None = None,
    id_val: pa.Table | None = None,
) -> ModelEvaluation:
    """Score the test predictions of one bundle.

    Parameters
    ----------
    table
        Rows of ``predictions`` with role ``test`` of exactly one bundle.
    basis
        The bundle's alarm and what happened in the episodes; without it detection is null.
    id_val
        Rows of the same bundle with role ``id_val``; without them nothing is calibrated on them.

    Raises
    ------
    EvaluationError
        Where the rows are not of one bundle and this key, or are damaged.
    """
    found = predictions_of(table, key=key, role=TEST)
    confusions_EKK = found.confusions()
    size = found.size()
    total_KK = confusions_EKK.sum(axis=0)
    truth_N, proba_NK = found.y_true_N, found.proba_NK
    return ModelEvaluation(
        key=key,
        bundle=found.bundle,
        scope=scope,
        labels=tuple(phase.value for phase in PHASES),
        reason=None if size.n_windows else _NO_WINDOWS,
        macro_f1=_macro_f1(found, confusions_EKK, config),
        accuracy=_accuracy(total_KK),
        brier=brier(truth_N, proba_NK),
        ece=ece(truth_N, proba_NK),
        log_loss=log_loss(truth_N, proba_NK),
        classes=_class_scores(found, confusions_EKK, config),
        profiles=_profile_scores(found, confusions_EKK, scope, config),
        hosts=_host_scores(found, confusions_EKK, scope, config),
        host_profiles=host_profile_scores(
            found, hosts=scope.test_hosts, profiles=scope.untested_profiles, config=config
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in total_KK),
        measures=measures_of(found, basis, config),
        selective=selective_of(
            found,
            _calibration(id_val, key, found.bundle),
            train_hosts=scope.train_hosts,
            config=config,
        ),
        n_hosts=size.n_hosts,
        n_samples=size.n_samples,
        n_episodes=size.n_episodes,
        n_windows=size.n_windows,
        n_unlabelled=found.n_unlabelled,
        bootstrap=config,
    )


def _macro_f1(
    found: Predictions, confusions_EKK: NDArray[np.int64], config: BootstrapConfig
) -> Interval:
    interval = macro_f1_interval(confusions_EKK, config=config, size=found.size())
    if interval.point is None:
        return interval
    classes_K = supported_classes(confusions_EKK.sum(axis=0))
    contrast = Contrast(weights_M=(1.0,), classes_K=classes_K)
    across = interval_across_hosts(confusions_EKK[:, None], contrast, found.host_codes(), config)
    return replace(interval, across_hosts=across)


def _calibration(id_val: pa.Table | None, key: ModelKey, bundle: str) -> Predictions | None:
    if id_val is None:
        return None
    rows = rows_of(id_val, key=key, bundle=bundle, role=ID_VAL)
    return predictions_of(rows, key=key, role=ID_VAL) if rows.num_rows else None


def _accuracy(total_KK: NDArray[np.int64]) -> float | None:
    n_windows = int(total_KK.sum())
    return float(np.trace(total_KK) / n_windows) if n_windows else None


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _class_scores(
    found: Predictions, confusions_EKK: NDArray[np.int64], config: BootstrapConfig
) -> tuple[ClassScore, ...]:
    precision_K, recall_K = precision_recall(confusions_EKK.sum(axis=0))
    support_EK = confusions_EKK.sum(axis=2)
    drawn = resample(confusions_EKK[:, None], config) if found.episodes else None
    return tuple(
        ClassScore(
            phase=phase.value,
            precision=_none_if_nan(precision_K[code]),
            recall=_none_if_nan(recall_K[code]),
            f1=_class_interval(code, found, confusions_EKK, drawn, config),
            n_windows=int(support_EK[:, code].sum()),
            n_episodes=int((support_EK[:, code] > 0).sum()),
        )
        for code, phase in enumerate(PHASES)
    )


def _class_interval(
    code: int,
    found: Predictions,
    confusions_EKK: NDArray[np.int64],
    drawn: Resamples | None,
    config: BootstrapConfig,
) -> Interval:
    if drawn is None:
        return without_interval(_NO_WINDOWS, size=found.size(), level=config.level)
    return contrast_interval(
        confusions_EKK[:, None],
        Contrast(weights_M=(1.0,), classes_K=np.arange(N_PHASES) == code),
        drawn,
        config=config,
        size=found.size(),
    )


def _profile_scores(
    found: Predictions,
    confusions_EKK: NDArray[np.int64],
    scope: TestScope,
    config: BootstrapConfig,
) -> tuple[SliceScore, ...]:
    profile_E = np.array([episode.profile for episode in found.episodes], dtype=np.str_)
    names = sorted({*profile_E.tolist(), *scope.untested_profiles})
    return tuple(
        _slice_score(
            name, profile_E == name, found, confusions_EKK, config, unseen=scope.unseen_profiles
        )
        for name in names
    )


def _host_scores(
    found: Predictions,
    confusions_EKK: NDArray[np.int64],
    scope: TestScope,
    config: BootstrapConfig,
) -> tuple[SliceScore, ...]:
    host_E = np.array([episode.host_id for episode in found.episodes], dtype=np.str_)
    names = sorted({*host_E.tolist(), *scope.test_hosts})
    return tuple(
        _slice_score(name, host_E == name, found, confusions_EKK, config, unseen=())
        for name in names
    )


def _slice_score(
    name: str,
    kept_E: NDArray[np.bool_],
    found: Predictions,
    confusions_EKK: NDArray[np.int64],
    config: BootstrapConfig,
    *,
    unseen: tuple[str, ...],
) -> SliceScore:
    if not kept_E.any():
        return _untested(name)
    kept_EKK = confusions_EKK[kept_E]
    total_KK = kept_EKK.sum(axis=0)
    size = found.size(kept_E)
    present_K = supported_classes(total_KK)
    is_unseen = name in unseen
    return SliceScore(
        name=name,
        coverage=Coverage.UNSEEN if is_unseen else Coverage.TESTED,
        reason="tested, but not in training" if is_unseen else None,
        macro_f1=macro_f1_interval(kept_EKK, config=config, size=size),
        accuracy=_accuracy(total_KK),
        phases=tuple(phase.value for phase, is_in in zip(PHASES, present_K, strict=True) if is_in),
        n_episodes=size.n_episodes,
        n_windows=size.n_windows,
    )


def _untested(name: str) -> SliceScore:
    return SliceScore(
        name=name,
        coverage=Coverage.UNTESTED,
        reason="not in the test set",
        macro_f1=None,
        accuracy=None,
        phases=(),
        n_episodes=0,
        n_windows=0,
    )


def evaluation_to_json(evaluation: ModelEvaluation) -> bytes:
    """Return the JSON form: keys in a fixed order, absent is null."""
    return msgspec.json.format(msgspec.json.encode(evaluation), indent=1)


def evaluation_from_json(data: bytes, *, where: str) -> ModelEvaluation:
    """Read an evaluation back.

    Raises
    ------
    EvaluationError
        Where the bytes are no evaluation of this version.
    """
    try:
        found = msgspec.json.decode(data, type=ModelEvaluation)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _foreign(where, str(error)) from error
    if found.version != EVALUATION_VERSION or found.format != "cis490.model-evaluation":
        raise _foreign(where, f"{found.format} version {found.version}")
    return found


def _foreign(where: str, found: str) -> EvaluationError:
    return EvaluationError(
        "not a model evaluation of this version",
        where=where,
        expected=f"cis490.model-evaluation version {EVALUATION_VERSION}",
        found=found,
        todo="evaluate the model again",
    )
