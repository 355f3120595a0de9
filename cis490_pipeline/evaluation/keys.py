"""Names of models in an evaluation, and what kind of claim a family makes.

Not here: the families themselves (``models.catalog``); a model that is scored here may come from a
bundle whose family this code does not know.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context


class FamilyRole(StrEnum):
    """What a family has to show before it may be recommended."""

    BASELINE = "baseline"  # sees no channel: a control, never recommended
    CONTROL = "control"  # fitted on permuted labels: must sit at chance, is compared with nothing
    SIMPLE = "simple"  # learned and cheap: the yardstick of the deep ones
    DEEP = "deep"  # must beat the simple yardstick


ELAPSED_TIME: Final = "elapsed_time"
GRAMMAR_ONLY: Final = "grammar_only"
PERMUTED_LABELS: Final = "permuted_labels"
NO_CONTEXT: Final = "none"

FIRST_CHOICE: Final = "gbt"
"""The simple family that is believed until id_val shows another to be better. Within each of two
labs trees lost least on profiles and levels that they were not trained on: 0.73 of macro F1 where
the linear model and the perceptron kept 0.69 and 0.67."""

DECLARED_DEEP: Final = "blend"
"""The one deep family that is declared beforehand: it is recommended where id_val has it above the
yardstick. Being the only one, it is not the luckiest of many, and so it need not be *shown* to be
better, as every other deep family must."""

_BASELINES: Final = frozenset({"majority", ELAPSED_TIME, GRAMMAR_ONLY})
_SIMPLE: Final = frozenset({"gbt", "logistic", "knn", "knn_semi", "minirocket"})


def family_role(family: str) -> FamilyRole:
    """Return the role of a family; an unknown one counts as deep, so that it must prove itself.

    >>> family_role("gbt").value, family_role("cnn").value
    ('simple', 'deep')
    """
    if family in _BASELINES:
        return FamilyRole.BASELINE
    if family == PERMUTED_LABELS:
        return FamilyRole.CONTROL
    return FamilyRole.SIMPLE if family in _SIMPLE else FamilyRole.DEEP


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ModelKey:
    """Which model: family, channel mode, context and seed."""

    family: str
    mode: Mode
    context: str
    seed: int

    @property
    def label(self) -> str:
        """Name for people, without the seed and without what goes without saying.

        >>> ModelKey(family="gbt", mode=Mode.REALISTIC, context="none", seed=0).label
        'gbt/realistic'
        """
        parts = [self.family]
        if self.mode != Mode.ANY:
            parts.append(str(self.mode))
        if self.context != NO_CONTEXT:
            parts.append(self.context)
        return "/".join(parts)

    @property
    def is_transductive(self) -> bool:
        """Whether it uses windows of the test host that no device has: shown, and never chosen."""
        return self.context == Context.TRANSDUCTIVE.value

    @property
    def role(self) -> FamilyRole:
        """What the model's family has to show."""
        return family_role(self.family)
