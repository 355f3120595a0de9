"""Which parameters of a network decay.

Not here: the optimiser (``loop``, ``pretrain``).
"""

from torch import nn


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return the parameters in two groups: matrices decay, biases and norms do not."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
