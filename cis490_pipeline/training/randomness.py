"""torch's random numbers of one fit: seeded, and nobody else's.

Not here: the order of cases (``shuffle``), saving the generators' state (``state_tensors``).
"""

import contextlib
from collections.abc import Generator

import torch


@contextlib.contextmanager
def own_randomness(seed: int, device: str) -> Generator[None]:
    """Seed torch for the block and leave the caller's generators and cuDNN settings alone."""
    cuda = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with (
        torch.random.fork_rng(devices=cuda),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
    ):
        torch.manual_seed(seed)
        yield
