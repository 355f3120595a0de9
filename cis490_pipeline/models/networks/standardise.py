"""The scaling as a layer: raw values with holes in, finite numbers and a presence mask out.

Shape suffixes: B a batch of cases, C channels, T timepoints.

Inside the network, so that its constants are saved, loaded and exported with the weights.
"""

import torch
from torch import Tensor, nn

from cis490_pipeline.models.scaling import LIMIT, Scaling


class Standardise(nn.Module):
    """Raw ``x_BCT`` to ``[B, 2C, T]``: scaled values (0 where missing), then the presence mask."""

    def __init__(self, n_channels: int, channel_dropout: float) -> None:
        super().__init__()
        self.channel_dropout = channel_dropout
        self.register_buffer("unit", torch.zeros(n_channels, 1))
        self.register_buffer("center", torch.zeros(n_channels, 1))
        self.register_buffer("gain", torch.zeros(n_channels, 1))

    def adopt(self, scaling: Scaling) -> None:
        """Take over the constants that were fitted on train."""
        for name, value_C in (
            ("unit", scaling.unit_C),
            ("center", scaling.center_C),
            ("gain", scaling.gain_C),
        ):
            self.get_buffer(name).copy_(torch.from_numpy(value_C)[:, None])

    def _hidden(self, x_BCT: Tensor) -> Tensor:
        """Return ``[B, C, 1]``, true where a training case does not get to see a channel.

        A run of neighbours, up to half of all, is hidden in a share ``channel_dropout`` of the
        cases: the channels of a source are neighbours, and sources go missing whole. Half of a
        single channel is none: a case that hides all it has teaches nothing.
        """
        n_cases, n_channels = x_BCT.shape[:2]
        chance_B1, start_B1, length_B1 = torch.rand(3, n_cases, 1, device=x_BCT.device)
        position_C = torch.arange(n_channels, device=x_BCT.device)
        from_start_BC = (position_C - (start_B1 * n_channels).floor()) % n_channels
        in_run_BC = from_start_BC + 1 <= length_B1 * 0.5 * n_channels
        return (in_run_BC & (chance_B1 < self.channel_dropout))[:, :, None]

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Return scaled values and presence, concatenated along the channels."""
        present_BCT = torch.isfinite(x_BCT)
        if self.training and self.channel_dropout > 0:
            present_BCT = present_BCT & ~self._hidden(x_BCT)
        unit, center, gain = (self.get_buffer(name) for name in ("unit", "center", "gain"))
        # One name for each step's result: a batch is megabytes, and every name holds one.
        value_BCT = torch.where(present_BCT, x_BCT, 0.0)
        heavy = unit > 0
        log_BCT = torch.log1p(value_BCT.abs() / torch.where(heavy, unit, 1.0))
        value_BCT = torch.where(heavy, value_BCT.sign() * log_BCT, value_BCT)
        del log_BCT
        value_BCT = ((value_BCT - center) * gain).clamp(-LIMIT, LIMIT)
        mask_BCT = present_BCT.to(value_BCT.dtype)
        return torch.cat((value_BCT * mask_BCT, mask_BCT), dim=1)
