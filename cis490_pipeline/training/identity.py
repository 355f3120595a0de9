"""The identity of a training job: same identity, same artifact, no retraining.

Not here: where artifacts are found by it (``models.registry``).
"""

import hashlib
import json
from collections.abc import Mapping

from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.edge.header import FORMAT_VERSION
from cis490_pipeline.models.classifier import Blending, PretrainedHyperParameters
from cis490_pipeline.models.hyper_parameters import Scalar, scalars_of
from cis490_pipeline.models.trunk_header import TRUNK_FORMAT
from cis490_pipeline.schema.fingerprint import FeatureSchema
from cis490_pipeline.training.job import Job
from cis490_pipeline.training.request import TrainingRequest


def job_identity(job: Job) -> str:
    """Return the sha256 of everything that the fitted model depends on.

    Notes
    -----
    The format version of bundles is a part: whoever changes what a stored model means raises it,
    and nothing of before is reused. Threads, device, library versions and commit are left out: they
    may move the last digits, but nobody wants to retrain everything for them. The header records
    them. What not every job has (a trunk, a search, an alarm of its own, the members of a blend)
    is a part where there is one.
    """
    parts = {
        **_common(job.request, job),
        **_chosen(job.request),
        "training_set": job.training_set_hash,
    }
    if job.request.spec.is_pretrained:
        parts["trunk"] = trunk_identity(job)
    return _hashed(parts)


def request_identity(request: TrainingRequest, split: str, schema: FeatureSchema) -> str:
    """Return the sha256 of what is asked for, before the training set is known.

    Two requests differ in it where their jobs on any one training set differ in ``job_identity``.
    Statuses are no part of it: the training set decides on them.
    """
    parts = {**_asked(request, split, schema), **_chosen(request)}
    if request.spec.is_pretrained:
        parts["trunk_format"] = TRUNK_FORMAT
    return _hashed(parts)


def trunk_identity(job: Job) -> str:
    """Return the sha256 of everything that the pre-trained trunk of a job depends on.

    Of the training set that is the train role alone; labels and id_val have no part in it.
    """
    parts = {
        **_common(job.request, job),
        "hyper_parameters": pretraining_scalars(job.request),
        "format": TRUNK_FORMAT,
        "training_ids": job.training_ids_hash,
    }
    return _hashed(parts)


def pretraining_scalars(request: TrainingRequest) -> dict[str, Scalar]:
    """Return those hyper-parameters that the trunk depends on."""
    return {
        name: value
        for name, value in scalars_of(request.hyper_parameters).items()
        if name not in PretrainedHyperParameters.FINE_TUNING_ONLY
    }


def _common(request: TrainingRequest, job: Job) -> dict[str, object]:
    asked = _asked(request, job.split, job.schema)
    return {**asked, "statuses": sorted(set(request.statuses))}


def _asked(request: TrainingRequest, split: str, schema: FeatureSchema) -> dict[str, object]:
    return {
        "family": request.family,
        "mode": request.mode.value,
        "context": request.context.value,
        "seed": request.seed,
        "split": split,
        "schema": schema.fingerprint,
    }


def _chosen(request: TrainingRequest) -> dict[str, object]:
    """Return what only the fit itself depends on, and no trunk."""
    parts: dict[str, object] = {
        "format": FORMAT_VERSION,
        "phase_filter": request.phase_filter,
        "hyper_parameters": scalars_of(request.hyper_parameters),
    }
    if request.search:
        parts["search"] = [dict(varied) for varied in request.varied]
    if request.alarm != AlarmPolicy():
        parts["alarm"] = [request.alarm.k, request.alarm.n, request.alarm.budget]
    if isinstance(request.spec.fitting, Blending):
        members = request.spec.fitting.members(request.hyper_parameters)
        parts["members"] = {spec.name: scalars_of(chosen) for spec, chosen in members}
    return parts


def _hashed(parts: Mapping[str, object]) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
