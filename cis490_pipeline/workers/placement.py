"""Which jobs of a manifest a worker may run, and every reason where it may not.

Pure. Not here: handing jobs out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cis490_pipeline.workers.capability import Capability
from cis490_pipeline.workers.manifest import CudaUse, HostRules, Manifest, ManifestJob
from cis490_pipeline.workers.queues import GIB
from cis490_pipeline.workers.report import WorkerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A job before a worker.

    Attributes
    ----------
    reasons
        Why it may not run it; empty where it may.
    second_choice
        Whether a worker with a device should be asked first.
    """

    job: ManifestJob
    reasons: tuple[str, ...]
    second_choice: bool

    @property
    def may_run(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def placements(manifest: Manifest, worker: WorkerReport) -> tuple[Placement, ...]:
    """Return what a worker may do with each job, in the manifest's order."""
    rules = manifest.rules_of(worker.capability.hostname)
    return tuple(
        Placement(
            job=job,
            reasons=tuple(_reasons(job, worker, rules)),
            second_choice=job.needs.cuda is CudaUse.PREFERRED and not worker.capability.has_cuda,
        )
        for job in manifest.jobs
    )


def hosts_left(job: ManifestJob, manifest: Manifest) -> tuple[str, ...] | None:
    """Return those of a job's allowed hosts that may fit its family; None where it names none."""
    allowed = job.needs.allowed_hosts
    if allowed is None:
        return None
    family = job.request.family
    return tuple(name for name in allowed if manifest.rules_of(name).why_not(family) is None)


def hosts_denying(job: ManifestJob, manifest: Manifest) -> tuple[str, ...]:
    """Return the hosts whose rules keep the job's family off."""
    family = job.request.family
    return tuple(rules.name for rules in manifest.hosts if rules.why_not(family) is not None)


def _reasons(job: ManifestJob, worker: WorkerReport, rules: HostRules) -> Iterator[str]:
    yield from _of_queue(job, worker)
    why_not = rules.why_not(job.request.family)
    if why_not is not None:
        yield why_not
    allowed = job.needs.allowed_hosts
    if allowed is not None and rules.name not in allowed:
        yield f"the job allows only {', '.join(allowed)}"
    yield from _of_machine(job, worker.capability)


def _of_queue(job: ManifestJob, worker: WorkerReport) -> Iterator[str]:
    verdict = next((one for one in worker.queues if one.queue is job.queue), None)
    if verdict is None:
        yield f"it does not serve the queue {job.queue}"
    elif not verdict.served:
        yield f"it does not serve the queue {job.queue}: {'; '.join(verdict.reasons)}"


def _of_machine(job: ManifestJob, capability: Capability) -> Iterator[str]:
    needs = job.needs
    if needs.cuda is CudaUse.REQUIRED and not capability.has_cuda:
        yield f"the job requires CUDA: {capability.why_no_cuda or 'it has no device'}"
    if needs.min_vram_gib is not None and capability.has_cuda:
        yield from _too_little("VRAM", capability.fit_vram_bytes, needs.min_vram_gib)
    if needs.min_ram_gib is not None:
        yield from _too_little("RAM", capability.ram_bytes, needs.min_ram_gib)


def _too_little(what: str, found_bytes: int | None, least_gib: float) -> Iterator[str]:
    if found_bytes is None:
        yield f"the job needs {least_gib:g} GiB {what}, and nobody can tell how much there is"
    elif found_bytes < least_gib * GIB:
        yield f"the job needs {least_gib:g} GiB {what}, and there are {found_bytes / GIB:.2f}"
