"""Which splits' scores are older than their test sets, while their models still stand.

Scoring them again is cheap and needs nobody's judgement. Where the training set would be another
one too, the models are old as well, and fitting is for people to decide. A model that nobody has
scored yet is none of it: a test set is opened by people first.

Not here: the scoring (``on_split``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cis490_pipeline.datasets.planning import plan_from_tables
from cis490_pipeline.datasets.test_sets import build_test_set
from cis490_pipeline.datasets.training_sets import (
    load_training_set,
    training_set_of,
    training_set_path,
)
from cis490_pipeline.errors import SplitRefusedError, WarehouseError
from cis490_pipeline.evaluation.records import records_of_models
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.recipes import HostLists
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class OldScores:
    """A split whose test set has changed: the (family, mode) that were scored on the old one."""

    split: str
    statuses: tuple[str, ...]
    models: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableSplit:
    """A split whose set file or record is damaged: nobody can say whether its scores are old."""

    split: str
    reason: str


def old_scores(
    warehouse: Warehouse, splits: Iterable[str], host_lists: Sequence[HostLists] = ()
) -> tuple[OldScores | UnreadableSplit, ...]:
    """Return the splits to score again and those that cannot be read, in the order given.

    Parameters
    ----------
    warehouse
        Plans are made over what its tables hold now; nothing is written.
    splits
        Keys of the splits to look at; one that was never planned is skipped.
    host_lists
        Declared splits of the form ``hosts:<name>``.
    """
    found = (_of_split(warehouse, split, host_lists) for split in splits)
    return tuple(one for one in found if one is not None)


def _of_split(
    warehouse: Warehouse, split: str, host_lists: Sequence[HostLists]
) -> OldScores | UnreadableSplit | None:
    try:
        return _old_scores_of(warehouse, split, host_lists)
    except WarehouseError as error:  # the other splits have nothing to do with it
        return UnreadableSplit(split=split, reason=str(error))


def _old_scores_of(
    warehouse: Warehouse, split: str, host_lists: Sequence[HostLists]
) -> OldScores | None:
    if not training_set_path(warehouse.layout, split).is_file():
        return None
    records = records_of_models(warehouse.layout, split)
    if not records:
        return None
    planned = load_training_set(warehouse.layout, split)
    try:
        config = SplitConfig(statuses=planned.statuses)
        plan = plan_from_tables(warehouse, split, config, host_lists)
    except SplitRefusedError:  # the scores stand for what was there
        return None
    if training_set_of(plan, planned.statuses).content_hash != planned.content_hash:
        return None
    now = build_test_set(plan).content_hash
    old = {(one.fitted.family, one.fitted.mode) for one in records if one.test_set_hash != now}
    if not old:
        return None
    return OldScores(split=split, statuses=planned.statuses, models=tuple(sorted(old)))
