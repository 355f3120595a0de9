"""Library values as Dagster metadata: counts, small tables, links, numbers that plot over time.

Not here: computing any of them.
"""

import statistics
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import dagster as dg

from cis490_pipeline.evaluation.drift import most_drifted
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.shift import Shift
from cis490_pipeline.explain.on_split import ExplainedModel
from cis490_pipeline.ingest.report import IngestReport
from cis490_pipeline.orchestration.columns import column_schema
from cis490_pipeline.reporting.publish_data import PublishedDataCard
from cis490_pipeline.reporting.publish_explanations import PublishedExplanations
from cis490_pipeline.reporting.text import markdown_table as escaped_table
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.shadow.summary import ShadowHost

Metadata = Mapping[str, dg.MetadataValue]


SILENCE: Final = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(days=2), fail_window=timedelta(days=7)
)
"""A laboratory that records ships every day; assets made of its episodes say when none came."""

_FROM_WINDOWS: Final = [
    name
    for name in TABLE_SCHEMAS[Table.PREDICTIONS].names
    if name in TABLE_SCHEMAS[Table.WINDOW_FEATURES].names
]


def table_metadata(table: Table) -> dict[str, dg.TableSchema | str]:
    """Return what is known of a table before anything is in it."""
    return {"dagster/column_schema": column_schema(table), "dagster/table_name": table.value}


def prediction_lineage() -> dg.MetadataValue:
    """Return where the columns of ``predictions`` come from that are copied and not computed.

    A probability depends on every column that its model sees: no line says more than the graph.
    """
    windows = dg.AssetKey(Table.WINDOW_FEATURES.value)
    deps = {name: [dg.TableColumnDep(windows, name)] for name in _FROM_WINDOWS}
    return dg.MetadataValue.column_lineage(dg.TableColumnLineage(deps))


def markdown_table(header: tuple[str, ...], rows: Sequence[Sequence[object]]) -> dg.MetadataValue:
    """Return a small table that the UI renders inline; without rows, the word *none*."""
    if not rows:
        return dg.MetadataValue.text("none")
    texts = [[str(cell) for cell in row] for row in rows]
    return dg.MetadataValue.md("\n".join(escaped_table(header, texts)))


def rounded(value: float) -> dg.MetadataValue:
    """Return a score to plot and to read; the files have all of its digits."""
    return dg.MetadataValue.float(round(value, 4))


def file_link(path: Path) -> dg.MetadataValue:
    """Return a path that the UI shows with a copy button."""
    return dg.MetadataValue.path(str(path))


def ingest_metadata(report: IngestReport, asset: str) -> dict[str, dg.MetadataValue]:
    """Return what a host's ingest has to tell about one of its assets."""
    common: dict[str, dg.MetadataValue] = {
        "episodes_new": dg.MetadataValue.int(report.episodes_new),
        "episodes_total": dg.MetadataValue.int(report.episodes_total),
        "seconds": dg.MetadataValue.float(round(report.seconds, 3)),
    }
    if report.episodes_new and report.seconds > 0:
        rate = report.episodes_new / report.seconds
        common["episodes_per_s"] = dg.MetadataValue.float(round(rate, 1))
    if asset == "validation_index":
        common["dagster/partition_row_count"] = dg.MetadataValue.int(report.episodes_total)
        common["verdicts"] = markdown_table(("status", "episodes"), list(report.status.items()))
        common["reasons"] = markdown_table(("reason", "episodes"), list(report.reasons))
    if asset == "window_features":
        common["dagster/partition_row_count"] = dg.MetadataValue.int(report.windows_total)
    if asset == "tensor_shards":
        common["shard_bytes"] = dg.MetadataValue.int(report.shard_bytes)
    return common


def data_card_metadata(card: PublishedDataCard, page_url: str) -> dict[str, dg.MetadataValue]:
    """Return what the data card has to tell in the UI."""
    facts = card.facts
    findings = [
        (host.host_id, one.symptom, one.subject, one.detail)
        for host in facts.hosts
        for one in host.findings
    ]
    return {
        "episodes": dg.MetadataValue.int(facts.n_episodes),
        "windows": dg.MetadataValue.int(facts.n_windows),
        "hosts": dg.MetadataValue.int(len(facts.hosts)),
        "profiles": dg.MetadataValue.int(len(facts.profiles)),
        "damaged_index_rows": dg.MetadataValue.int(sum(n for _, n in facts.damage)),
        "alerts": dg.MetadataValue.int(len(facts.alerts.alerts)),
        "findings": markdown_table(("host", "symptom", "what", "seen"), findings),
        "coverage": dg.MetadataValue.md(card.table_markdown),
        "html": dg.MetadataValue.url(page_url),
        "markdown": file_link(card.markdown),
        "json": file_link(card.json),
        "export": file_link(card.export),
    }


def explanations_metadata(
    models: Sequence[ExplainedModel], published: PublishedExplanations
) -> dict[str, dg.MetadataValue]:
    """Return what a split's explanations have to tell in the UI."""
    warned = [
        (where.model, warning)
        for one, where in zip(models, published.each, strict=True)
        for warning in one.explanation.warnings
    ]
    found: dict[str, dg.MetadataValue] = {
        "models": dg.MetadataValue.int(len(models)),
        "reused": dg.MetadataValue.int(sum(one.reused for one in models)),
        "warnings": markdown_table(("model", "warning"), warned),
        "channels": dg.MetadataValue.md(published.markdown),
    }
    if published.each:
        found["directory"] = file_link(published.each[0].json.parent)
    return found


def shift_metadata(shift: Shift) -> dict[str, dg.MetadataValue]:
    """Return the median difficulty of each mode, and how well hosts are told apart."""
    numbers: dict[str, dg.MetadataValue] = {}
    for mode in shift.modes:
        found = [one.difficulty for one in mode.episodes if one.difficulty is not None]
        if found:
            middle = rounded(statistics.median(found))
            numbers[f"median_difficulty_{mode.mode.value}"] = middle
        probe = mode.all_hosts.macro_f1
        if probe is not None and probe.point is not None:
            numbers[f"host_probe_{mode.mode.value}"] = rounded(probe.point)
    return numbers


def shadow_metadata(found: ShadowHost, n_new: int, path: Path) -> dict[str, dg.MetadataValue]:
    """Return what shadow mode has to tell of a host; figures that are absent are left out."""
    rates = {
        "alarms_per_host_hour": found.alarms_per_host_hour,
        "false_alarms_per_host_hour": found.false_alarms_per_host_hour,
        "detected": found.detected,
    }
    drifted = [
        (one.channel, f"{one.ks:.2f}", "yes" if one.drifted else "no")
        for one in most_drifted(found.drift, 5)
    ]
    numbers = {name: rounded(one.point) for name, one in rates.items() if one.point is not None}
    return {
        "model": dg.MetadataValue.text(found.model),
        "episodes_new": dg.MetadataValue.int(n_new),
        "dagster/partition_row_count": dg.MetadataValue.int(found.n_episodes),
        **numbers,
        "figures": markdown_table(
            ("", "with 95 % interval"), [(name, _in_words(one)) for name, one in rates.items()]
        ),
        "drifted_channels": dg.MetadataValue.int(sum(c.drifted for c in found.drift.channels)),
        "most_drifted": markdown_table(("channel", "KS distance", "beyond chance"), drifted),
        "file": file_link(path),
    }


def _in_words(one: Interval) -> str:
    if one.point is None:
        return one.reason or ""
    if one.low is None or one.high is None:
        return f"{one.point:.3g} ({one.reason})"
    return f"{one.point:.3g} [{one.low:.3g}, {one.high:.3g}]"
