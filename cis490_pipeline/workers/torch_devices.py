"""The CUDA devices that torch sees, by detection; a missing torch is missing, not "no device".

Not here: which device a fit takes (``models.device``: the first one).
"""

import importlib
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

import msgspec


class _Properties(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def total_memory(self) -> int: ...


class _Cuda(Protocol):
    def is_available(self) -> bool: ...
    def device_count(self) -> int: ...
    def get_device_properties(self, device: int, /) -> _Properties: ...


class Torch(Protocol):
    """What of torch is looked at."""

    @property
    def __version__(self) -> str: ...
    @property
    def cuda(self) -> _Cuda:
        """What it knows of devices."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTorch:
    """torch is not here, or cannot be imported, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaDevice:
    """A device as its driver describes it."""

    name: str
    vram_bytes: Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaDevices:
    """What torch sees.

    Attributes
    ----------
    devices
        In torch's order; None where nobody could look.
    why_none
        Why there is none; None where there is one.
    """

    devices: tuple[CudaDevice, ...] | None
    why_none: str | None


def installed_torch() -> Torch | NoTorch:
    """Return torch, or why there is none."""
    try:
        return cast("Torch", cast("object", importlib.import_module("torch")))
    except ModuleNotFoundError as error:
        missing = "torch" if error.name == "torch" else f"torch's {error.name}"
        return NoTorch(why=f"{missing} is not installed")
    except (ImportError, OSError) as error:  # a library of CUDA that is not there, or a torn wheel
        return NoTorch(why=f"torch cannot be imported: {error}")


def cuda_devices(torch: Torch | NoTorch) -> CudaDevices:
    """Return the devices, or why there is none.

    A driver that fails is a value too: the machine may still serve what needs no device.
    """
    if isinstance(torch, NoTorch):
        return CudaDevices(devices=None, why_none=torch.why)
    try:
        devices = _described(torch.cuda) if torch.cuda.is_available() else ()
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        first_line = str(error).strip().partition("\n")[0]
        return CudaDevices(devices=None, why_none=f"CUDA fails: {first_line}")
    why = None if devices else f"torch {torch.__version__} sees no CUDA device"
    return CudaDevices(devices=devices, why_none=why)


def _described(cuda: _Cuda) -> tuple[CudaDevice, ...]:
    found = (cuda.get_device_properties(number) for number in range(cuda.device_count()))
    return tuple(CudaDevice(name=one.name, vram_bytes=one.total_memory) for one in found)
