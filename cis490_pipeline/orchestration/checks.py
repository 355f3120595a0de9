"""Asset checks of a split, which block: coverage and leakage.

Each has a test that plants its fault.
Not here: the rules (``splits``), checks of a host (``checks_quality``).
"""

import warnings
from typing import Final

import dagster as dg

from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.evaluation.opening import leaks_now
from cis490_pipeline.orchestration.metadata import markdown_table
from cis490_pipeline.orchestration.partitions import SPLITS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import QUICK_RETRY
from cis490_pipeline.splits.coverage import training_problems

_SHOWN: Final = 20


def coverage(context: dg.AssetCheckExecutionContext, lab: Lab) -> dg.AssetCheckResult:
    """Block a fit on a training set that cannot carry it."""
    training_set = load_training_set(lab.warehouse.layout, context.partition_key)
    facts = {fact.episode_id: fact for fact in episode_facts(lab.warehouse)}
    members = (*training_set.train, *training_set.id_val)
    gone = [m.episode_id for m in members if m.episode_id not in facts]
    train = [facts[m.episode_id] for m in training_set.train if m.episode_id in facts]
    id_val = [facts[m.episode_id] for m in training_set.id_val if m.episode_id in facts]
    rows = [(p.reason, p.suggestion) for p in training_problems(train, id_val)]
    if gone:
        shown = ", ".join(gone[:_SHOWN])
        rows.append((f"the tables no longer hold {len(gone)} members: {shown}", "plan it again"))
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "train_episodes": dg.MetadataValue.int(len(train)),
            "id_val_episodes": dg.MetadataValue.int(len(id_val)),
            "problems": markdown_table(("why", "what to do"), rows),
        },
    )


def leakage(context: dg.AssetCheckExecutionContext, lab: Lab) -> dg.AssetCheckResult:
    """Block every evaluation on a test set that touches the training set."""
    layout, split = lab.warehouse.layout, context.partition_key
    training_set, test_set = load_training_set(layout, split), load_test_set(layout, split)
    leaks = leaks_now(lab.warehouse, training_set, test_set)
    rows = [(leak.kind.value, leak.detail) for leak in leaks[:_SHOWN]]
    return dg.AssetCheckResult(
        passed=not leaks,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "leaks": dg.MetadataValue.int(len(leaks)),
            "first": markdown_table(("kind", "detail"), rows),
        },
    )


def build_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks, each evaluated and shown per partition of its asset."""
    with warnings.catch_warnings():
        # Partitioned checks are in preview in 1.13, and the only way to see which split leaks.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.asset_check(
                asset="training_set",
                partitions_def=SPLITS,
                retry_policy=QUICK_RETRY,
                blocking=True,
                description="Enough to fit on and to choose on: train and id_val are not empty, "
                "malicious profiles train.",
            )(coverage),
            dg.asset_check(
                asset="test_set",
                additional_deps=["training_set"],
                partitions_def=SPLITS,
                retry_policy=QUICK_RETRY,
                blocking=True,
                description="Train, id_val and test are disjoint by episode and by tarball, "
                "and no episode has changed to a host of the other side.",
            )(leakage),
        ]
