"""Fitting any family on two slices in memory: checks, weights, procedure, filter, calibration.

``fit-arrays`` and the tests call this directly; ``run`` puts registry, identity and attempts around
it. Not here: those.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.phase_filter import PhaseFilter
from cis490_pipeline.edge.probabilities import with_temperature
from cis490_pipeline.errors import TrainingError
from cis490_pipeline.models.class_weights import inverse_frequency_weights
from cis490_pipeline.models.classifier import (
    Blending,
    Boosting,
    CaseShape,
    Compute,
    Counting,
    FamilySpec,
    FitTask,
    HyperParameters,
    Network,
)
from cis490_pipeline.models.filtering import filtered
from cis490_pipeline.models.views import require_shape, shape_of
from cis490_pipeline.training.blending import fit_blend
from cis490_pipeline.training.calibration import fit_temperature
from cis490_pipeline.training.counting import fit_counting
from cis490_pipeline.training.fitted import Fitted, Supervision, macro_f1_of
from cis490_pipeline.training.phase_filter import fit_phase_filter


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibratedFit:
    """A fitted model, the shape of its cases, its phase filter, and what calibrates it.

    ``id_val_macro_f1`` is that of the whole, with the filter; ``id_val_p_NK`` are its finished
    probabilities there.
    """

    fitted: Fitted
    shape: CaseShape
    phase_filter: PhaseFilter | None
    temperature: float
    id_val_macro_f1: float | None
    id_val_p_NK: NDArray[np.float64]


def _refusal(what: str, found: str, todo: str) -> TrainingError:
    return TrainingError(what, where="training set", found=found, todo=todo)


def require_fittable(train: Cases, id_val: Cases) -> None:
    """Refuse slices on which no family can be fitted and chosen.

    An empty id_val is refused and not replaced by a fixed number of steps: early stopping,
    calibration, thresholds and the choice between models all rest on it, and a model that was
    chosen on nothing would look like one that was.

    Raises
    ------
    TrainingError
        Saying what to do. Classes that are absent from either slice are no reason.
    """
    if train.n_cases == 0:
        raise _refusal(
            "no training cases", "0 windows", "ingest episodes, or include degraded ones"
        )
    classes = np.unique(train.y_N)
    if classes.size < 2:
        raise _refusal(
            "one class only",
            f"all {train.n_cases} windows are of class {classes[0]}",
            "add episodes that go through another phase",
        )
    if id_val.n_cases == 0:
        raise _refusal(
            "id_val is empty",
            f"{train.n_cases} training windows, none to choose by",
            "add episodes: at least two per host and profile leave one for id_val",
        )


def _procedure(spec: FamilySpec, task: FitTask, watch: Supervision) -> Fitted:
    match spec.fitting:
        case Blending() as blending:
            return fit_blend(blending, task, watch, _procedure)
        case Network() as network:
            from cis490_pipeline.training.loop import fit_network

            return fit_network(network, task, spec.inputs, watch)
        case Boosting():
            from cis490_pipeline.training.boosting import fit_boosting

            return fit_boosting(task, watch)
        case Counting() as counting:
            return fit_counting(counting, task, watch)


def _permuted(train: Cases, seed: int) -> Cases:
    """Return the cases with their labels dealt out anew, across all episodes."""
    return replace(train, y_N=np.random.default_rng(seed).permutation(train.y_N))


def fit_family(  # noqa: PLR0913 - keyword-only, each with a default of its own
    spec: FamilySpec,
    train: Cases,
    id_val: Cases,
    *,
    hyper_parameters: HyperParameters | None = None,
    seed: int = 0,
    compute: Compute | None = None,
    watch: Supervision | None = None,
    phase_filter: bool = False,
    trunk: bytes | None = None,
) -> CalibratedFit:
    """Fit a family on ``train``, choose and calibrate on ``id_val``.

    Parameters
    ----------
    hyper_parameters
        None: the family's defaults.
    compute
        None: one thread on the CPU.
    watch
        None: nobody watches, nothing is saved on the way.
    phase_filter
        Whether the model gets one; needs cases of episodes, with their times.
    trunk
        What a pre-trained family starts from; None: it is made in memory, on ``train``.

    Raises
    ------
    TrainingError
        Where the slices cannot be fitted on, or the fit diverges.
    TrainingCancelledError
        Where the owner cancels.
    SchemaMismatchError
        Where the two slices have different shapes.
    """
    require_fittable(train, id_val)
    if spec.permutes_labels:
        train = _permuted(train, seed)
    shape = shape_of(train, spec.inputs)
    require_shape(id_val, spec.inputs, shape)
    task = FitTask(
        train=train,
        id_val=id_val,
        shape=shape,
        class_weight_K=inverse_frequency_weights(train.y_N, train.n_classes),
        hyper_parameters=hyper_parameters or spec.hyper_parameters,
        seed=seed,
        compute=compute or Compute(),
        trunk=trunk,
    )
    fitted = _procedure(spec, task, watch or Supervision())
    p_NK = fitted.classifier.predict_proba(id_val)
    score = fitted.id_val_macro_f1
    chosen = fit_phase_filter(train, id_val, p_NK) if phase_filter else None
    if chosen is not None:
        p_NK = filtered(chosen, p_NK, id_val)
        score = macro_f1_of(p_NK, id_val.y_N)
    temperature = fit_temperature(p_NK, id_val.y_N)
    return CalibratedFit(
        fitted=fitted,
        shape=shape,
        phase_filter=chosen,
        temperature=temperature,
        id_val_macro_f1=score,
        id_val_p_NK=with_temperature(p_NK, temperature),
    )
