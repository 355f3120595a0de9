"""Explanations out of thin air, for the tests of what reports do with them."""

from dataclasses import replace

from cis490_pipeline.explain.agreement import Agreements, RankAgreement
from cis490_pipeline.explain.columns import PartShare
from cis490_pipeline.explain.result import VERSION, Completeness, ExplainOptions, Explanation
from cis490_pipeline.schema.phases import PHASES

NAMES = tuple(phase.value for phase in PHASES)


def pair(first: str, second: str, rho: float | None = 0.5) -> RankAgreement:
    reason = "" if rho is not None else "2 windows of it, at least 5 needed"
    return RankAgreement(first=first, second=second, rho=(rho,) * 5, reasons=(reason,) * 5)


def explanation(family: str = "gbt", **changes) -> Explanation:
    """Three channels; the phase ``armed`` has no explained window."""
    made = Explanation(
        version=VERSION,
        split="host=lab-b",
        family=family,
        mode="realistic",
        context="none",
        seed=0,
        bundle="b" * 64,
        training_set_hash="a" * 64,
        test_set_hash="c" * 64,
        options=ExplainOptions(),
        method="TreeSHAP",
        phases=NAMES,
        channels=("guest_load1", "guest_forks", "netflow_tcp_rst"),
        cells=(
            (0.1, None, 0.2, 0.3, 0.4),
            (1.1, None, 2.0, 1.3, 1.4),
            (0.0, None, 0.0, 0.0, 0.0),
        ),
        n_windows=(40, 0, 23, 40, 40),
        parts=(PartShare(kind="statistic", name="slope", share=(0.25, None, 0.5, 0.5, 0.5)),),
        hosts=(),
        completeness=Completeness(
            largest=0.02, median=0.001, tolerance=0.05, n_beyond=0, n_windows=143
        ),
        between_training_hosts=Agreements(pairs=(), reason="id_val comes from one host: lab-a"),
        with_test_hosts=Agreements(pairs=(pair("id_val", "lab-b", 0.91),), reason=""),
        with_control=pair("id_val", "permuted labels", 0.12),
        control="permuted labels",
        warnings=("this is a made-up warning",),
    )
    return replace(made, **changes)
