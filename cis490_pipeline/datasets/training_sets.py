"""The file that lists who trains: the only thing of the data that a model depends on.

It knows nothing of any test set: what it holds is what training code may see.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cis490_pipeline.datasets.members import Member, hash_of_roles, members_of
from cis490_pipeline.datasets.set_files import read_set, require_fingerprint, write_set
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.splits.plan import SplitPlan
from cis490_pipeline.warehouse.layout import Layout

_NAME: Final = "training_set.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """Train and id_val members of a split.

    ``content_hash`` covers both roles and the feature schema and is the asset's data version;
    ``training_ids_hash`` covers the train role alone and is carried by every fitted artifact.
    """

    split: str
    statuses: tuple[str, ...]
    fingerprint: str
    content_hash: str
    training_ids_hash: str
    hosts: tuple[str, ...]
    profiles: tuple[str, ...]
    train: tuple[Member, ...]
    id_val: tuple[Member, ...]


def training_set_of(plan: SplitPlan, statuses: tuple[str, ...]) -> TrainingSet:
    """Return the training side of a plan."""
    fingerprint = current_schema().fingerprint
    train, id_val = members_of(plan.train), members_of(plan.id_val)
    episodes = (*plan.train, *plan.id_val)
    return TrainingSet(
        split=plan.split,
        statuses=statuses,
        fingerprint=fingerprint,
        content_hash=hash_of_roles(fingerprint, train=train, id_val=id_val),
        training_ids_hash=hash_of_roles(fingerprint, train=train),
        hosts=tuple(sorted({e.host_id for e in episodes})),
        profiles=tuple(sorted({e.profile for e in episodes})),
        train=train,
        id_val=id_val,
    )


def training_set_path(layout: Layout, split: str) -> Path:
    """Return where the file is."""
    return layout.split(split) / _NAME


def save_training_set(layout: Layout, training_set: TrainingSet) -> None:
    """Write the file atomically."""
    write_set(training_set_path(layout, training_set.split), training_set)


def load_training_set(layout: Layout, split: str) -> TrainingSet:
    """Read the file; WarehouseError where it is absent, damaged or of another schema."""
    path, asset = training_set_path(layout, split), f"training_set[{split}]"
    training_set = read_set(path, TrainingSet, asset=asset)
    require_fingerprint(training_set.fingerprint, path, asset=asset)
    return training_set
