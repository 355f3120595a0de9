"""From a sequence of features to one vector, over the steps that are present.

Shape suffixes: B a batch of cases, S steps, D features.

Not here: what the steps are (``tokens``, ``residual``).
"""

import torch
from torch import Tensor


def masked_pool(h_BDS: Tensor, present_BS: Tensor) -> Tensor:
    """Return mean and maximum over the present steps, ``[B, 2D]``; zeros where none is present.

    A level and a burst. Steps without any channel (padding, an outage) dilute neither.

    Parameters
    ----------
    present_BS
        1 where a step is present, else 0.
    """
    mask_B1S = present_BS[:, None, :]
    count_B1 = mask_B1S.sum(dim=2)
    mean_BD = (h_BDS * mask_B1S).sum(dim=2) / count_B1.clamp(min=1.0)
    highest_BD = h_BDS.masked_fill(mask_B1S == 0, -torch.inf).amax(dim=2)
    highest_BD = torch.where(count_B1 > 0, highest_BD, 0.0)
    return torch.cat((mean_BD, highest_BD), dim=1)
