"""The transformer behind ``transformer`` and ``bert``.

Shape suffixes: B a batch of cases, C channels, T timepoints, S tokens, D features, H heads, K
classes.

Pre-norm blocks with torch's fused attention and without dropout on the attention weights: with it
torch falls back to a path that takes twice the time on a CPU, and dropout on the branches
regularises as well. Source: Vaswani et al. 2017; Xiong et al. 2020 (pre-norm); Chu et al. 2021
(positions by a depth-wise convolution).

Not here: hyper-parameters and the reasons for them (the families), masked pre-training
(``training.pretrain``).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cis490_pipeline.models.classifier import CaseShape
from cis490_pipeline.models.networks.pooling import masked_pool
from cis490_pipeline.models.networks.standardise import Standardise
from cis490_pipeline.models.networks.tokens import TokenStem


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerPlan:
    """Size of the network; the fields are those of the hyper-parameters."""

    width: int
    heads: int
    layers: int
    expansion: int
    dropout: float
    channel_dropout: float


class FeatureDropout(nn.Module):
    """Dropout of whole features: one draw per case for all of its tokens.

    A twentieth of the random numbers, which are a sixth of a step's time on a CPU; neighbouring
    tokens hold nearly the same, and one would tell what the other lost.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, h_BSD: Tensor) -> Tensor:
        """Return the features, some of them 0 throughout the case while training."""
        if not self.training or self.share == 0.0:
            return h_BSD
        kept_B1D = functional.dropout(torch.ones_like(h_BSD[:, :1]), self.share)
        return h_BSD * kept_B1D


class _Attention(nn.Module):
    def __init__(self, plan: TransformerPlan) -> None:
        super().__init__()
        self.heads = plan.heads
        self.project_in = nn.Linear(plan.width, 3 * plan.width)
        self.project_out = nn.Linear(plan.width, plan.width)

    def forward(self, h_BSD: Tensor, seen_B11S: Tensor) -> Tensor:
        n_cases, n_tokens, width = h_BSD.shape
        parts = self.project_in(h_BSD).view(n_cases, n_tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed_BHSD = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen_B11S)
        return self.project_out(mixed_BHSD.transpose(1, 2).reshape(n_cases, n_tokens, width))


class TransformerBlock(nn.Module):
    """Attention and a two-layer perceptron, each as a residual branch after its own norm."""

    def __init__(self, plan: TransformerPlan) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(plan.width)
        self.attention = _Attention(plan)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(plan.width),
            nn.Linear(plan.width, plan.expansion * plan.width),
            nn.GELU(),
            FeatureDropout(plan.dropout),
            nn.Linear(plan.expansion * plan.width, plan.width),
        )
        self.dropout = FeatureDropout(plan.dropout)

    def forward(self, h_BSD: Tensor, seen_B11S: Tensor) -> Tensor:
        """Return the block's features; ``seen_B11S`` says which tokens may be attended to."""
        h_BSD = h_BSD + self.dropout(self.attention(self.attention_norm(h_BSD), seen_B11S))
        return h_BSD + self.dropout(self.perceptron(h_BSD))


class TransformerTrunk(nn.Module):
    """Standardised ``z_BCT`` to features ``h_BSD`` and the tokens' presence ``[B, S]``."""

    def __init__(self, plan: TransformerPlan, shape: CaseShape) -> None:
        super().__init__()
        self.stem = TokenStem(shape.n_channels, shape.n_timepoints, plan.width)
        self.position_SD = nn.Parameter(torch.zeros(self.stem.n_tokens, plan.width))
        self.neighbours = nn.Conv1d(plan.width, plan.width, 3, padding=1, groups=plan.width)
        self.dropout = FeatureDropout(plan.dropout)
        self.blocks = nn.ModuleList(TransformerBlock(plan) for _ in range(plan.layers))
        self.norm = nn.LayerNorm(plan.width)

    def forward(self, z_BCT: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and presence."""
        h_BSD, present_BS = self.stem(z_BCT)
        near_BSD = self.neighbours(h_BSD.transpose(1, 2)).transpose(1, 2)
        h_BSD = self.dropout(h_BSD + near_BSD + self.position_SD)
        # Where no token is present all are attended to: attention over nothing is no number.
        seen_BS = (present_BS > 0) | (present_BS.sum(dim=1, keepdim=True) == 0)
        seen_B11S = seen_BS[:, None, None, :]
        for block in self.blocks:
            h_BSD = block(h_BSD, seen_B11S)
        return self.norm(h_BSD), present_BS


class TransformerNetwork(nn.Module):
    """Raw ``x_BCT`` to logits ``[B, K]``."""

    def __init__(self, plan: TransformerPlan, shape: CaseShape) -> None:
        super().__init__()
        self.standardise = Standardise(shape.n_channels, plan.channel_dropout)
        self.trunk = TransformerTrunk(plan, shape)
        self.head = nn.Sequential(
            nn.Dropout(plan.dropout), nn.Linear(2 * plan.width, shape.n_classes)
        )

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Return the logits."""
        h_BSD, present_BS = self.trunk(self.standardise(x_BCT))
        return self.head(masked_pool(h_BSD.transpose(1, 2), present_BS))
