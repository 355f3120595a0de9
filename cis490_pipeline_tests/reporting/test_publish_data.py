"""The data card: real counts in three forms, gaps and faults told, and a page that stands alone."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.quality.alerts import AlertsReading, parse_alerts
from cis490_pipeline.reporting.publish_data import PublishedDataCard, publish_data_card
from cis490_pipeline.schema.channels import CHANNELS, Source
from cis490_pipeline.schema.tables import VALIDATION_COLUMNS, Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.farm import ingest, ship
from cis490_pipeline_tests.datasets.smoke import copy_of, smoke_warehouse
from cis490_pipeline_tests.episodes.building import telemetry_rows
from cis490_pipeline_tests.reporting.made_up_reports import Page

NO_ALERTS = AlertsReading(alerts=(), n_damaged=0)
DAMAGE = [("torn", 2), ("blank", 0)]


def noon() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)


def unescaped(markdown: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown)


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    return copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data")


@pytest.fixture
def card(mine: Warehouse) -> PublishedDataCard:
    return publish_data_card(mine, DAMAGE, NO_ALERTS, noon)


@pytest.fixture
def page(card: PublishedDataCard) -> Page:
    return Page(card.html.read_text("utf-8"))


def test_the_card_counts_what_the_tables_hold(mine: Warehouse, card: PublishedDataCard) -> None:
    text = unescaped(card.markdown.read_text("utf-8"))
    assert "48 episodes and 785 windows of 2 hosts and 7 profiles" in text
    held = pl.read_delta(str(mine.tables.path(Table.VALIDATION_INDEX)))
    for host in ("lab-a", "lab-b"):
        rows = held.filter(host_id=host)
        (line,) = (x for x in text.splitlines() if x.startswith(f"| {host} |") and "accepted" in x)
        cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
        for profile, cell in zip(sorted(set(held["profile"])), cells, strict=True):
            n = rows.filter(profile=profile).height
            assert cell.split(" ")[0] == (str(n) if n else "–")
    assert "| lab-b | 12 | 12 |" in text
    assert "| torn | 2 |" in text
    assert "blank" not in text
    assert "| missing-files | 0 | 12 |" in text


def test_page_markdown_and_json_say_the_same(card: PublishedDataCard, page: Page) -> None:
    found = json.loads(card.json.read_text("utf-8"))
    cells = {(c["host_id"], c["profile"], c["status"]): c["n_episodes"] for c in found["cells"]}
    assert sum(cells.values()) == 48
    for profile in card.facts.profiles:
        row = page.row(profile)[0]
        for host, text in zip(("lab-a", "lab-b"), row[1:], strict=True):
            n = sum(count for key, count in cells.items() if key[:2] == (host, profile))
            assert text.startswith(str(n) if n else "never")
    lengths = {host["host_id"]: host["lengths_s"] for host in found["hosts"]}
    markdown = card.markdown.read_text("utf-8")
    for host, (shortest, _, median, _, longest) in lengths.items():
        told = f"median {median:.0f} s, {shortest:.0f} to {longest:.0f} s"
        assert told in page.texts, host
        assert f"| {shortest:.0f} s |" in markdown
    assert len(found["hosts"][0]["channels"]) == len(CHANNELS)


def test_every_section_is_there_and_every_figure_has_a_text(
    card: PublishedDataCard, page: Page
) -> None:
    titles = ("Coverage", "Received over time", "Length", "Phases", "Channels", "Clocks")
    for title in (*titles, "Recorder", "Damage", "Alerts"):
        assert title in page.texts
    html = card.html.read_text("utf-8")
    figures = re.findall(r'<svg class="[^>]*>(.*?)</svg>', html, flags=re.DOTALL)
    assert len(figures) >= 2 * 2 + 1 + 13
    assert all(figure.startswith("<title>") for figure in figures)
    for channel in CHANNELS:
        assert len(page.row(channel.name)[0]) == 3, "a name and two hosts"
    for host in ("lab-a", "lab-b"):
        assert any(len(row) == 1 + len(Source) for row in page.row(host)), "its clocks"


def test_the_page_needs_nothing_from_elsewhere_and_adapts(card: PublishedDataCard) -> None:
    html = card.html.read_text("utf-8")
    page = Page(html)
    assert not re.search(r"https?:|//[a-z]|@import|javascript:", html)
    assert not {"link", "img", "iframe", "object", "base"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert "script-src 'sha256-" in " ".join(value for _, _, value in page.attributes)
    assert 'content="width=device-width, initial-scale=1"' in html
    assert "prefers-color-scheme: dark" in html
    assert "2026-11-22T12:00:00+00:00" in " ".join(page.texts)


def test_a_profile_that_a_host_never_ran_is_told_first(card: PublishedDataCard) -> None:
    told = "lab-b has no scan-and-dial: a model tested on it says nothing about that."
    html = card.html.read_text("utf-8")
    assert told in " ".join(Page(html).texts)
    assert html.index("lab-b has no") < html.index("<h2 ")
    assert told in unescaped(card.markdown.read_text("utf-8"))


def test_phases_last_as_long_as_the_episodes(mine: Warehouse, card: PublishedDataCard) -> None:
    held = pl.read_delta(str(mine.tables.path(Table.EPISODES)))
    spans = (pl.col("t_end_wall_ns") - pl.col("t0_wall_ns")) / 1e9
    for host in card.facts.hosts:
        expected = held.filter(host_id=host.host_id).select(spans.sum()).item()
        assert sum(host.phase_s) == pytest.approx(expected, abs=0.01)
        assert host.phase_s[0] > 0


def test_every_episode_is_in_one_bin_of_time(card: PublishedDataCard) -> None:
    assert len(card.facts.receptions) == 2
    for one in card.facts.receptions:
        assert sum(sum(line) for line in one.counts) == 24
        assert len(one.counts[0]) <= 48
        degraded = sum(one.counts[one.statuses.index("degraded")])
        assert degraded == (12 if one.host_id == "lab-b" else 0)


def test_sample_names_are_counted_and_weighed(mine: Warehouse, card: PublishedDataCard) -> None:
    held = pl.read_delta(str(mine.tables.path(Table.VALIDATION_INDEX)))
    for one in card.facts.diversity:
        rows = held.filter(host_id=one.host_id, profile=one.profile)
        counts = Counter(rows["sample_name"])
        assert set(one.names) == set(counts)
        assert one.n_episodes == rows.height
        assert 1.0 <= one.effective <= len(counts)
        if len(set(counts.values())) == 1:
            assert one.effective == pytest.approx(len(counts))


def test_publishing_again_changes_no_figure_and_a_new_alert_does(
    mine: Warehouse, card: PublishedDataCard
) -> None:
    again = publish_data_card(mine, DAMAGE, NO_ALERTS)
    assert again.content_hash == card.content_hash
    alerts = parse_alerts(b'{"host": "lab-b", "detail": "it fell over", "dedup_key": "k"}\n{"torn')
    told = publish_data_card(mine, DAMAGE, alerts, noon)
    assert told.content_hash != card.content_hash
    texts = " ".join(Page(told.html.read_text("utf-8")).texts)
    assert "it fell over" in texts
    assert "1 damaged lines" in texts
    assert "it fell over" in told.markdown.read_text("utf-8")


def test_what_the_checks_find_stands_at_the_top(tmp_path: Path) -> None:
    rows = [
        {**r, "t_wall_ns": r["t_wall_ns"] + 6_000_000_000} for r in telemetry_rows(Source.GUEST)
    ]
    for number in range(6):
        ship(tmp_path / "store", "lab-a", number, "benign", rows={Source.GUEST: rows}, seconds=30)
    warehouse = ingest(tmp_path / "store", tmp_path / "data", "lab-a")
    (warehouse.root / "quality.toml").write_text("min_episodes = 6\nrecent_episodes = 6\n")
    told = publish_data_card(warehouse, [], NO_ALERTS, noon)
    subjects = {finding.subject for finding in told.facts.hosts[0].findings}
    assert "guest" in subjects
    html = told.html.read_text("utf-8")
    assert html.index("its clock is ahead") < html.index("<h2 ")
    assert "silent" not in " ".join(Page(html).texts)
    assert "its clock is ahead" in told.markdown.read_text("utf-8")


def test_thresholds_of_a_wrong_form_are_refused(mine: Warehouse) -> None:
    (mine.root / "quality.toml").write_text("nonsense = 1\n")
    with pytest.raises(ConfigurationError, match="thresholds"):
        publish_data_card(mine, DAMAGE, NO_ALERTS)


def test_the_validation_index_is_exported_with_the_columns_of_the_format(
    mine: Warehouse, card: PublishedDataCard
) -> None:
    assert card.export == mine.layout.validation_export
    exported = pq.read_table(card.export)
    assert exported.schema.equals(VALIDATION_COLUMNS)
    assert exported.num_rows == 48
    ids = exported["episode_id"].to_pylist()
    assert ids == sorted(ids)


def test_an_empty_warehouse_has_a_card_of_nothing(tmp_path: Path) -> None:
    told = publish_data_card(Warehouse(tmp_path / "data"), [], NO_ALERTS)
    assert told.facts.n_episodes == 0
    for path in (told.html, told.markdown):
        assert "0 episodes and 0 windows of 0 hosts and 0 profiles" in path.read_text("utf-8")
    assert Page(told.html.read_text("utf-8")).tags.count("h2") >= 8
