"""Which queues a machine may serve: what it has, and what its operator lets it.

Pure. Not here: consuming a queue.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cis490_pipeline.models.classifier import FamilySpec
from cis490_pipeline.workers.capability import Capability

GIB = 1 << 30


class Queue(StrEnum):
    """The queues that the assets are tagged with."""

    CPU = "cpu"  # everything that never uses CUDA: ingest, trees, evaluations, reports
    GPU = "gpu"  # fits of families that use CUDA where there is some


def queue_of(spec: FamilySpec) -> Queue:
    """Return the queue that the fits of a family wait in.

    >>> from cis490_pipeline.models.catalog import family
    >>> queue_of(family("cnn")).value, queue_of(family("gbt")).value
    ('gpu', 'cpu')
    """
    return Queue.GPU if spec.wants_gpu else Queue.CPU


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePolicy:
    """What the operator of a machine lets it serve.

    Attributes
    ----------
    queues
        A box with a GPU may leave ``cpu`` to others.
    gpu_without_cuda
        Whether it serves ``gpu`` on its CPU: for a lab without a GPU, whose networks would wait
        for ever.
    code_fingerprint
        The control plane's; a machine with other code serves nothing. None: nobody compares.
    """

    queues: frozenset[Queue] = frozenset(Queue)
    gpu_without_cuda: bool = False
    code_fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueVerdict:
    """Whether a machine may serve a queue: where there are reasons, it may not."""

    queue: Queue
    reasons: tuple[str, ...]

    @property
    def served(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def judge_queues(capability: Capability, policy: QueuePolicy) -> tuple[QueueVerdict, ...]:
    """Return the verdict on every queue, with all reasons and not only the first."""
    return tuple(
        QueueVerdict(queue=queue, reasons=tuple(_reasons(queue, capability, policy)))
        for queue in Queue
    )


def device_of(queue: Queue, capability: Capability) -> str:
    """Return the torch device that fits of a queue run on."""
    return "cuda" if queue is Queue.GPU and capability.has_cuda else "cpu"


def _reasons(queue: Queue, capability: Capability, policy: QueuePolicy) -> Iterator[str]:
    if queue not in policy.queues:
        allowed = ", ".join(sorted(policy.queues)) or "none"
        yield f"the policy of this worker allows {allowed}"
    wanted = policy.code_fingerprint
    if wanted is not None and wanted != capability.code_fingerprint:
        yield (
            f"its code {capability.code_fingerprint[:12]} is not the control plane's {wanted[:12]}"
        )
    if capability.torch is None:
        yield capability.why_no_cuda or "torch is not installed"
    elif queue is Queue.GPU and not capability.has_cuda and not policy.gpu_without_cuda:
        yield capability.why_no_cuda or "it has no CUDA device"
