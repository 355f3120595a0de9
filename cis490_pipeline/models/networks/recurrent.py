"""The recurrent networks behind ``gru`` and ``lstm``.

Shape suffixes: B a batch of cases, C channels, T timepoints, S tokens, D features, K classes.

Not here: hyper-parameters and the reasons for them (the families).
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from cis490_pipeline.models.classifier import CaseShape
from cis490_pipeline.models.networks.pooling import masked_pool
from cis490_pipeline.models.networks.standardise import Standardise
from cis490_pipeline.models.networks.tokens import TokenStem


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentPlan:
    """Cell and size of the network; the other fields are those of the hyper-parameters."""

    cell: Literal["gru", "lstm"]
    width: int
    hidden: int
    layers: int
    dropout: float
    channel_dropout: float


def _recurrence(plan: RecurrentPlan) -> nn.RNNBase:
    kind = nn.GRU if plan.cell == "gru" else nn.LSTM
    return kind(
        plan.width,
        plan.hidden,
        num_layers=plan.layers,
        batch_first=True,
        bidirectional=True,
        dropout=plan.dropout if plan.layers > 1 else 0.0,
    )


class RecurrentNetwork(nn.Module):
    """Raw ``x_BCT`` to logits ``[B, K]``."""

    def __init__(self, plan: RecurrentPlan, shape: CaseShape) -> None:
        super().__init__()
        self.standardise = Standardise(shape.n_channels, plan.channel_dropout)
        self.stem = TokenStem(shape.n_channels, shape.n_timepoints, plan.width)
        self.before = nn.Dropout(plan.dropout)
        self.recurrence = _recurrence(plan)
        self.head = nn.Sequential(
            nn.Dropout(plan.dropout), nn.Linear(4 * plan.hidden, shape.n_classes)
        )

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Return the logits."""
        h_BSD, present_BS = self.stem(self.standardise(x_BCT))
        out_BSD, _ = self.recurrence(self.before(functional.relu(h_BSD)))
        return self.head(masked_pool(out_BSD.transpose(1, 2), present_BS))
