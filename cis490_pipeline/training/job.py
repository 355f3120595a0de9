"""A training job: a request on a training set, the workshop it is done in, what it comes to.

Not here: doing it (``run``, ``trunk``, ``search``), its identity (``identity``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cis490_pipeline.edge.header import Trial
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.models.device import best_device
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.fingerprint import FeatureSchema, current_schema
from cis490_pipeline.training.fitted import Cancelled, Supervision, never_cancelled
from cis490_pipeline.training.progress import EpochRecord, Reporter, SilentReporter
from cis490_pipeline.training.request import TrainingRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Which code made a model; ``code_commit`` is empty outside a repository."""

    code_commit: str
    library_versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request on a training set.

    Attributes
    ----------
    split
        Partition key of the split.
    training_set_hash
        Of the (episode, sha256) pairs of train and id_val: part of the identity.
    training_ids_hash
        Of those of train alone, all that anything fitted has seen; goes into the header for the
        leakage check.
    """

    request: TrainingRequest
    split: str
    training_set_hash: str
    training_ids_hash: str
    provenance: Provenance
    schema: FeatureSchema = field(default_factory=current_schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOutcome:
    """What a job came to.

    ``reused`` says that a bundle of the same identity stood already: then nothing was loaded or
    fitted, ``seconds`` is what looking it up took, and ``history`` is empty. ``search`` is the log
    of a search, the model's own also where it is reused.
    """

    bundle: str
    identity: str
    id_val_macro_f1: float | None
    seconds: float
    reused: bool
    history: tuple[EpochRecord, ...] = ()
    search: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where bundles go, who watches, and what of the machine may be used: no part of an identity.

    Attributes
    ----------
    work_dir
        Where a fit under way keeps its checkpoint, by identity; removed after the commit.
    beside
        Makes the files that a bundle has beside the weights, by name; called once a fit.
    device
        None is CUDA where the family wants it and the machine has it, looked up only where a fit
        is needed.
    """

    registry: ModelRegistry
    work_dir: Path
    reporter: Reporter = field(default_factory=SilentReporter)
    cancelled: Cancelled = never_cancelled
    threads: int = 1
    beside: Callable[[], Mapping[str, bytes]] = dict
    device: str | None = None

    def checkpoint(self, identity: str) -> Path:
        """Return where the fit of an identity keeps its state."""
        return self.work_dir / f"{identity}.safetensors"

    def watch(self, identity: str, job: Job) -> Supervision:
        """Return the supervision of one fit."""
        return Supervision(
            reporter=self.reporter,
            cancelled=self.cancelled,
            checkpoint=self.checkpoint(identity),
            token=f"{identity} {job.provenance.code_commit}",
        )

    def compute(self, job: Job) -> Compute:
        """Return what the fit of a job may use."""
        return Compute(threads=self.threads, device=self.device or best_device(job.request.spec))
