"""The model cards of a split: a page, Markdown and JSON for each of its scored models.

Not here: what a card says (``cards``), the report that links them (``publish``).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.records import EvaluationRecord, current_records
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.reporting.card_page import Around, card_page
from cis490_pipeline.reporting.cards import model_card
from cis490_pipeline.reporting.model_facts import model_facts
from cis490_pipeline.reporting.published import MODEL_CARD, published_json, write_schema
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.warehouse import Warehouse

_CARDS: Final = "model_cards"


class _Bundle(msgspec.Struct, frozen=True):
    bundle: str


class _Carded(msgspec.Struct, frozen=True):
    fitted: _Bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCards:
    """Where a split's model cards are: the Markdown files, each with its page and JSON beside."""

    directory: Path
    paths: tuple[Path, ...]
    content_hash: str


def card_path(layout: Layout, split: str, file_stem: str) -> Path:
    """Return where the page of a model's card is, or will be."""
    return layout.report(split) / _CARDS / f"{file_stem}.html"


def publish_model_cards(warehouse: Warehouse, split: str) -> PublishedCards:
    """Write a page, Markdown and JSON for each of the split's scored models.

    Raises
    ------
    WarehouseError
        Where nothing was scored with the split's current sets.
    """
    layout = warehouse.layout
    around = _around(layout)
    digest = hashlib.sha256()
    paths: list[Path] = []
    for record in current_records(layout, split):
        path = card_path(layout, split, record.fitted.file_stem).with_suffix(".md")
        digest.update(_publish(layout, record, path, around))
        paths.append(path)
    if not paths:
        raise WarehouseError(
            "nothing was scored with the split's current sets",
            where=f"split {split}",
            todo="materialize the evaluations (or run `cis490 evaluate`) first",
        )
    directory = layout.report(split) / _CARDS
    write_schema(directory, MODEL_CARD)
    return PublishedCards(directory=directory, paths=tuple(paths), content_hash=digest.hexdigest())


def _publish(layout: Layout, record: EvaluationRecord, path: Path, around: Around) -> bytes:
    _, header = read_header(ModelRegistry(layout.models).find(record.fitted.bundle))
    facts = model_facts(record, header)
    card = model_card(facts, record.evaluation).encode()
    write_bytes(path, card)
    write_bytes(path.with_suffix(".json"), published_json(MODEL_CARD, record))
    page = card_page(facts, record.evaluation, around)
    write_bytes(path.with_suffix(".html"), page.encode())
    return card


def _around(layout: Layout) -> Around:
    data = layout.data_card / "data_card.html"
    links = [("Infection-phase detectors", "../../index.html"), ("split", "../report.html")]
    if data.is_file():
        links.append(("data card", f"../../{data.parent.name}/{data.name}"))
    return Around(links=tuple(links))


def standing_cards(layout: Layout, split: str) -> dict[str, str]:
    """Return the links of a split's report to its cards, by bundle: only those that stand."""
    found: dict[str, str] = {}
    for path in sorted((layout.report(split) / _CARDS).glob("*.*.*.*.json")):
        page = path.with_suffix(".html")
        if page.is_file():
            bundle = msgspec.json.decode(path.read_bytes(), type=_Carded).fitted.bundle
            found[bundle] = f"{_CARDS}/{page.name}"
    return found
