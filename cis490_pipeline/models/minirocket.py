"""``minirocket``: ten thousand fixed convolutions of the raw grid and a ridge classifier.

The state of the art that costs next to nothing to train: a network that does not beat it has earned
no place. The transform is aeon's (optional extra ``rocket``); it knows no missing values, so that
channels are scaled by constants of train, 0 where missing, and channels that never move on train
are left out. The ridge penalty is chosen on id_val. The classifier is solved in its dual form and
keeps at most 5,000 windows (``subsample``), classes alike: 400 MB at the peak however many there
are.

Shape suffixes: N cases, C channels, T timepoints, D features (shares of positive values), K
classes.

Not here: aeon's kernels, which trust their parameters; what a bundle hands to them is checked here.
Source: Dempster, Schmidt and Webb 2021, *MiniRocket*.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Protocol, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases, SequenceView
from cis490_pipeline.edge.probabilities import softmax
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.classifier import (
    CHANNEL_MODES,
    Classifier,
    Compute,
    Counting,
    FamilySpec,
    FitTask,
    HyperParameters,
    Inputs,
    StoredModel,
    narrow,
)
from cis490_pipeline.models.columns import SCALING_ARRAYS, scaling_arrays, scaling_from_arrays
from cis490_pipeline.models.merit import merit_of
from cis490_pipeline.models.ridge import Ridge
from cis490_pipeline.models.scaling import Scaling, fit_scaling, scaled_columns
from cis490_pipeline.models.subsample import subsample
from cis490_pipeline.models.tensor_weights import (
    Arrays,
    decode_arrays,
    encode_arrays,
    refusal,
    require_sizes,
)
from cis490_pipeline.models.views import channel_view

PENALTY_GRID: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Ridge penalties that are tried on id_val, in units of the number of features."""
_SHORTEST: Final = 9
"""Timepoints that a kernel covers; shorter cases are padded with zeros."""
_PATTERNS: Final = 84
_PREDICTION_BATCH: Final = 256
_SHARPNESS: Final = 4.0
"""Scores lie about -1 and 1: this makes probabilities of them that the temperature can correct."""
_TRANSFORM_ARRAYS: Final = ("channels_per_kernel", "channel", "dilation", "features_per_dilation")
_ARRAYS: Final = {
    **SCALING_ARRAYS,
    **dict.fromkeys(_TRANSFORM_ARRAYS, ("int32", 1)),
    "bias": ("float32", 1),
    "coefficient": ("float64", 2),
    "intercept": ("float64", 1),
}


