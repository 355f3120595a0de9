"""What ``training_manifest.toml`` declares: jobs, what each needs, and what each host may fit.

Hosts here are worker machines, by the name that ``cis490 capability`` shows. Not here: the file
(``manifest_file``), where a job may run (``placement``), what became of it (``reconciliation``).
"""

from dataclasses import dataclass
from enum import StrEnum

from cis490_pipeline.training.request import TrainingRequest
from cis490_pipeline.workers.queues import Queue, queue_of


class CudaUse(StrEnum):
    """What a job asks of CUDA."""

    REQUIRED = "required"  # only where there is a device
    PREFERRED = "preferred"  # a worker with a device first, any other where there is none
    ANY = "any"  # a device is used where there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRules:
    """Which families a worker host may fit.

    Attributes
    ----------
    allow
        Only these; None: all.
    deny
        Not these.
    """

    name: str
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()

    def why_not(self, family: str) -> str | None:
        """Return why the host may not fit a family; None where it may."""
        if family in self.deny:
            return f"the manifest denies {family} to {self.name}"
        if self.allow is not None and family not in self.allow:
            return f"the manifest allows {self.name} only {', '.join(self.allow)}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a job asks of a worker; None asks nothing.

    Attributes
    ----------
    min_vram_gib
        Memory of the device that the fit takes, in GiB as ``cis490 capability`` shows it.
    allowed_hosts
        Hosts with rules in the manifest.
    """

    cuda: CudaUse = CudaUse.ANY
    min_vram_gib: float | None = None
    min_ram_gib: float | None = None
    allowed_hosts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestJob:
    """One fit: an entry of the manifest with one of its seeds.

    Attributes
    ----------
    identity
        Of what is asked for (``training.identity.request_identity``): the training set is not yet
        known, so that the fitted job's own identity is another, which holds this one's parts.
    """

    identity: str
    request: TrainingRequest
    split: str
    needs: Needs

    @property
    def queue(self) -> Queue:
        """The queue that it waits in."""
        return queue_of(self.request.spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Rules of hosts by name, and the jobs in the order of the file."""

    hosts: tuple[HostRules, ...]
    jobs: tuple[ManifestJob, ...]

    def rules_of(self, host: str) -> HostRules:
        """Return a host's rules; a host that is not named may fit everything."""
        named = (rules for rules in self.hosts if rules.name == host)
        return next(named, HostRules(name=host))
