"""Where a model runs: CUDA where a family wants it and the machine has it, else the CPU.

Not here: precision on that device (``training.precision``).
"""

from cis490_pipeline.models.classifier import FamilySpec


def best_device(spec: FamilySpec) -> str:
    """Return the torch device of a family on this machine; imports torch only for networks."""
    if not spec.wants_gpu:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
