"""Read what was scored, render it, write the files: the same calls for assets and command line.

Not here: the pages themselves (``html``, ``markdown``, ``cards``), the figures (``evaluation``).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import pyarrow.compute as pc

from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.comparison import compare
from cis490_pipeline.evaluation.drift_on_split import drift_on_split
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.records import EvaluationRecord, current_records
from cis490_pipeline.evaluation.shift import by_difficulty, standing_shift
from cis490_pipeline.explain.records import current_explanations
from cis490_pipeline.explain.result import Explanation
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.provenance import code_commit
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.reporting.history import HistoryEntry, entry_of, remember
from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.index_page import publish_index
from cis490_pipeline.reporting.markdown import render_markdown, summary_table
from cis490_pipeline.reporting.publish_cards import standing_cards
from cis490_pipeline.reporting.published import (
    COMPARISON,
    UNTESTED,
    Kind,
    PublishedUntested,
    published_comparison,
    published_json,
    write_schema,
)
from cis490_pipeline.reporting.report import LedgerEntry, Report
from cis490_pipeline.reporting.small_figures import small_figures
from cis490_pipeline.reporting.split_quality import split_quality
from cis490_pipeline.reporting.untested import UntestedReport, untested_html, untested_markdown
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.record import rows_from_table
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.warehouse import Warehouse

REPORT_HTML: Final = "report.html"
REPORT_MARKDOWN: Final = "comparison.md"
REPORT_JSON: Final = "comparison.json"
HEADLINE: Final = "headline.txt"


class _Quoted(msgspec.Struct, frozen=True):
    split: str


def utc_now() -> datetime:
    """Return the time that a report is stamped with."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedReport:
    """Where a split's report is; ``content_hash`` covers the figures and no time stamp.

    ``images`` are (name, Markdown) of the key figures, for places that show no page.
    """

    headline: str
    table_markdown: str
    images: tuple[tuple[str, str], ...]
    html: Path
    markdown: Path
    json: Path
    index: Path
    content_hash: str


def publish_comparison(
    warehouse: Warehouse, split: str, now: Callable[[], datetime] = utc_now
) -> PublishedReport:
    """Write a split's report: one HTML page, Markdown, and JSON.

    Raises
    ------
    WarehouseError
        Where nothing was scored with the split's current sets.
    """
    records = current_records(warehouse.layout, split)
    if not records:
        raise WarehouseError(
            "nothing was scored with the split's current sets",
            where=f"split {split}",
            todo="materialize the evaluations (or run `cis490 evaluate`) first",
        )
    evaluations = [r.evaluation for r in records if r.evaluation is not None]
    if not evaluations:
        return _publish_untested(warehouse, split, records)
    predictions = warehouse.tables.read(Table.PREDICTIONS, where=pc.field("split") == split)
    drift = drift_on_split(warehouse, split, code_commit=code_commit(), now=now)
    n_tried = _searched(warehouse.layout, records)
    comparison = compare(evaluations, predictions, config=BootstrapConfig(), n_tried=n_tried)
    shift = standing_shift(warehouse.layout, split)
    index = rows_from_table(warehouse.tables.read(Table.VALIDATION_INDEX))
    report = Report(
        comparison=comparison,
        evaluations=tuple(evaluations),
        ledger=_ledger(warehouse, split),
        made_at=now().isoformat(timespec="seconds"),
        code_commit=code_commit(),
        explanations=_explanations(warehouse.layout, records),
        drift=drift,
        shift=shift,
        by_difficulty=by_difficulty(shift, evaluations, predictions, BootstrapConfig()),
        quality=split_quality(index, comparison.scope),
        cards=standing_cards(warehouse.layout, split),
    )
    remember(warehouse.layout.report(split), _history_entry(warehouse.layout, report, records[0]))
    return _write(
        warehouse.layout,
        split,
        headline=headline(comparison),
        table_markdown=summary_table(report),
        images=small_figures(report),
        pages=(render_html(report), render_markdown(report)),
        figures=(COMPARISON, published_comparison(report)),
    )


