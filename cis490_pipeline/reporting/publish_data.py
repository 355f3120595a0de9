"""The data card and the exported validation index, from the tables.

Not here: the card's text (``cards``).
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.reporting.cards import CoverageCell, DataFacts, data_card
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.record import rows_from_table, spec_columns
from cis490_pipeline.validation.summary import summarize
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.parquet import write_parquet
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDataCard:
    """Where the data card is; ``content_hash`` covers its text."""

    n_episodes: int
    markdown: str
    path: Path
    content_hash: str


def publish_data_card(warehouse: Warehouse, damage: Sequence[tuple[str, int]]) -> PublishedDataCard:
    """Write the data card, and ``validation_v1.parquet`` beside the tables.

    Parameters
    ----------
    damage
        (kind, rows) of the damaged index rows, as the index is now.
    """
    held = warehouse.tables.read(Table.VALIDATION_INDEX)
    rows = rows_from_table(held)
    windows = Counter(
        warehouse.tables.read(Table.WINDOW_FEATURES, columns=["episode_id"])[
            "episode_id"
        ].to_pylist()
    )
    cells: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        cell = cells.setdefault((row.host_id, row.profile or "", row.status), [0, 0])
        cell[0] += 1
        cell[1] += windows[row.episode_id]
    facts = DataFacts(
        cells=tuple(
            CoverageCell(host_id=host, profile=profile, status=status, n_episodes=n, n_windows=w)
            for (host, profile, status), (n, w) in sorted(cells.items())
        ),
        damage=tuple(damage),
        reasons=summarize(rows, ()).top_reasons,
        schema_fingerprint=current_schema().fingerprint,
    )
    text = data_card(facts)
    path = warehouse.layout.data_card / "data_card.md"
    write_bytes(path, text.encode())
    write_parquet(warehouse.layout.validation_export, spec_columns(held))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return PublishedDataCard(n_episodes=len(rows), markdown=text, path=path, content_hash=digest)
