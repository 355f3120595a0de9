"""What the tables know of every episode that trained or tested may be: the input of a split.

Not here: the choice (``splits``).
"""

import numpy as np

from cis490_pipeline.schema.ids import EpisodeId, HostId
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.splits.plan import EpisodeFacts
from cis490_pipeline.warehouse.warehouse import Warehouse


def episode_facts(warehouse: Warehouse) -> tuple[EpisodeFacts, ...]:
    """Return the facts of every accepted or degraded episode, sorted by id."""
    columns = ["episode_id", "host_id", "sha256", "profile", "sample_name", "sample_kind"]
    rows = warehouse.tables.read(Table.EPISODES, columns=[*columns, "status", "received_at_s"])
    windows = _windows_by_episode(warehouse)
    facts = (
        EpisodeFacts(
            episode_id=EpisodeId(row["episode_id"]),
            host_id=HostId(row["host_id"]),
            sha256=row["sha256"],
            profile=row["profile"] or "",
            sample_name=row["sample_name"] or "",
            sample_kind=row["sample_kind"] or "",
            status=row["status"],
            received_at_s=row["received_at_s"],
            n_windows=windows.get(row["episode_id"], 0),
        )
        for row in rows.to_pylist()
    )
    return tuple(sorted(facts, key=lambda fact: fact.episode_id))


def _windows_by_episode(warehouse: Warehouse) -> dict[str, int]:
    ids = warehouse.tables.read(Table.WINDOW_FEATURES, columns=["episode_id"])["episode_id"]
    names, counts = np.unique(ids.to_numpy().astype(str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}
