"""The data card and the exported validation index, from the tables.

Not here: what the card says (``data_facts``) and how (``data_page``, ``data_card``).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cis490_pipeline.quality.alerts import AlertsReading
from cis490_pipeline.quality.config import load_quality_config
from cis490_pipeline.reporting.data_card import coverage_table, render_data_card
from cis490_pipeline.reporting.data_facts import DataFacts, gather_facts
from cis490_pipeline.reporting.data_page import render_data_page
from cis490_pipeline.reporting.index_page import publish_index
from cis490_pipeline.reporting.published import DATA_CARD, published_json, write_schema
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.record import rows_from_table, spec_columns
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.parquet import write_parquet
from cis490_pipeline.warehouse.warehouse import Warehouse


def utc_now() -> datetime:
    """Return the time that a card is stamped with."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDataCard:
    """Where the data card is; ``content_hash`` covers its figures and no time stamp."""

    facts: DataFacts
    table_markdown: str
    html: Path
    markdown: Path
    json: Path
    export: Path
    content_hash: str


def publish_data_card(
    warehouse: Warehouse,
    damage: Sequence[tuple[str, int]],
    alerts: AlertsReading,
    now: Callable[[], datetime] = utc_now,
) -> PublishedDataCard:
    """Write the data card as a page, Markdown and JSON, and ``validation_v1.parquet``.

    Parameters
    ----------
    damage
        (kind, rows) of the damaged index rows, as the index is now.
    alerts
        Those of the store, as they are now.

    Raises
    ------
    ConfigurationError
        Where ``quality.toml`` cannot be used.
    WarehouseError
        Where a shard cannot be read or a file not be written.
    """
    held = warehouse.tables.read(Table.VALIDATION_INDEX)
    config = load_quality_config(warehouse.layout.quality_config)
    facts = gather_facts(warehouse, rows_from_table(held), damage, alerts, config)
    directory = warehouse.layout.data_card
    record = published_json(DATA_CARD, facts)
    files = {
        "data_card.html": render_data_page(facts, now()).encode(),
        "data_card.md": render_data_card(facts).encode(),
        "data_card.json": record,
    }
    for name, content in files.items():
        write_bytes(directory / name, content)
    write_schema(directory, DATA_CARD)
    publish_index(warehouse.layout)
    write_parquet(warehouse.layout.validation_export, spec_columns(held))
    return PublishedDataCard(
        facts=facts,
        table_markdown=coverage_table(facts),
        html=directory / "data_card.html",
        markdown=directory / "data_card.md",
        json=directory / "data_card.json",
        export=warehouse.layout.validation_export,
        content_hash=hashlib.sha256(record).hexdigest(),
    )
