"""Fitting ``gbt``: XGBoost with early stopping on the id_val log-loss.

Shape suffixes: N cases, V cases that were drawn, F features, K classes.

Not here: the stored model (``models.gbt``).
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import xgboost
from numpy.typing import NDArray
from xgboost.callback import TrainingCallback

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.other_hosts import copies_of
from cis490_pipeline.models.classifier import FitTask, Inputs, narrow
from cis490_pipeline.models.gbt import GbtClassifier, GbtHyperParameters
from cis490_pipeline.models.views import channel_view
from cis490_pipeline.training.fitted import Fitted, Supervision, macro_f1_on
from cis490_pipeline.training.progress import EpochRecord

_ROUNDS_PER_RECORD = 10
_CASES_PER_CHUNK: Final = 8192
_FEWEST_COLUMNS: Final = 12
"""A tree may use at least so many columns, where there are: a fifth of the six statistics of a
single channel would be one, and a tree on one column sees no combination of two."""
EvaluationLog = dict[str, dict[str, list[float] | list[tuple[float, float]]]]


class _Recorder(TrainingCallback):
    """Reports every few rounds, and stops where the owner has cancelled."""

    def __init__(self, watch: Supervision, chosen: GbtHyperParameters) -> None:
        super().__init__()
        self._watch = watch
        self._chosen = chosen
        self.history: list[EpochRecord] = []

    def after_iteration(
        self,
        model: xgboost.Booster,  # noqa: ARG002 - the signature is XGBoost's
        epoch: int,
        evals_log: EvaluationLog,
    ) -> bool:
        """Return False: stopping is by exception or by the early-stopping callback."""
        if epoch % _ROUNDS_PER_RECORD:
            return False
        self._watch.require_wanted(f"round {epoch + 1}")
        record = EpochRecord(
            step=epoch + 1,
            epoch=epoch,
            train_loss=float(np.asarray(evals_log["train"]["mlogloss"]).ravel()[-1]),
            id_val_macro_f1=None,
            lr=self._chosen.learning_rate,
            most_epochs=self._chosen.rounds,
        )
        self.history.append(record)
        self._watch.reporter.epoch(record)
        return False


def _parameters(task: FitTask, chosen: GbtHyperParameters) -> dict[str, int | float | str]:
    return {
        "objective": "multi:softprob",
        "num_class": task.shape.n_classes,
        "eval_metric": "mlogloss",
        "tree_method": "hist",
        "device": task.compute.device,
        "nthread": task.compute.threads,
        "seed": task.seed,
        "max_depth": chosen.depth,
        "eta": chosen.learning_rate,
        "max_bin": chosen.bins,
        "subsample": chosen.row_share,
        "colsample_bytree": _column_share(chosen.column_share, task.shape.n_channels),
        "min_child_weight": chosen.min_child_weight,
        "lambda": chosen.l2,
    }


def _column_share(share: float, n_columns: int) -> float:
    return min(1.0, max(share, _FEWEST_COLUMNS / n_columns))


_Kept = tuple[Cases, NDArray[np.int64]]


def drawn(slices: Sequence[Cases], most: int, seed: int) -> list[_Kept]:
    """Return which cases of each slice are kept, in their order: all, or ``most`` drawn evenly."""
    n_cases = sum(cases.n_cases for cases in slices)
    kept_V = np.arange(n_cases)
    if n_cases > most:
        kept_V = np.sort(np.random.default_rng(seed).choice(n_cases, most, replace=False))
    found: list[_Kept] = []
    first = 0
    for cases in slices:
        own_V = kept_V[(kept_V >= first) & (kept_V < first + cases.n_cases)]
        found.append((cases, own_V - first))
        first += cases.n_cases
    return found


class _Chunks(xgboost.DataIter):
    """Feeds XGBoost a few thousand cases at a time: the columns in context are never held whole."""

    def __init__(self, kept: Sequence[_Kept], weight_K: NDArray[np.float64]) -> None:
        super().__init__()
        self._weight_K = weight_K
        self._chunks = [
            (cases, index_V[start : start + _CASES_PER_CHUNK])
            for cases, index_V in kept
            for start in range(0, index_V.size, _CASES_PER_CHUNK)
        ]
        self._next = 0

    def reset(self) -> None:
        """Begin again."""
        self._next = 0

    def next(self, input_data: Callable[..., None]) -> bool:
        """Hand over one chunk; return False where there is none left."""
        if self._next == len(self._chunks):
            return False
        cases, index_B = self._chunks[self._next]
        x_BF = channel_view(cases, Inputs.SUMMARY).gather(index_B)[:, :, 0]
        y_B = cases.y_N[index_B]
        input_data(
            data=np.ascontiguousarray(x_BF, dtype=np.float32),
            label=y_B,
            weight=self._weight_K[y_B],
        )
        self._next += 1
        return True


def _matrix(
    slices: Sequence[Cases],
    task: FitTask,
    chosen: GbtHyperParameters,
    reference: xgboost.QuantileDMatrix | None = None,
) -> xgboost.QuantileDMatrix:
    return xgboost.QuantileDMatrix(
        _Chunks(drawn(slices, chosen.most_cases, task.seed), task.class_weight_K),
        max_bin=chosen.bins,
        ref=reference,
        nthread=task.compute.threads,
    )


def fit_boosting(task: FitTask, watch: Supervision) -> Fitted:
    """Boost until the class-weighted id_val log-loss has not improved for ``patience`` rounds.

    Raises
    ------
    TrainingCancelledError
        Where its owner cancels; asked every ten rounds.
    """
    chosen = narrow(task.hyper_parameters, GbtHyperParameters)
    slices = [task.train, *copies_of(task.train, chosen.host_copies, task.seed)]
    train = _matrix(slices, task, chosen)
    id_val = _matrix([task.id_val], task, chosen, train)
    recorder = _Recorder(watch, chosen)
    booster = xgboost.train(
        _parameters(task, chosen),
        train,
        num_boost_round=chosen.rounds,
        evals=[(train, "train"), (id_val, "id_val")],
        early_stopping_rounds=chosen.patience,
        verbose_eval=False,
        callbacks=[recorder],
    )
    n_rounds = booster.num_boosted_rounds()
    best = booster.best_iteration + 1
    classifier = GbtClassifier(booster=booster[:best])
    return Fitted(
        classifier=classifier,
        id_val_macro_f1=macro_f1_on(classifier, task.id_val),
        rounds=n_rounds,
        best_round=best,
        steps=best,
        history=tuple(recorder.history),
    )
