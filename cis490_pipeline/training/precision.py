"""Which number format a device computes in.

Not here: the loop that uses it (``loop``).
"""

import contextlib
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Autocast type of a device, None for plain float32; float16 needs its loss scaled."""

    device_type: str
    autocast_dtype: torch.dtype | None

    @property
    def scales_loss(self) -> bool:
        """Whether gradients would underflow without scaling."""
        return self.autocast_dtype is torch.float16

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Return the context of a forward pass."""
        if self.autocast_dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device_type, dtype=self.autocast_dtype)


def precision_on(device: str) -> Precision:
    """Return bfloat16 on CUDA where the card has it, else float16; float32 elsewhere.

    On a CPU bfloat16 helps convolutions and hurts attention, and costs reproducibility: not used.
    """
    device_type = torch.device(device).type
    if device_type != "cuda":
        return Precision(device_type=device_type, autocast_dtype=None)
    wide = torch.cuda.is_bf16_supported()
    return Precision(
        device_type=device_type, autocast_dtype=torch.bfloat16 if wide else torch.float16
    )
