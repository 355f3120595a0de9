"""What has to hold before a test set is opened, and the ledger of every opening.

An opening is entered before the first window is predicted, so that a crash cannot hide a look at
the test set. Scoring opens it, explaining does, and the comparison of its channels with those of
the training set (``shift``): nothing else.

Not here: what is done with it (``on_split``, ``shift``, ``explain``).
"""

from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from cis490_pipeline.datasets.test_sets import TestSet
from cis490_pipeline.datasets.training_sets import TrainingSet
from cis490_pipeline.errors import LeakageError
from cis490_pipeline.models.bundle import Bundle, read_trunk_header
from cis490_pipeline.models.current import FittedModel
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.splits.leakage import (
    Leak,
    check_training_ids,
    find_leaks,
    find_moved,
)
from cis490_pipeline.warehouse.warehouse import Warehouse

NO_MODEL: Final = "none"


def leaks_now(
    warehouse: Warehouse, training_set: TrainingSet, test_set: TestSet
) -> tuple[Leak, ...]:
    """Return how the two sets touch, as they are listed and as the tables stand now.

    Of the tables the hosts alone are looked at: an episode may have been shipped again, by another
    host, since the sets were planned.
    """
    learning = (*training_set.train, *training_set.id_val)
    ids = [*(m.episode_id for m in learning), *(m.episode_id for m in test_set.test)]
    rows = warehouse.tables.read(
        Table.EPISODES,
        columns=["episode_id", "host_id"],
        where=pc.field("episode_id").isin(pa.array(ids, pa.string())),
    )
    host_now = dict(zip(*(rows[name].to_pylist() for name in rows.schema.names), strict=True))
    return (
        *find_leaks(training_set.train, training_set.id_val, test_set.test),
        *find_moved("training", learning, training_set.hosts, host_now),
        *find_moved("test", test_set.test, test_set.hosts, host_now),
    )


def require_disjoint(warehouse: Warehouse, training_set: TrainingSet, test_set: TestSet) -> None:
    """Refuse a test set that touches the training set; raises ``LeakageError``."""
    leaks = leaks_now(warehouse, training_set, test_set)
    if leaks:
        raise LeakageError(
            "training data and test data are not disjoint",
            where=f"split {test_set.split}",
            found=f"{len(leaks)} leaks, first: {leaks[0].detail}",
            todo="materialize training_set and test_set of this split again, together",
        )


def require_same_training(
    bundle: Bundle, registry: ModelRegistry, training_set: TrainingSet
) -> None:
    """Refuse a bundle of other training episodes than listed; raises ``LeakageError``.

    The trunk that it began from is asked as well: either would carry a leak.
    """
    seen_by = {bundle.sha256: bundle.header.training_ids_hash}
    trunk = bundle.header.trunk
    if trunk is not None:
        seen_by[trunk] = read_trunk_header(registry.root / trunk)[1].training_ids_hash
    for address, training_ids_hash in seen_by.items():
        leak = check_training_ids(training_ids_hash, training_set.training_ids_hash)
        if leak is not None:
            raise LeakageError(
                "the bundle was fitted on other episodes than the training set lists",
                where=f"bundle {address[:12]}, split {training_set.split}",
                found=leak.detail,
                todo="fit the model again on the current training set",
            )


def enter_in_ledger(
    warehouse: Warehouse, fitted: FittedModel, *, why: str, code_commit: str, when: datetime
) -> None:
    """Write down who looks at a test set, with which model, and why."""
    model = {"bundle": fitted.bundle, "identity": fitted.identity}
    _enter(
        warehouse, {"split": fitted.split, **model, "why": why, "code_commit": code_commit}, when
    )


def enter_reading(
    warehouse: Warehouse, split: str, *, why: str, code_commit: str, when: datetime
) -> None:
    """Write down a look at a test set that no model has a part in."""
    model = {"bundle": NO_MODEL, "identity": NO_MODEL}
    _enter(warehouse, {"split": split, **model, "why": why, "code_commit": code_commit}, when)


def _enter(warehouse: Warehouse, entry: dict[str, str], when: datetime) -> None:
    dated = {"when": when.isoformat(timespec="seconds"), **entry}
    rows = pa.Table.from_pylist([dated], schema=TABLE_SCHEMAS[Table.TEST_LEDGER])
    warehouse.tables.append(Table.TEST_LEDGER, rows)
