"""``logistic``: multinomial logistic regression on the window statistics.

The linear yardstick: what it reaches needs no network. Columns are scaled as for the networks
(robust constants of train, a signed logarithm where tails are heavy, cut at 3), missing ones are 0,
and a column that is missing at times says so in a second one. The strength of the L2 penalty is
chosen on id_val unless it is given, along one path from strong to weak. At most 100,000 windows
take part (``subsample``), fewer where a context has thousands of columns: the solver holds them
all, and more do not move a few thousand weights.

Shape suffixes: N cases, D features, K classes.

Source: scikit-learn's ``LogisticRegression`` (L-BFGS) fits; two arrays are stored and predict.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.probabilities import softmax
from cis490_pipeline.models.class_weights import inverse_frequency_weights
from cis490_pipeline.models.classifier import (
    CHANNEL_MODES,
    Classifier,
    Counting,
    FamilySpec,
    FitTask,
    HyperParameters,
    Inputs,
    StoredModel,
    narrow,
)
from cis490_pipeline.models.columns import (
    SCALING_ARRAYS,
    columns_of,
    fit_columns,
    parts_of,
    scaling_arrays,
    scaling_from_arrays,
)
from cis490_pipeline.models.merit import merit_of
from cis490_pipeline.models.scaling import Scaling
from cis490_pipeline.models.subsample import subsample
from cis490_pipeline.models.tensor_weights import decode_arrays, encode_arrays, require_sizes

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

PENALTY_GRID: Final = (100.0, 10.0, 1.0, 0.1, 0.01)
"""L2 penalties that are tried on id_val."""
_MOST_VALUES: Final = 100_000_000
"""Of all windows that take part: 800 MB."""
_ABSENT_CLASS: Final = -30.0
"""Logit of a class that does not occur on train: a probability of about 0, but a finite one."""
_ARRAYS: Final = {**SCALING_ARRAYS, "coefficient": ("float64", 2), "intercept": ("float64", 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticHyperParameters(HyperParameters):
    """Penalty and bounds.

    Attributes
    ----------
    penalty
        Weight of half the squared norm of the coefficients against the summed loss; None chooses
        on id_val.
    """

    penalty: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None
    iterations: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 300
    most_cases: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogisticClassifier:
    """Coefficients ``[2F', K]``: one per moving column, and one per its absence."""

    scaling: Scaling
    coefficient_DK: NDArray[np.float64]
    intercept_K: NDArray[np.float64]

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the softmax of the linear scores."""
        score_NK = np.empty((cases.n_cases, self.intercept_K.size))
        for part in parts_of(cases.n_cases):
            feature_BD = _features(cases, self.scaling, np.arange(part.start, part.stop))
            score_NK[part] = feature_BD @ self.coefficient_DK + self.intercept_K
        return softmax(score_NK)

    def weights(self) -> dict[str, bytes]:
        """Return scaling and coefficients as safetensors."""
        return encode_arrays(
            {
                **scaling_arrays(self.scaling),
                "coefficient": self.coefficient_DK,
                "intercept": self.intercept_K,
            }
        )


def _features(cases: Cases, scaling: Scaling, index_N: NDArray[np.int64]) -> NDArray[np.float64]:
    n_moving = int((scaling.gain_C > 0).sum())
    feature_ND = np.empty((index_N.size, 2 * n_moving))
    for part in parts_of(index_N.size):
        columns = columns_of(cases, scaling, index_N[part])
        feature_ND[part, :n_moving] = columns.z_ND
        feature_ND[part, n_moving:] = 1.0 - columns.present_ND
    return feature_ND


def _classifier(
    fitted: "LogisticRegression", scaling: Scaling, n_classes: int
) -> LogisticClassifier:
    present, n_features = fitted.classes_, fitted.coef_.shape[1]
    intercept = np.asarray(fitted.intercept_, dtype=np.float64)
    coefficient_DK = np.zeros((n_features, n_classes))
    intercept_K = np.full(n_classes, _ABSENT_CLASS)
    if present.size == 2:  # scikit-learn keeps the difference of the two
        coefficient_DK[:, present] = np.stack((-fitted.coef_[0], fitted.coef_[0]), axis=1) / 2
        intercept_K[present] = np.array([-intercept[0], intercept[0]]) / 2
    else:
        coefficient_DK[:, present] = fitted.coef_.T
        intercept_K[present] = intercept
    return LogisticClassifier(
        scaling=scaling, coefficient_DK=coefficient_DK, intercept_K=intercept_K
    )


def _path(task: FitTask, chosen: LogisticHyperParameters) -> list[LogisticClassifier]:
    """Return one fit per penalty, each started from the one before."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    scaling = fit_columns(task.train)
    n_features = 2 * int((scaling.gain_C > 0).sum())
    most = min(chosen.most_cases, _MOST_VALUES // max(1, n_features))
    kept = subsample(task.train.y_N, most, seed=task.seed)
    x_ND, y_N = _features(task.train, scaling, kept), task.train.y_N[kept]
    weight_N = inverse_frequency_weights(y_N, task.shape.n_classes)[y_N]
    solver = LogisticRegression(max_iter=chosen.iterations, warm_start=True)
    fits: list[LogisticClassifier] = []
    for penalty in (chosen.penalty,) if chosen.penalty else PENALTY_GRID:
        solver.set_params(C=1.0 / penalty)
        with warnings.catch_warnings():
            # stopped by the bound on iterations: id_val judges the result all the same
            warnings.simplefilter("ignore", ConvergenceWarning)
            solver.fit(x_ND, y_N, sample_weight=weight_N)
        fits.append(_classifier(solver, scaling, task.shape.n_classes))
    return fits


def _fit(task: FitTask) -> Classifier:
    fits = _path(task, narrow(task.hyper_parameters, LogisticHyperParameters))
    return max(fits, key=lambda fit: merit_of(fit.predict_proba(task.id_val), task.id_val.y_N))


def _load(stored: StoredModel) -> Classifier:
    arrays = decode_arrays(stored, _ARRAYS)
    scaling = scaling_from_arrays(arrays, stored.shape.n_channels)
    n_features = 2 * int((scaling.gain_C > 0).sum())
    n_classes = stored.shape.n_classes
    require_sizes(arrays, {"coefficient": (n_features, n_classes), "intercept": (n_classes,)})
    return LogisticClassifier(
        scaling=scaling,
        coefficient_DK=arrays["coefficient"].astype(np.float64),
        intercept_K=arrays["intercept"].astype(np.float64),
    )


LOGISTIC: Final = FamilySpec(
    name="logistic",
    inputs=Inputs.SUMMARY,
    modes=CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=LogisticHyperParameters(),
    fitting=Counting(fit=_fit),
    load=_load,
)
"""The family."""
