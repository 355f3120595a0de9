"""The drift of a split: read once for a pair of sets, entered in the ledger, kept beside the sets.

Telemetry of test episodes is looked at without labels and without a model. It is a look at the
test set all the same, so it is entered before it is taken.

Not here: the figures (``drift``), how they are shown (``reporting``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.datasets.window_rows import column_of, is_one_of
from cis490_pipeline.evaluation.drift import EpisodeTelemetry, HostDrift, drift_of
from cis490_pipeline.evaluation.opening import enter_reading, require_disjoint
from cis490_pipeline.schema.channels import CHANNELS
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import Stat
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.warehouse import Warehouse

DRIFT_VERSION: Final = 1
WHY: Final = "drift of channels: no labels, no model"
_MEANS: Final = [f"{channel.column}_{Stat.MEAN.value}" for channel in CHANNELS]
_MISSING: Final = [f"{channel.column}_{Stat.MISSING.value}" for channel in CHANNELS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The drift of one split; ``hosts`` is empty where ``reason`` says why."""

    format: str = "cis490.drift"
    version: int = DRIFT_VERSION
    training_set_hash: str
    test_set_hash: str
    reason: str | None
    hosts: tuple[HostDrift, ...]


def drift_on_split(
    warehouse: Warehouse, split: str, *, code_commit: str, now: Callable[[], datetime]
) -> Drift:
    """Return the drift of a split's current sets, computed at the first call for them.

    Raises
    ------
    WarehouseError
        Where a set file is absent.
    LeakageError
        Where the sets overlap.
    """
    training, test = (
        load_training_set(warehouse.layout, split),
        load_test_set(warehouse.layout, split),
    )
    hashes = (training.content_hash, test.content_hash)
    standing = _standing(warehouse.layout, split, hashes)
    if standing is not None:
        return standing
    require_disjoint(warehouse, training, test)
    roles = (training.train, training.id_val, test.test)
    reason = _refusal(warehouse, roles)
    if reason is not None:
        return _drift(hashes, reason, ())
    enter_reading(warehouse, split, why=WHY, code_commit=code_commit, when=now())
    hosts = drift_of(*(telemetry_of(warehouse, members) for members in roles))
    found = _drift(hashes, None, hosts)
    encoded = msgspec.json.format(msgspec.json.encode(found), indent=1)
    write_bytes(path_of_drift(warehouse.layout, split), encoded)
    return found


def _drift(hashes: tuple[str, str], reason: str | None, hosts: tuple[HostDrift, ...]) -> Drift:
    return Drift(training_set_hash=hashes[0], test_set_hash=hashes[1], reason=reason, hosts=hosts)


def path_of_drift(layout: Layout, split: str) -> Path:
    """Return where the figures are kept."""
    return layout.split(split) / "drift.json"


def _standing(layout: Layout, split: str, hashes: tuple[str, str]) -> Drift | None:
    """Return what was computed for these sets; a damaged or foreign file is written again."""
    try:
        found = msgspec.json.decode(path_of_drift(layout, split).read_bytes(), type=Drift)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    asked = ("cis490.drift", DRIFT_VERSION, *hashes)
    held = (found.format, found.version, found.training_set_hash, found.test_set_hash)
    return found if held == asked else None


def _refusal(warehouse: Warehouse, roles: Sequence[Sequence[Member]]) -> str | None:
    """Say why there is nothing to compare: the identities are read, no telemetry."""
    if not roles[-1]:
        return "the split has no test set"
    for members in roles:
        held = warehouse.tables.read(
            Table.EPISODE_FEATURES, columns=["episode_id", "sha256"], where=is_one_of(members)
        )
        pairs = zip(held["episode_id"].to_pylist(), held["sha256"].to_pylist(), strict=True)
        other = {(m.episode_id, m.sha256) for m in members} ^ set(pairs)
        if other:
            return f"the tables no longer hold episode {min(other)[0]} as the sets list it"
    return None


def telemetry_of(warehouse: Warehouse, members: Sequence[Member]) -> EpisodeTelemetry:
    """Read mean and missing share of every channel for each member, in no order."""
    rows = warehouse.tables.read(
        Table.EPISODE_FEATURES,
        columns=["host_id", *_MEANS, *_MISSING],
        where=is_one_of(members),
    )
    return EpisodeTelemetry(
        host_E=np.array(rows["host_id"].to_pylist(), dtype=np.str_),
        mean_EC=_matrix(rows, _MEANS),
        missing_EC=_matrix(rows, _MISSING),
    )


def _matrix(rows: pa.Table, names: Sequence[str]) -> NDArray[np.float32]:
    matrix_EC = np.empty((rows.num_rows, len(names)), dtype=np.float32)
    for column, name in enumerate(names):
        matrix_EC[:, column] = column_of(rows, name)
    return matrix_EC