def _history_entry(layout: Layout, report: Report, record: EvaluationRecord) -> HistoryEntry:
    training = load_training_set(layout, report.comparison.split)
    return entry_of(
        report,
        training_set_hash=record.training_set_hash,
        test_set_hash=record.test_set_hash,
        n_training_episodes=len(training.train) + len(training.id_val),
    )


def _searched(layout: Layout, records: Sequence[EvaluationRecord]) -> dict[ModelKey, int]:
    """Return how many combinations were tried for each model, 1 where nothing was searched."""
    registry = ModelRegistry(layout.models)
    tried: dict[ModelKey, int] = {}
    for record in records:
        if record.evaluation is not None:
            _, header = read_header(registry.find(record.fitted.bundle))
            tried[record.evaluation.key] = max(1, len(header.search))
    return tried


def _explanations(layout: Layout, records: Sequence[EvaluationRecord]) -> tuple[Explanation, ...]:
    first = records[0]
    split, training, test = first.fitted.split, first.training_set_hash, first.test_set_hash
    return current_explanations(layout, split, training, test)


def _publish_untested(
    warehouse: Warehouse, split: str, records: Sequence[EvaluationRecord]
) -> PublishedReport:
    """Write the report of a split that has no test set; it quotes the splits that have one."""
    fitted = [record.fitted for record in records]
    claims = _other_headlines(warehouse.layout, split)
    sentence = (
        f"{split}: {len(fitted)} models fitted on all hosts, no test set, no score of its own"
    )
    report = UntestedReport(
        sentence=sentence,
        fitted=fitted,
        claims=claims,
        explanations=_explanations(warehouse.layout, records),
        cards=standing_cards(warehouse.layout, split),
    )
    text = untested_markdown(report)
    figures = PublishedUntested(
        split=split,
        headline=sentence,
        models=tuple(fitted),
        quoted=dict(claims),
        explanations=tuple(report.explanations),
    )
    return _write(
        warehouse.layout,
        split,
        headline=sentence,
        table_markdown=text,
        pages=(untested_html(report), text),
        figures=(UNTESTED, figures),
    )


def _other_headlines(layout: Layout, split: str) -> tuple[tuple[str, str], ...]:
    """Return (split, headline) of the leave-one-host-out reports that stand."""
    found: list[tuple[str, str]] = []
    for path in sorted(layout.report(split).parent.glob(f"host=*/{REPORT_JSON}")):
        quoted = msgspec.json.decode(path.read_bytes(), type=_Quoted)
        sentence = (path.parent / HEADLINE).read_text("utf-8").strip()
        if not current_records(layout, quoted.split):
            sentence += " (of an earlier state of its data)"
        found.append((quoted.split, sentence))
    return tuple(found)


def _write(
    layout: Layout,
    split: str,
    *,
    headline: str,
    table_markdown: str,
    pages: tuple[str, str],
    figures: tuple[Kind, object],
    images: tuple[tuple[str, str], ...] = (),
) -> PublishedReport:
    directory = layout.report(split)
    html, markdown = pages
    encoded = published_json(*figures)
    published = PublishedReport(
        headline=headline,
        table_markdown=table_markdown,
        images=images,
        html=directory / REPORT_HTML,
        markdown=directory / REPORT_MARKDOWN,
        json=directory / REPORT_JSON,
        index=layout.reports_index,
        content_hash=hashlib.sha256(encoded).hexdigest(),
    )
    write_bytes(directory / HEADLINE, f"{headline}\n".encode())
    write_bytes(published.html, html.encode())
    write_bytes(published.json, encoded)
    write_bytes(published.markdown, markdown.encode())
    write_schema(directory, figures[0])
    publish_index(layout)
    return published


def _ledger(warehouse: Warehouse, split: str) -> tuple[LedgerEntry, ...]:
    rows = warehouse.tables.read(Table.TEST_LEDGER, where=pc.field("split") == split)
    entries = [LedgerEntry(**row) for row in rows.to_pylist()]
    return tuple(sorted(entries, key=lambda entry: entry.when))
