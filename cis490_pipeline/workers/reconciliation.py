"""A manifest read again: what is known keeps its state, what is new waits, nothing gets lost.

Pure. Not here: where states are kept and who changes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cis490_pipeline.workers.manifest import Manifest, ManifestJob


class JobState(StrEnum):
    """Where a job stands."""

    PENDING = "pending"  # a worker may take it
    CLAIMED = "claimed"  # a worker has taken it and not yet begun
    RUNNING = "running"  # it is being fitted
    COMPLETED = "completed"  # a bundle answers it
    FAILED = "failed"  # its attempts are exhausted
    CANCELLED = "cancelled"  # an operator ended it


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedJob:
    """A job and where it stands; ``declared`` says whether the manifest still has it."""

    job: ManifestJob
    state: JobState
    declared: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What a reload comes to.

    Attributes
    ----------
    jobs
        All of them: the manifest's in its order, then those that it no longer has.
    added
        Identities that nobody knew.
    withdrawn
        Identities that the manifest no longer has since this reload.
    forgotten
        Identities that it no longer has and that were cancelled: they are in ``jobs`` no more.
    """

    jobs: tuple[TrackedJob, ...]
    added: tuple[str, ...]
    withdrawn: tuple[str, ...]
    forgotten: tuple[str, ...]


def reconcile(known: Sequence[TrackedJob], manifest: Manifest) -> Reconciliation:
    """Return the jobs after a reload.

    A known job keeps its state and takes over what the manifest now says of its needs. One that
    the manifest no longer has stays, and runs, until it is cancelled. A second reload of the same
    manifest changes nothing.
    """
    before = {one.job.identity: one for one in known}
    declared = {job.identity: job for job in manifest.jobs}
    undeclared = [one for identity, one in before.items() if identity not in declared]
    gone = [one for one in undeclared if one.state is JobState.CANCELLED]
    staying = [one for one in undeclared if one.state is not JobState.CANCELLED]
    return Reconciliation(
        jobs=(
            *(_declared(job, before.get(identity)) for identity, job in declared.items()),
            *(TrackedJob(job=one.job, state=one.state, declared=False) for one in staying),
        ),
        added=tuple(identity for identity in declared if identity not in before),
        withdrawn=tuple(one.job.identity for one in staying if one.declared),
        forgotten=tuple(one.job.identity for one in gone),
    )


def _declared(job: ManifestJob, before: TrackedJob | None) -> TrackedJob:
    return TrackedJob(job=job, state=JobState.PENDING if before is None else before.state)
