"""The training objective: cross-entropy, weighted by inverse class frequency.

Shape suffixes: B a batch of cases, K classes.

Not here: the weights (``models.class_weights``).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def weighted_cross_entropy(
    logits_BK: "Tensor", y_B: "Tensor", weight_K: "Tensor", label_smoothing: float
) -> "Tensor":
    """Return the weighted mean loss of a batch.

    The sum is divided by the number of cases, not by the sum of weights as torch does: the latter
    gives the one rare case of a batch less weight where the batch is small.
    """
    from torch.nn import functional

    loss_B = functional.cross_entropy(
        logits_BK.float(), y_B, reduction="none", label_smoothing=label_smoothing
    )
    return (loss_B * weight_K[y_B]).mean()
