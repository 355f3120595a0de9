"""One training job from request to bundle: identity, reuse, attempts, fit, commit.

Not here: the fit itself (``fit``), loading (the caller's ``load``), any test set.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmRule
from cis490_pipeline.edge.header import (
    FORMAT_VERSION,
    BundleHeader,
    Calibration,
    HistorySummary,
)
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.models.device import best_device
from cis490_pipeline.models.hyper_parameters import scalars_of
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.fingerprint import FeatureSchema, current_schema
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.training.alarm import fit_alarm
from cis490_pipeline.training.fit import CalibratedFit, fit_family
from cis490_pipeline.training.fitted import Cancelled, Supervision
from cis490_pipeline.training.identity import job_identity
from cis490_pipeline.training.progress import EpochRecord, Reporter
from cis490_pipeline.training.request import TrainingRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Which code made a model; ``code_commit`` is empty outside a repository."""

    code_commit: str
    library_versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOutcome:
    """What a job came to.

    ``reused`` says that a bundle of the same identity stood already: then nothing was loaded or
    fitted, ``seconds`` is what looking it up took, and ``history`` is empty.
    """

    bundle: str
    identity: str
    id_val_macro_f1: float | None
    seconds: float
    reused: bool
    history: tuple[EpochRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A request on a training set, with everything that goes into the header."""

    request: TrainingRequest
    split: str
    training_set_hash: str
    training_ids_hash: str
    provenance: Provenance
    schema: FeatureSchema
    identity: str


def _header(job: _Job, done: CalibratedFit, alarm: AlarmRule) -> BundleHeader:
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
        identity=job.identity,
        phase_filter=done.phase_filter,
        calibration=Calibration(temperature=done.temperature),
        alarm=alarm,
        schema=job.schema,
        schema_fingerprint=job.schema.fingerprint,
        n_channels=done.shape.n_channels,
        n_timepoints=done.shape.n_timepoints,
        library_versions=dict(job.provenance.library_versions),
        code_commit=job.provenance.code_commit,
        id_val_macro_f1=done.id_val_macro_f1,
        history=HistorySummary(
            rounds=fitted.rounds, best_round=fitted.best_round, steps=fitted.steps
        ),
        files={},
    )


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
        history=(),
    )


def _fit(
    job: _Job,
    load: Callable[[], tuple[Cases, Cases]],
    compute: Compute,
    watch: Supervision,
) -> tuple[CalibratedFit, AlarmRule]:
    train_cases, id_val_cases = load()
    done = fit_family(
        job.request.spec,
        train_cases,
        id_val_cases,
        hyper_parameters=job.request.hyper_parameters,
        seed=job.request.seed,
        compute=compute,
        watch=watch,
        phase_filter=job.request.phase_filter,
    )
    return done, fit_alarm(done.id_val_p_NK, id_val_cases, AlarmPolicy())


def train(  # noqa: PLR0913 - keyword-only; each one is another party's, none belongs together
    request: TrainingRequest,
    *,
    split: str,
    training_set_hash: str,
    training_ids_hash: str,
    load: Callable[[], tuple[Cases, Cases]],
    registry: ModelRegistry,
    work_dir: Path,
    reporter: Reporter,
    cancelled: Cancelled,
    provenance: Provenance,
    threads: int = 1,
    device: str | None = None,
) -> TrainingOutcome:
    """Return the bundle of a job, fitting it only where none stands for its identity.

    Parameters
    ----------
    training_set_hash
        Of the (episode, sha256) pairs of train and id_val: part of the identity.
    training_ids_hash
        Of the ids that anything fitted has seen; goes into the header for the leakage check.
    load
        Returns the train and the id_val slice; called only where a fit is needed.
    work_dir
        Where a fit under way keeps its checkpoint, by identity; removed after the commit.
    threads, device
        What the fit may use; no part of the identity. A device of None is CUDA where the family
        wants it and the machine has it, looked up only where a fit is needed.

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
    schema = current_schema()
    identity = job_identity(request, split, training_set_hash, schema.fingerprint)
    standing = _standing(registry, identity, started)
    if standing is not None:
        return standing
    job = _Job(
        request=request,
        split=split,
        training_set_hash=training_set_hash,
        training_ids_hash=training_ids_hash,
        provenance=provenance,
        schema=schema,
        identity=identity,
    )
    checkpoint = work_dir / f"{identity}.safetensors"
    token = f"{identity} {provenance.code_commit}"
    watch = Supervision(reporter=reporter, cancelled=cancelled, checkpoint=checkpoint, token=token)
    with registry.attempt(identity):
        compute = Compute(threads=threads, device=device or best_device(request.spec))
        done, alarm = _fit(job, load, compute, watch)
        bundle = registry.save(_header(job, done, alarm), done.fitted.classifier.weights())
    checkpoint.unlink(missing_ok=True)
    return TrainingOutcome(
        bundle=bundle,
        identity=identity,
        id_val_macro_f1=done.id_val_macro_f1,
        seconds=time.monotonic() - started,
        reused=False,
        history=done.fitted.history,
    )
