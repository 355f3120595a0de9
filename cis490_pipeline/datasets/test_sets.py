"""The file that lists who tests. Training code must not import this module (a contract holds it).

Not here: the training side (``training_sets``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cis490_pipeline.datasets.members import Member, hash_of_roles, members_of
from cis490_pipeline.datasets.set_files import read_set, require_fingerprint, write_set
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.splits.plan import SplitPlan
from cis490_pipeline.warehouse.layout import Layout

_NAME: Final = "test_set.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSet:
    """Test members of a split, and what a score on them is evidence for.

    ``test`` is empty for ``deploy``. ``content_hash`` is the asset's data version.
    """

    __test__ = False  # a set of test episodes, not a pytest class

    split: str
    claim: str
    fingerprint: str
    content_hash: str
    hosts: tuple[str, ...]
    train_hosts: tuple[str, ...]
    trained_profiles: tuple[str, ...]
    untested_profiles: tuple[str, ...]
    unseen_profiles: tuple[str, ...]
    warnings: tuple[str, ...]
    test: tuple[Member, ...]


def build_test_set(plan: SplitPlan) -> TestSet:
    """Return the test side of a plan."""
    fingerprint = current_schema().fingerprint
    trained = (*plan.train, *plan.id_val)
    test = members_of(plan.test)
    return TestSet(
        split=plan.split,
        claim=plan.claim,
        fingerprint=fingerprint,
        content_hash=hash_of_roles(fingerprint, test=test),
        hosts=tuple(sorted({e.host_id for e in plan.test})),
        train_hosts=tuple(sorted({e.host_id for e in trained})),
        trained_profiles=tuple(sorted({e.profile for e in trained})),
        untested_profiles=plan.untested_profiles,
        unseen_profiles=plan.unseen_profiles,
        warnings=plan.warnings,
        test=test,
    )


def path_of_test_set(layout: Layout, split: str) -> Path:
    """Return where the file is; LeakageError where a fit asks."""
    if layout.confinement is not None:
        layout.confinement.refuse(f"the test set of split {split}")
    return layout.split(split) / _NAME


def save_test_set(layout: Layout, test_set: TestSet) -> None:
    """Write the file atomically."""
    write_set(path_of_test_set(layout, test_set.split), test_set)


def load_test_set(layout: Layout, split: str) -> TestSet:
    """Read the file; WarehouseError where it is absent, damaged or of another schema."""
    path, asset = path_of_test_set(layout, split), f"test_set[{split}]"
    test_set = read_set(path, TestSet, asset=asset)
    require_fingerprint(test_set.fingerprint, path, asset=asset)
    return test_set
