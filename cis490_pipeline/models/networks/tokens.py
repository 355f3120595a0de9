"""The raw grid as a short sequence of tokens: what recurrent networks and transformers read.

Shape suffixes: B a batch of cases, C channels, T timepoints, S tokens, D features.

A token is a patch of 1, 2, 5, 10, 20, 50 … neighbouring timepoints: the shortest patch that leaves
at most 40 tokens. Most channels are sampled at 1 or 2 Hz and held on the 10 Hz grid, so that 20
tokens of half a second say what 100 ticks say, at a fifth of the time (attention: a ninth). Cases
of up to 40 steps keep every step. A thousand steps must not become a thousand tokens either: a
recurrent network forgets over such a distance and attention pays for its square.

Not here: what reads the tokens (``recurrent``, ``attention``).
"""

from itertools import count
from typing import Final

from torch import Tensor, nn
from torch.nn import functional

_MOST_TOKENS: Final = 40


def patch_length(n_timepoints: int) -> int:
    """Return how many timepoints make a token.

    >>> [patch_length(n) for n in (1, 29, 40, 60, 100, 300, 1500)]
    [1, 1, 1, 2, 5, 10, 50]
    """
    for power in count():
        for digit in (1, 2, 5):
            length = digit * 10**power
            if n_timepoints <= length * _MOST_TOKENS:
                return length
    raise AssertionError  # the series does not end


class TokenStem(nn.Module):
    """Standardised ``z_BCT`` (values and presence) to tokens ``h_BSD`` and their presence."""

    def __init__(self, n_channels: int, n_timepoints: int, width: int) -> None:
        super().__init__()
        self.n_channels = n_channels
        self.patch = patch_length(n_timepoints)
        self.n_tokens = -(-n_timepoints // self.patch)
        # Single steps see their neighbours; patches are wide enough to stand for themselves.
        wide = self.patch == 1
        self.embed = nn.Conv1d(
            2 * n_channels,
            width,
            kernel_size=3 if wide else self.patch,
            stride=self.patch,
            padding=1 if wide else 0,
        )

    def forward(self, z_BCT: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens, and 1 where any channel is present in one, else 0 (``[B, S]``)."""
        padding = self.n_tokens * self.patch - z_BCT.shape[2]
        padded_BCT = functional.pad(z_BCT, (0, padding))
        h_BSD = self.embed(padded_BCT).transpose(1, 2)
        any_B1T = padded_BCT[:, self.n_channels :].amax(dim=1, keepdim=True)
        return h_BSD, functional.max_pool1d(any_B1T, self.patch)[:, 0]
