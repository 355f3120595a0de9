"""Made-up machines for the tests of workers: a torch, a directory of control groups, a capability.

Not here: anything that looks at the machine of the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cis490_pipeline.workers.capability import Capability
from cis490_pipeline.workers.machine_limits import LimitFiles
from cis490_pipeline.workers.manifest import Manifest
from cis490_pipeline.workers.manifest_file import parse_manifest
from cis490_pipeline.workers.queues import GIB, QueuePolicy, judge_queues
from cis490_pipeline.workers.report import WorkerReport
from cis490_pipeline.workers.torch_devices import CudaDevice

CODE = "ab" * 32


@dataclass(frozen=True)
class FakeProperties:
    """A device as torch describes it."""

    name: str
    total_memory: int


@dataclass(frozen=True)
class FakeCuda:
    """What torch knows of devices; raises ``fault`` where there is one."""

    devices: Sequence[FakeProperties] = ()
    fault: Exception | None = None

    def is_available(self) -> bool:
        return bool(self.devices) or self.fault is not None

    def device_count(self) -> int:
        if self.fault is not None:
            raise self.fault
        return len(self.devices)

    def get_device_properties(self, device: int) -> FakeProperties:
        return self.devices[device]


@dataclass(frozen=True)
class FakeTorch:
    """A torch with some devices."""

    cuda: FakeCuda = field(default_factory=FakeCuda)
    __version__: str = "2.9.1+cu128"


def limit_files(root: Path, contents: dict[str, str]) -> LimitFiles:
    """Write ``proc/…`` and ``group/…`` files below a directory; what is not given is not there."""
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return LimitFiles(
        own_groups=root / "proc" / "cgroup",
        meminfo=root / "proc" / "meminfo",
        group_root=root / "group",
    )


def machine(
    hostname: str = "box", *, vram_gib: float | None = None, **changes: object
) -> Capability:
    """Return a machine of 4 cores and 16 GiB, with one device where ``vram_gib`` is given."""
    devices = (
        () if vram_gib is None else (CudaDevice(name="Tesla", vram_bytes=int(vram_gib * GIB)),)
    )
    found = Capability(
        hostname=hostname,
        cores=4,
        ram_bytes=16 * GIB,
        torch="2.9.1",
        devices=devices,
        why_no_cuda=None if devices else "torch 2.9.1 sees no CUDA device",
        package_version="0.1.0",
        code_commit=None,
        code_fingerprint=CODE,
    )
    return replace(found, **changes)


def worker(capability: Capability, policy: QueuePolicy | None = None) -> WorkerReport:
    """Return what a machine says of itself under a policy."""
    verdicts = judge_queues(capability, policy or QueuePolicy())
    return WorkerReport(capability=capability, queues=verdicts)


def manifest(text: str) -> Manifest:
    """Return what a manifest of that text declares."""
    return parse_manifest(text.encode(), where="training_manifest.toml")
