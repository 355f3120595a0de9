"""The pre-trained trunk of a family × mode, made from unlabelled training windows.

It depends on ``training_set`` alone; the family's model asset begins from it. One trunk for each
context and seed: what a fit draws comes from its own seed, pre-training included.

Not here: the pre-training (``training``), the models (``assets_models``).
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import dagster as dg

from cis490_pipeline.models.classifier import FamilySpec
from cis490_pipeline.orchestration.config import PretrainingConfig
from cis490_pipeline.orchestration.epochs import each_fitted, label_of
from cis490_pipeline.orchestration.metadata import file_link, markdown_table
from cis490_pipeline.orchestration.partitions import SPLITS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import RETRY
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.training.on_split import FitOptions, pretrain_on_split
from cis490_pipeline.training.trunk import TrunkOutcome

_HEADER: Final = ("context", "seed", "bundle", "took", "identity")
Made = Sequence[tuple[FitOptions, TrunkOutcome]]


def trunk_key(family: str, mode: Mode) -> dg.AssetKey:
    """Return the key of a trunk asset."""
    return dg.AssetKey(["trunk", family, mode.value])


def build_trunk_asset(spec: FamilySpec, mode: Mode) -> dg.AssetsDefinition:
    """Return the asset that pre-trains one family in one mode."""

    @dg.asset(
        key=trunk_key(spec.name, mode),
        partitions_def=SPLITS,
        deps=["training_set"],
        group_name="models",
        kinds={spec.name, "torch"},
        owners=["team:ml"],
        code_version=current_schema().fingerprint[:12],
        description=f"The trunk of `{spec.name}` in mode `{mode.value}`, pre-trained on the "
        "split's training windows without their labels; the same identity is never made twice.",
        tags={"family": spec.name, "mode": mode.value},
        pool="gpu" if spec.wants_gpu else None,
        op_tags={"dagster-celery/queue": "gpu" if spec.wants_gpu else "cpu"},
        retry_policy=RETRY,
    )
    def trunk(
        context: dg.AssetExecutionContext, config: PretrainingConfig, lab: Lab
    ) -> dg.MaterializeResult:
        wanted = config.to_fit_options(spec, mode)
        return _materialized(each_fitted(context, lab.warehouse, wanted, pretrain_on_split), lab)

    return trunk


def _materialized(made: Made, lab: Lab) -> dg.MaterializeResult:
    rows = [
        (
            options.context.value,
            options.seed,
            outcome.bundle[:12],
            "reused" if outcome.reused else f"{outcome.seconds:.1f} s",
            outcome.identity[:12],
        )
        for options, outcome in made
    ]
    metadata: dict[str, dg.MetadataValue] = {
        "trunks": markdown_table(_HEADER, rows),
        "seconds": dg.MetadataValue.float(round(sum(o.seconds for _, o in made), 3)),
    }
    for options, outcome in made:
        link = file_link(lab.warehouse.layout.models / outcome.bundle)
        metadata[f"bundle{label_of(options)}"] = link
    bundles = "\n".join(sorted(outcome.bundle for _, outcome in made))
    digest = hashlib.sha256(bundles.encode()).hexdigest()
    return dg.MaterializeResult(data_version=dg.DataVersion(digest), metadata=metadata)
