"""The pre-trained trunk of a job as an artifact of its own: identity, reuse, attempts, commit.

The asset and every fit of a pre-trained family come through ``obtain_trunk``, so that whoever is
first makes it and the others find it.

Not here: the pre-training itself (``pretrain``), the fit that begins from it (``run``).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.errors import ConfigurationError, TrainingError
from cis490_pipeline.models.bundle import read_files, read_trunk_header
from cis490_pipeline.models.classifier import CaseShape, Network
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.models.trunk_header import TRUNK_FILE, TRUNK_FORMAT, TrunkHeader
from cis490_pipeline.models.views import shape_of
from cis490_pipeline.training.identity import pretraining_scalars, trunk_identity
from cis490_pipeline.training.job import Job, Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkOutcome:
    """Which bundle the trunk is; ``reused`` says that it stood already."""

    bundle: str
    identity: str
    seconds: float
    reused: bool


def obtain_trunk(job: Job, load_train: Callable[[], Cases], workshop: Workshop) -> TrunkOutcome:
    """Return the trunk of a job, pre-training it only where none stands for its identity.

    Parameters
    ----------
    load_train
        Returns the train slice; called only where there is something to do. Its labels are not
        looked at.

    Raises
    ------
    ConfigurationError
        Where the family is not pre-trained.
    TrainingError, AttemptsExhaustedError, TrainingCancelledError
        As for a fit.
    """
    started = time.monotonic()
    fitting = _pretrained(job)
    identity = trunk_identity(job)
    standing = _standing(workshop.registry, identity, started)
    if standing is not None:
        return standing
    with workshop.registry.alone(identity):
        return _standing(workshop.registry, identity, started) or _made_alone(
            job, identity, fitting, load_train, workshop, started
        )


def _standing(registry: ModelRegistry, identity: str, started: float) -> TrunkOutcome | None:
    bundle = registry.by_identity(identity, read_trunk_header)
    if bundle is None:
        return None
    seconds = time.monotonic() - started
    return TrunkOutcome(bundle=bundle, identity=identity, seconds=seconds, reused=True)


def _made_alone(
    job: Job,
    identity: str,
    fitting: Network,
    load_train: Callable[[], Cases],
    workshop: Workshop,
    started: float,
) -> TrunkOutcome:
    with workshop.registry.attempt(identity):
        cases = load_train()
        trunk = _made(job, fitting, cases, workshop, identity)
        bundle = workshop.registry.save(
            _header(job, identity, shape_of(cases, job.request.spec.inputs)),
            {TRUNK_FILE: trunk},
            seconds=time.monotonic() - started,
        )
    workshop.checkpoint(identity).unlink(missing_ok=True)
    return TrunkOutcome(
        bundle=bundle, identity=identity, seconds=time.monotonic() - started, reused=False
    )


def trunk_bytes(registry: ModelRegistry, bundle: str) -> bytes:
    """Return the weights of a trunk, checked against its header."""
    directory = registry.root / bundle
    return read_files(directory, read_trunk_header(directory)[1])[TRUNK_FILE]


def _pretrained(job: Job) -> Network:
    fitting = job.request.spec.fitting
    if not isinstance(fitting, Network) or fitting.pretraining is None:
        raise ConfigurationError(
            "the family is not pre-trained",
            where=f"family {job.request.family}",
            todo="fit it directly",
        )
    return fitting


def _made(job: Job, fitting: Network, cases: Cases, workshop: Workshop, identity: str) -> bytes:
    from cis490_pipeline.training.pretrain import pretrained_trunk, pretraining_task

    if cases.n_cases == 0:
        raise TrainingError(
            "no training cases", where="training set", found="0 windows", todo="ingest episodes"
        )
    request = job.request
    task = pretraining_task(
        cases,
        request.spec.inputs,
        request.hyper_parameters,
        request.seed,
        workshop.compute(job),
    )
    return pretrained_trunk(fitting, task, workshop.watch(identity, job))


def _header(job: Job, identity: str, shape: CaseShape) -> TrunkHeader:
    request = job.request
    return TrunkHeader(
        format_version=TRUNK_FORMAT,
        family=request.family,
        mode=request.mode,
        context=request.context,
        hyper_parameters=pretraining_scalars(request),
        split=job.split,
        training_ids_hash=job.training_ids_hash,
        statuses=tuple(sorted(set(request.statuses))),
        seed=request.seed,
        identity=identity,
        schema=job.schema,
        schema_fingerprint=job.schema.fingerprint,
        n_channels=shape.n_channels,
        n_timepoints=shape.n_timepoints,
        library_versions=dict(job.provenance.library_versions),
        code_commit=job.provenance.code_commit,
        files={},
    )
