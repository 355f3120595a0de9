"""From the tables to a split's two set files: the same calls for assets and command line.

Not here: the rules (``splits``).
"""

from collections.abc import Sequence

from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.test_sets import TestSet, build_test_set, save_test_set
from cis490_pipeline.datasets.training_sets import (
    TrainingSet,
    save_training_set,
    training_set_of,
)
from cis490_pipeline.errors import SplitRefusedError
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.plan import Refusal, SplitPlan
from cis490_pipeline.splits.planning import plan_split
from cis490_pipeline.splits.recipes import HostLists
from cis490_pipeline.warehouse.warehouse import Warehouse


def plan_from_tables(
    warehouse: Warehouse,
    split: str,
    config: SplitConfig,
    host_lists: Sequence[HostLists] = (),
) -> SplitPlan:
    """Plan a split over what the tables hold now.

    Raises
    ------
    SplitRefusedError
        Where the split would be unsound; says why and what to do instead.
    """
    facts = episode_facts(warehouse)
    plan = plan_split(split, facts, config, tuple(host_lists))
    if isinstance(plan, Refusal):
        todo = plan.suggestion if facts else f"ingest a store into {warehouse.root} first"
        raise SplitRefusedError(f"refused: {plan.reason}", where=f"split {plan.split}", todo=todo)
    return plan


def write_training_set(
    warehouse: Warehouse,
    split: str,
    config: SplitConfig,
    host_lists: Sequence[HostLists] = (),
) -> TrainingSet:
    """Plan a split and write its training side."""
    plan = plan_from_tables(warehouse, split, config, host_lists)
    training_set = training_set_of(plan, config.statuses)
    save_training_set(warehouse.layout, training_set)
    return training_set


def write_test_set(
    warehouse: Warehouse,
    split: str,
    config: SplitConfig,
    host_lists: Sequence[HostLists] = (),
) -> TestSet:
    """Plan a split and write its test side."""
    plan = plan_from_tables(warehouse, split, config, host_lists)
    test_set = build_test_set(plan)
    save_test_set(warehouse.layout, test_set)
    return test_set
