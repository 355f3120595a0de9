"""Two set assets a split: who trains, who tests.

Models depend on ``training_set`` and on nothing else of the data: a new episode of the test host
leaves them fresh, and the lineage itself shows that training never sees a test set.

Not here: the rules (``splits``), the files (``datasets``).
"""

from typing import Final

import dagster as dg

from cis490_pipeline.datasets.host_lists import load_host_lists
from cis490_pipeline.datasets.planning import write_test_set, write_training_set
from cis490_pipeline.datasets.test_sets import TestSet, path_of_test_set
from cis490_pipeline.datasets.training_sets import TrainingSet, training_set_path
from cis490_pipeline.orchestration.config import SetsConfig
from cis490_pipeline.orchestration.metadata import file_link, markdown_table
from cis490_pipeline.orchestration.partitions import SPLITS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import QUICK_RETRY
from cis490_pipeline.schema.fingerprint import current_schema

GROUP: Final = "splits"

_TABLES: Final = [
    dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping())
    for name in ("validation_index", "tensor_shards", "window_features")
]


# What the two sets have in common, so that neither can drift from the other.
_set_asset: Final = dg.asset(
    partitions_def=SPLITS,
    deps=_TABLES,
    group_name=GROUP,
    kinds={"python", "json"},
    owners=["team:ml"],
    code_version=current_schema().fingerprint[:12],
    tags={"stage": "split"},
    retry_policy=QUICK_RETRY,
)


@_set_asset
def training_set(
    context: dg.AssetExecutionContext, config: SetsConfig, lab: Lab
) -> dg.MaterializeResult:
    """Train and id_val episodes of the split: all that training code may know of the data."""
    warehouse, split = lab.warehouse, context.partition_key
    lists = load_host_lists(warehouse.layout.host_lists)
    chosen = write_training_set(warehouse, split, config.to_split_config(), lists)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(chosen.content_hash),
        metadata=_training_metadata(chosen, lab),
    )


@_set_asset
def test_set(
    context: dg.AssetExecutionContext, config: SetsConfig, lab: Lab
) -> dg.MaterializeResult:
    """Test episodes of the split, and what a score on them is evidence for."""
    warehouse, split = lab.warehouse, context.partition_key
    lists = load_host_lists(warehouse.layout.host_lists)
    chosen = write_test_set(warehouse, split, config.to_split_config(), lists)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(chosen.content_hash),
        metadata=_test_metadata(chosen, lab),
    )


def _training_metadata(chosen: TrainingSet, lab: Lab) -> dict[str, dg.MetadataValue]:
    path = training_set_path(lab.warehouse.layout, chosen.split)
    return {
        "train_episodes": dg.MetadataValue.int(len(chosen.train)),
        "id_val_episodes": dg.MetadataValue.int(len(chosen.id_val)),
        "hosts": dg.MetadataValue.text(", ".join(chosen.hosts)),
        "profiles": dg.MetadataValue.text(", ".join(chosen.profiles)),
        "file": file_link(path),
    }


def _test_metadata(chosen: TestSet, lab: Lab) -> dict[str, dg.MetadataValue]:
    untested = ", ".join(chosen.untested_profiles) or "none"
    unseen = ", ".join(chosen.unseen_profiles) or "none"
    return {
        "test_episodes": dg.MetadataValue.int(len(chosen.test)),
        "claim": dg.MetadataValue.text(chosen.claim),
        "coverage": markdown_table(
            ("", "profiles"), [("untested", untested), ("unseen in training", unseen)]
        ),
        "warnings": dg.MetadataValue.md("\n".join(f"- {w}" for w in chosen.warnings) or "none"),
        "file": file_link(path_of_test_set(lab.warehouse.layout, chosen.split)),
    }
