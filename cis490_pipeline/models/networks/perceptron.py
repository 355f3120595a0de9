"""The multi-layer perceptron behind ``mlp``.

Shape suffixes: B a batch of cases, C columns, T timepoints, K classes.

Not here: hyper-parameters and the reasons for them (the family).
"""

from dataclasses import dataclass

from torch import Tensor, nn

from cis490_pipeline.models.classifier import CaseShape
from cis490_pipeline.models.networks.standardise import Standardise


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceptronPlan:
    """Size of the network; the fields are those of ``MlpHyperParameters``."""

    hidden: int
    layers: int
    dropout: float
    channel_dropout: float


class Perceptron(nn.Module):
    """Raw columns ``x_BCT`` of one timepoint to logits ``[B, K]``."""

    def __init__(self, plan: PerceptronPlan, shape: CaseShape) -> None:
        super().__init__()
        self.standardise = Standardise(shape.n_channels, plan.channel_dropout)
        layers: list[nn.Module] = []
        n_in = 2 * shape.n_channels * shape.n_timepoints
        for _ in range(plan.layers):
            layers += [
                nn.Linear(n_in, plan.hidden, bias=False),
                nn.BatchNorm1d(plan.hidden),
                nn.GELU(),
                nn.Dropout(plan.dropout),
            ]
            n_in = plan.hidden
        self.layers = nn.Sequential(*layers, nn.Linear(n_in, shape.n_classes))

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Return the logits."""
        return self.layers(self.standardise(x_BCT).flatten(start_dim=1))
