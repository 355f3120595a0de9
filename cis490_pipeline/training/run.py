"""One training job from request to bundle: identity, reuse, attempts, fit, commit.

Not here: the fit itself (``fit``), loading (the caller's ``load``), any test set.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.edge.header import (
    FORMAT_VERSION,
    BundleHeader,
    Calibration,
    HistorySummary,
)
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.hyper_parameters import scalars_of
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.training.alarm import fit_alarm
from cis490_pipeline.training.fit import CalibratedFit, fit_family
from cis490_pipeline.training.identity import job_identity
from cis490_pipeline.training.job import Job, TrainingOutcome, Workshop
from cis490_pipeline.training.progress import PartReporter
from cis490_pipeline.training.request import TrainingRequest
from cis490_pipeline.training.search import search, searched_bundle
from cis490_pipeline.training.trunk import obtain_trunk, trunk_bytes

Load = Callable[[], tuple[Cases, Cases]]
"""Returns the train and the id_val slice."""


def train(job: Job, load: Load, workshop: Workshop) -> TrainingOutcome:
    """Return the bundle of a job, fitting it only where none stands for its identity.

    Parameters
    ----------
    load
        Called once at most, and only where a fit is needed.

    Raises
    ------
    TrainingError
        Where the slices cannot be fitted on. Counts as an attempt, like any other failure.
    AttemptsExhaustedError
        Where earlier attempts at this identity have failed too often.
    TrainingCancelledError
        Where the owner cancels. Does not count; the checkpoint stays.
    """
    started = time.monotonic()
    identity = job_identity(job)
    standing = _standing(workshop.registry, identity, started)
    if standing is not None:
        return standing
    once = cache(load)
    make = _search if job.request.search else _fit
    return make(job, identity, once, workshop, started)


def _standing(registry: ModelRegistry, identity: str, started: float) -> TrainingOutcome | None:
    bundle = registry.by_identity(identity)
    if bundle is None:
        return None
    _, header = read_header(registry.root / bundle)
    return TrainingOutcome(
        bundle=bundle,
        identity=identity,
        id_val_macro_f1=header.id_val_macro_f1,
        seconds=time.monotonic() - started,
        reused=True,
        search=header.search,
    )


def _search(
    job: Job, identity: str, load: Load, workshop: Workshop, started: float
) -> TrainingOutcome:
    """Fit the grid; attempts are counted for each combination, the search only puts together."""

    def fit(request: TrainingRequest, name: str) -> TrainingOutcome:
        watched = replace(workshop, reporter=PartReporter(workshop.reporter, name))
        return train(replace(job, request=request), load, watched)

    searched = search(job.request, fit, workshop.registry)
    header, weights = searched_bundle(workshop.registry, identity, searched)
    seconds = time.monotonic() - started
    return replace(
        searched.best,
        bundle=workshop.registry.save(header, weights, seconds=seconds),
        identity=identity,
        seconds=seconds,
        reused=False,
        search=searched.trials,
    )


def _fit(
    job: Job, identity: str, load: Load, workshop: Workshop, started: float
) -> TrainingOutcome:
    trunk = None
    if job.request.spec.is_pretrained:
        trunk = obtain_trunk(job, lambda: load()[0], workshop).bundle
    with workshop.registry.alone(identity):
        return _standing(workshop.registry, identity, started) or _fit_alone(
            job, identity, load, workshop, trunk, started
        )


def _fit_alone(
    job: Job, identity: str, load: Load, workshop: Workshop, trunk: str | None, started: float
) -> TrainingOutcome:
    with workshop.registry.attempt(identity):
        done, alarm = _fitted(job, identity, load, workshop, trunk)
        seconds = time.monotonic() - started
        bundle = workshop.registry.save(
            _header(job, identity, done, alarm, trunk),
            {**workshop.beside(), **done.fitted.classifier.weights()},
            seconds=seconds,
        )
    workshop.checkpoint(identity).unlink(missing_ok=True)
    return TrainingOutcome(
        bundle=bundle,
        identity=identity,
        id_val_macro_f1=done.id_val_macro_f1,
        seconds=seconds,
        reused=False,
        history=done.fitted.history,
    )


def _fitted(
    job: Job, identity: str, load: Load, workshop: Workshop, trunk: str | None
) -> tuple[CalibratedFit, AlarmRule]:
    request = job.request
    train_cases, id_val_cases = load()
    done = fit_family(
        request.spec,
        train_cases,
        id_val_cases,
        hyper_parameters=request.hyper_parameters,
        seed=request.seed,
        compute=workshop.compute(job),
        watch=workshop.watch(identity, job),
        phase_filter=request.phase_filter,
        trunk=None if trunk is None else trunk_bytes(workshop.registry, trunk),
    )
    return done, fit_alarm(done.id_val_p_NK, id_val_cases, request.alarm)


def _header(
    job: Job, identity: str, done: CalibratedFit, alarm: AlarmRule, trunk: str | None
) -> BundleHeader:
    request, fitted = job.request, done.fitted
    return BundleHeader(
        format_version=FORMAT_VERSION,
        family=request.family,
        mode=request.mode,
        context=request.context,
        hyper_parameters=scalars_of(request.hyper_parameters),
        split=job.split,
        training_set_hash=job.training_set_hash,
        training_ids_hash=job.training_ids_hash,
        statuses=tuple(sorted(set(request.statuses))),
        seed=request.seed,
        labels=tuple(phase.value for phase in PHASES),
        identity=identity,
        phase_filter=done.phase_filter,
        calibration=Calibration(temperature=done.temperature),
        alarm=alarm,
        schema=job.schema,
        schema_fingerprint=job.schema.fingerprint,
        n_channels=done.shape.n_channels,
        n_timepoints=done.shape.n_timepoints,
        n_columns=done.shape.n_columns,
        library_versions=dict(job.provenance.library_versions),
        code_commit=job.provenance.code_commit,
        id_val_macro_f1=done.id_val_macro_f1,
        history=HistorySummary(
            rounds=fitted.rounds, best_round=fitted.best_round, steps=fitted.steps
        ),
        trunk=trunk,
        search=(),
        files={},
    )
