"""Fit one family on a split's training set: the same call for assets and command line.

It reads ``training_set`` and nothing else of the split, and the warehouse that it loads from yields
no row of any other episode. Not here: the job itself (``run``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.training_sets import TrainingSet, load_training_set
from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.edge.projection import PROJECTION_FILE, encode_projection
from cis490_pipeline.models.current import FittedModel, save_fitted
from cis490_pipeline.models.provenance import code_commit, library_versions
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.training.fitted import Cancelled
from cis490_pipeline.training.job import Job, Provenance, TrainingOutcome, Workshop
from cis490_pipeline.training.progress import Reporter
from cis490_pipeline.training.projection import fit_projection
from cis490_pipeline.training.request import (
    TrainingRequest,
    filters_by_default,
    hyper_parameters_from_overrides,
)
from cis490_pipeline.training.run import train
from cis490_pipeline.training.trunk import TrunkOutcome, obtain_trunk
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """What to fit; ``overrides`` replace the family's default hyper-parameters.

    A ``phase_filter`` of None is one where there is a context. ``search`` tries the family's grid.
    ``alarm`` is what the alarm's threshold has to keep on id_val.
    """

    family: str
    mode: Mode
    context: Context = Context.NONE
    phase_filter: bool | None = None
    seed: int = 0
    overrides: Mapping[str, object] = field(default_factory=dict[str, object])
    search: bool = False
    alarm: AlarmPolicy = field(default_factory=AlarmPolicy)
    threads: int = 1


def request_of(options: FitOptions, statuses: tuple[str, ...]) -> TrainingRequest:
    """Return the validated request; ConfigurationError where the options do not fit together."""
    given = options.phase_filter
    return TrainingRequest(
        family=options.family,
        mode=options.mode,
        context=options.context,
        seed=options.seed,
        statuses=statuses,
        hyper_parameters=hyper_parameters_from_overrides(options.family, options.overrides),
        phase_filter=filters_by_default(options.context) if given is None else given,
        search=options.search,
        alarm=options.alarm,
    )


def fit_on_split(
    warehouse: Warehouse,
    split: str,
    options: FitOptions,
    reporter: Reporter,
    cancelled: Cancelled,
) -> TrainingOutcome:
    """Fit, or find the bundle of the same identity, and make it the split's current model.

    Raises
    ------
    ConfigurationError
        Where the family, mode or hyper-parameters do not fit together.
    WarehouseError
        Where the split has no training set yet, or the tables no longer hold what it names.
    TrainingError
        Where the training set cannot carry a fit.
    LeakageError
        Where anything in the fit reads beyond the training set.
    """
    training_set = load_training_set(warehouse.layout, split)
    warehouse = _confined(warehouse, training_set)
    job = _job(training_set, request_of(options, training_set.statuses))
    outcome = train(
        job,
        lambda: _load(warehouse, training_set, job.request),
        replace(
            _workshop(warehouse, options, reporter, cancelled),
            beside=lambda: _beside(warehouse, training_set, options.mode),
        ),
    )
    save_fitted(warehouse.layout, _fitted_model(training_set, options, outcome))
    return outcome


def pretrain_on_split(
    warehouse: Warehouse,
    split: str,
    options: FitOptions,
    reporter: Reporter,
    cancelled: Cancelled,
) -> TrunkOutcome:
    """Make, or find, the trunk that the fit with the same options begins from.

    Raises
    ------
    ConfigurationError, WarehouseError, TrainingError
        As ``fit_on_split``; also where the family is not pre-trained.
    """
    training_set = load_training_set(warehouse.layout, split)
    warehouse = _confined(warehouse, training_set)
    job = _job(training_set, request_of(options, training_set.statuses))
    return obtain_trunk(
        job,
        lambda: _cases(warehouse, training_set.train, job.request),
        _workshop(warehouse, options, reporter, cancelled),
    )


def _confined(warehouse: Warehouse, training_set: TrainingSet) -> Warehouse:
    members = (*training_set.train, *training_set.id_val)
    ids = (member.episode_id for member in members)
    return warehouse.confined(ids, f"training set of split {training_set.split}")


def _job(training_set: TrainingSet, request: TrainingRequest) -> Job:
    return Job(
        request=request,
        split=training_set.split,
        training_set_hash=training_set.content_hash,
        training_ids_hash=training_set.training_ids_hash,
        provenance=Provenance(code_commit=code_commit(), library_versions=library_versions()),
    )


def _workshop(
    warehouse: Warehouse, options: FitOptions, reporter: Reporter, cancelled: Cancelled
) -> Workshop:
    return Workshop(
        registry=ModelRegistry(warehouse.layout.models),
        work_dir=warehouse.layout.training_work,
        reporter=reporter,
        cancelled=cancelled,
        threads=options.threads,
    )


def _beside(warehouse: Warehouse, training_set: TrainingSet, mode: Mode) -> dict[str, bytes]:
    """Return what a bundle has beside its weights: the plane of its training windows."""
    projection = fit_projection(warehouse, training_set.train, mode)
    return {} if projection is None else {PROJECTION_FILE: encode_projection(projection)}


def _load(
    warehouse: Warehouse, training_set: TrainingSet, request: TrainingRequest
) -> tuple[Cases, Cases]:
    return (
        _cases(warehouse, training_set.train, request),
        _cases(warehouse, training_set.id_val, request),
    )


def _cases(warehouse: Warehouse, members: Sequence[Member], request: TrainingRequest) -> Cases:
    inputs = request.spec.inputs
    return load_cases(
        warehouse,
        members,
        request.mode,
        summary=inputs.has_summary,
        sequences=inputs.has_sequences,
        context=request.context,
    ).cases


def _fitted_model(
    training_set: TrainingSet, options: FitOptions, outcome: TrainingOutcome
) -> FittedModel:
    return FittedModel(
        split=training_set.split,
        family=options.family,
        mode=options.mode.value,
        context=options.context.value,
        seed=options.seed,
        bundle=outcome.bundle,
        identity=outcome.identity,
        training_set_hash=training_set.content_hash,
        id_val_macro_f1=outcome.id_val_macro_f1,
        reused=outcome.reused,
        seconds=outcome.seconds,
    )
