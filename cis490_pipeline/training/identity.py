"""The identity of a training job: same identity, same artifact, no retraining.

Not here: where artifacts are found by it (``models.registry``).
"""

import hashlib
import json

from cis490_pipeline.edge.header import FORMAT_VERSION
from cis490_pipeline.models.hyper_parameters import scalars_of
from cis490_pipeline.training.request import TrainingRequest


def job_identity(
    request: TrainingRequest, split: str, training_set_hash: str, fingerprint: str
) -> str:
    """Return the sha256 of everything that the fitted model depends on.

    Parameters
    ----------
    split
        Partition key of the split.
    training_set_hash
        Hash of the (episode, sha256) pairs of train and id_val.
    fingerprint
        Of the feature schema.

    Notes
    -----
    The format version of bundles is a part: whoever changes what a stored model means raises it,
    and nothing of before is reused. Threads, device, library versions and commit are left out: they
    may move the last digits, but nobody wants to retrain everything for them. The header records
    them.
    """
    parts = {
        "format": FORMAT_VERSION,
        "family": request.family,
        "mode": request.mode.value,
        "context": request.context.value,
        "phase_filter": request.phase_filter,
        "hyper_parameters": scalars_of(request.hyper_parameters),
        "seed": request.seed,
        "statuses": sorted(set(request.statuses)),
        "split": split,
        "training_set": training_set_hash,
        "schema": fingerprint,
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
