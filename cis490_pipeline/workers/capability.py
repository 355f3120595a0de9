"""What this machine can run, as a value that travels as JSON.

Not here: which queues it may serve with it (``queues``), which jobs (``placement``).
"""

import importlib.metadata
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec

from cis490_pipeline.models.provenance import code_commit
from cis490_pipeline.workers.code_fingerprint import code_fingerprint
from cis490_pipeline.workers.machine_limits import (
    LimitFiles,
    schedulable_cores,
    usable_cores,
    usable_ram_bytes,
)
from cis490_pipeline.workers.torch_devices import CudaDevice, NoTorch, Torch, cuda_devices

_DISTRIBUTION: Final = "cis490-pipeline"
_Name = Annotated[str, msgspec.Meta(max_length=255)]
_Count = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One machine; None is what nobody could tell, never 0.

    Attributes
    ----------
    hostname
        The name that rules of a manifest know it by.
    cores, ram_bytes
        What this process may use of the machine.
    torch
        Its version; None where it is not installed.
    devices
        CUDA devices in torch's order; None where nobody could look.
    why_no_cuda
        Why there is no device; None where there is one.
    code_commit
        None outside a repository that nobody named one for.
    code_fingerprint
        Of the sources, whatever the commit says.
    """

    hostname: _Name
    cores: _Count | None
    ram_bytes: _Count | None
    torch: str | None
    devices: tuple[CudaDevice, ...] | None
    why_no_cuda: str | None
    package_version: str | None
    code_commit: str | None
    code_fingerprint: str

    @property
    def has_cuda(self) -> bool | None:
        """Whether there is a device; None where nobody could look."""
        return None if self.devices is None else bool(self.devices)

    @property
    def fit_vram_bytes(self) -> int | None:
        """Memory of the first device, which every fit takes; None where there is none."""
        return self.devices[0].vram_bytes if self.devices else None


def detect(files: LimitFiles, torch: Torch | NoTorch, package: Path) -> Capability:
    """Return what this machine can run.

    Parameters
    ----------
    files
        Where the limits of this process are read.
    torch
        ``installed_torch()``; devices are those that it sees.
    package
        Directory whose sources are fingerprinted.

    Raises
    ------
    ConfigurationError
        Where the package has no sources.
    """
    cuda = cuda_devices(torch)
    return Capability(
        hostname=platform.node(),
        cores=usable_cores(files, schedulable_cores()),
        ram_bytes=usable_ram_bytes(files),
        torch=None if isinstance(torch, NoTorch) else str(torch.__version__),
        devices=cuda.devices,
        why_no_cuda=cuda.why_none,
        package_version=_package_version(),
        code_commit=code_commit() or None,
        code_fingerprint=code_fingerprint(package),
    )


def _package_version() -> str | None:
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return None
