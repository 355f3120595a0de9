"""What a bundle is worth when it may abstain: conformal rejection, and risk over coverage.

Not here: the two (``rejection``, ``risk_coverage``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.rejection import Rejection, rejection_of
from cis490_pipeline.evaluation.risk_coverage import RiskCoverage, risk_coverage_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Selective:
    """Both views of abstaining."""

    rejection: Rejection
    risk_coverage: RiskCoverage


def selective_of(
    found: Predictions,
    id_val: Predictions | None,
    *,
    train_hosts: Sequence[str],
    config: BootstrapConfig,
) -> Selective:
    """Measure one bundle's test predictions; without id_val there is no rejection."""
    return Selective(
        rejection=rejection_of(found, id_val, train_hosts=train_hosts, config=config),
        risk_coverage=risk_coverage_of(found, config),
    )