class Transform(Protocol):
    """What is used of aeon's ``MiniRocket``."""

    parameters: tuple[NDArray[Any], ...]

    def fit(self, X: NDArray[Any]) -> "Transform":
        """Draw dilations and biases from the cases."""
        ...

    def transform(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features ``[N, D]``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniRocketHyperParameters(HyperParameters):
    """Transform and classifier.

    Attributes
    ----------
    kernels
        Features, rounded down to a multiple of 84.
    penalty
        Ridge penalty in units of the number of features; None chooses on id_val.
    """

    kernels: Annotated[int, msgspec.Meta(ge=84, le=50_000)] = 10_000
    penalty: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None
    most_cases: Annotated[int, msgspec.Meta(ge=2, le=50_000)] = 5_000


def _transform(kernels: int, seed: int, compute: Compute) -> Transform:
    try:
        from aeon.transformations.collection.convolution_based import MiniRocket
    except ImportError as error:
        raise ConfigurationError(
            "family minirocket needs aeon, which is not installed",
            where="optional extra rocket",
            found=str(error),
            todo="make install, or: pip install 'cis490-pipeline[rocket]'",
        ) from error
    made = MiniRocket(n_kernels=kernels, random_state=seed, n_jobs=compute.threads)
    return cast("Transform", made)


def _scaled(view: SequenceView, scaling: Scaling, index_N: NDArray[np.int64]) -> NDArray[Any]:
    """Return the moving channels without holes, at least one and of nine timepoints."""
    x_NTC = view.gather(index_N).swapaxes(1, 2)
    z_NCT = np.nan_to_num(scaled_columns(x_NTC, scaling), nan=0.0).swapaxes(1, 2)
    z_NCT = z_NCT[:, scaling.gain_C > 0] if bool((scaling.gain_C > 0).any()) else z_NCT[:, :1]
    padding = max(0, _SHORTEST - z_NCT.shape[2])
    return np.ascontiguousarray(np.pad(z_NCT, ((0, 0), (0, 0), (0, padding))))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MiniRocketClassifier:
    """Scaling, transform and a linear classifier on its features."""

    scaling: Scaling
    transform: Transform
    coefficient_DK: NDArray[np.float64]
    intercept_K: NDArray[np.float64]

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the softmax of the scores."""
        return softmax(self.scores(cases))

    def scores(self, cases: Cases) -> NDArray[np.float64]:
        """Return the linear scores, ``[N, K]``."""
        view = channel_view(cases, Inputs.SEQUENCE)
        score_NK = np.empty((cases.n_cases, self.intercept_K.size))
        for first in range(0, cases.n_cases, _PREDICTION_BATCH):
            index_B = np.arange(first, min(first + _PREDICTION_BATCH, cases.n_cases))
            feature_BD = self.transform.transform(_scaled(view, self.scaling, index_B))
            score_NK[index_B] = feature_BD.astype(np.float64) @ self.coefficient_DK
        return _SHARPNESS * (score_NK + self.intercept_K)

    def weights(self) -> dict[str, bytes]:
        """Return scaling, transform and classifier as safetensors."""
        *integers, bias = self.transform.parameters
        return encode_arrays(
            {
                **scaling_arrays(self.scaling),
                **dict(zip(_TRANSFORM_ARRAYS, integers, strict=True)),
                "bias": bias,
                "coefficient": self.coefficient_DK,
                "intercept": self.intercept_K,
            }
        )


def _fitted_transform(z_NCT: NDArray[Any], kernels: int, seed: int, compute: Compute) -> Transform:
    transform = _transform(kernels, seed, compute)
    before = np.random.get_state()  # noqa: NPY002 - aeon seeds numpy's global generator
    try:
        return transform.fit(z_NCT)
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _fit(task: FitTask) -> Classifier:
    chosen = narrow(task.hyper_parameters, MiniRocketHyperParameters)
    view = channel_view(task.train, Inputs.SEQUENCE)
    scaling = fit_scaling(view, task.train.n_cases)
    kept = subsample(task.train.y_N, chosen.most_cases, seed=task.seed)
    z_NCT = _scaled(view, scaling, kept)
    transform = _fitted_transform(z_NCT, chosen.kernels, task.seed, task.compute)
    ridge = Ridge.of(transform.transform(z_NCT), task.train.y_N[kept], task.shape.n_classes)
    penalties = (chosen.penalty,) if chosen.penalty else PENALTY_GRID
    solved = [ridge.solve(penalty) for penalty in penalties]
    # One pass over id_val for all penalties: the transform costs more than the scores.
    path = MiniRocketClassifier(
        scaling=scaling,
        transform=transform,
        coefficient_DK=np.concatenate([coefficient for coefficient, _ in solved], axis=1),
        intercept_K=np.concatenate([intercept for _, intercept in solved]),
    )
    scores = np.split(path.scores(task.id_val), len(penalties), axis=1)
    best = max(range(len(penalties)), key=lambda i: merit_of(softmax(scores[i]), task.id_val.y_N))
    coefficient_DK, intercept_K = solved[best]
    return replace(path, coefficient_DK=coefficient_DK, intercept_K=intercept_K)


def _require_sound_kernels(arrays: Arrays, n_channels: int, n_timepoints: int) -> None:
    """Refuse kernels that would read beside the cases or beside their own parameters."""
    per_kernel, channel, dilation, per_dilation = (
        arrays[name].astype(np.int64) for name in _TRANSFORM_ARRAYS
    )
    sound = (
        0 < dilation.size == per_dilation.size
        and per_kernel.size == _PATTERNS * dilation.size
        and bool((dilation >= 1).all() and (dilation <= (n_timepoints - 1) // 8).all())
        and bool((per_dilation >= 1).all() and (per_kernel >= 1).all())
        and bool((channel >= 0).all() and (channel < n_channels).all())
        and int(per_kernel.sum()) == channel.size
        and _PATTERNS * int(per_dilation.sum()) == arrays["bias"].size
    )
    if not sound:
        raise refusal(
            "kernels that do not fit the cases",
            expected=f"{n_channels} channels × {n_timepoints} timepoints",
        )


def _load(stored: StoredModel) -> Classifier:
    arrays = decode_arrays(stored, _ARRAYS)
    scaling = scaling_from_arrays(arrays, stored.shape.n_channels)
    n_channels = max(1, int((scaling.gain_C > 0).sum()))
    n_timepoints = max(_SHORTEST, stored.shape.n_timepoints)
    _require_sound_kernels(arrays, n_channels, n_timepoints)
    n_features, n_classes = arrays["bias"].size, stored.shape.n_classes
    require_sizes(arrays, {"coefficient": (n_features, n_classes), "intercept": (n_classes,)})
    # A fit on nothing leaves what aeon asks for before it transforms; the parameters are replaced.
    nothing_NCT = np.zeros((1, n_channels, n_timepoints), dtype=np.float32)
    transform = _fitted_transform(nothing_NCT, _PATTERNS, 0, stored.compute)
    transform.parameters = tuple(arrays[name] for name in (*_TRANSFORM_ARRAYS, "bias"))
    return MiniRocketClassifier(
        scaling=scaling,
        transform=transform,
        coefficient_DK=arrays["coefficient"].astype(np.float64),
        intercept_K=arrays["intercept"].astype(np.float64),
    )


MINIROCKET: Final = FamilySpec(
    name="minirocket",
    inputs=Inputs.SEQUENCE,
    modes=CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=MiniRocketHyperParameters(),
    fitting=Counting(fit=_fit),
    load=_load,
)
"""The family."""
