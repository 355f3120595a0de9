"""What is published: one headline in three forms, real counts, and hostile names made harmless."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.explain.on_split import explain_model, explainable_models
from cis490_pipeline.explain.result import ExplainOptions
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.quality.alerts import AlertsReading, parse_alerts
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline.reporting.publish_cards import publish_model_cards
from cis490_pipeline.reporting.publish_data import publish_data_card
from cis490_pipeline.reporting.text import html_text, markdown_text
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.farm import FIRST, ingest, ship
from cis490_pipeline_tests.datasets.smoke import (
    CHEAP,
    SPLIT,
    copy_of,
    fit,
    plan,
    score,
    scored_warehouse,
    smoke_warehouse,
)
from cis490_pipeline_tests.reporting.made_up_reports import Page


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    return copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")


def noon() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)


def unescaped(markdown: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown)


def test_one_headline_in_the_page_the_markdown_and_the_json(mine: Warehouse) -> None:
    report = publish_comparison(mine, SPLIT, noon)
    assert report.headline.startswith("trained on lab-a, tested on lab-b: conditional on one host")
    assert "scan-and-dial untested" in report.headline
    assert report.headline in " ".join(Page(report.html.read_text("utf-8")).texts)
    assert report.headline in unescaped(report.markdown.read_text("utf-8"))
    assert (report.html.parent / "headline.txt").read_text("utf-8").strip() == report.headline
    found = json.loads(report.json.read_text("utf-8"))
    best = found["best_learned"]
    score_of = {m["key"]["family"]: m["macro_f1"] for m in found["models"]}
    for family in (best["family"], "elapsed_time"):
        interval = score_of[family]
        text = f"{interval['point']:.2f} [{interval['low']:.2f}, {interval['high']:.2f}]"
        assert text in report.headline
    assert report.table_markdown in report.markdown.read_text("utf-8")


def test_the_page_says_when_it_was_made_and_who_looked_at_the_test_set(mine: Warehouse) -> None:
    page = Page(publish_comparison(mine, SPLIT, noon).html.read_text("utf-8"))
    assert "2026-11-22T12:00:00+00:00" in " ".join(page.texts)
    bundles = {row["bundle"] for row in mine.tables.read(Table.TEST_LEDGER).to_pylist()}
    cells = {cell.strip() for row in page.rows for cell in row}
    assert {bundle[:12] for bundle in bundles} <= cells


def test_publishing_again_changes_no_figure(mine: Warehouse) -> None:
    first = publish_comparison(mine, SPLIT, noon)
    pages = [path.read_bytes() for path in (first.html, first.markdown, first.json)]
    second = publish_comparison(mine, SPLIT, noon)
    assert second == first
    assert [path.read_bytes() for path in (second.html, second.markdown, second.json)] == pages
    assert publish_comparison(mine, SPLIT).content_hash == first.content_hash


def test_a_split_that_was_never_scored_is_an_error_that_says_what_to_run(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data")
    plan(warehouse, SPLIT)
    with pytest.raises(WarehouseError, match="nothing was scored") as caught:
        publish_comparison(warehouse, SPLIT)
    assert "cis490 evaluate" in caught.value.todo
    assert not warehouse.layout.report(SPLIT).exists()


def test_a_card_quotes_the_header_of_its_bundle(mine: Warehouse) -> None:
    cards = publish_model_cards(mine, SPLIT)
    assert [path.name for path in cards.paths] == [
        "elapsed_time.any.none.0.md",
        "gbt.realistic.none.0.md",
        "majority.any.none.0.md",
    ]
    text = unescaped(cards.paths[1].read_text("utf-8"))
    record = json.loads(cards.paths[1].with_suffix(".json").read_text("utf-8"))
    _, header = read_header(mine.layout.models / record["fitted"]["bundle"])
    assert f"| hash of the training episodes | {header.training_ids_hash} |" in text
    assert header.training_ids_hash == load_training_set(mine.layout, SPLIT).training_ids_hash
    assert "| rounds | 3 |" in text
    rule = header.alarm
    assert f"| alarm | 2 of 3 windows above {rule.threshold:.3f}; budget 5 % of the id_val" in text
    assert "unseen host lab-b (trained on lab-a)" in text
    assert "| scan-and-dial | untested | untested | untested | 0 |" in text
    assert publish_model_cards(mine, SPLIT).content_hash == cards.content_hash


def test_a_report_links_the_cards_that_stand_and_are_of_its_bundles(mine: Warehouse) -> None:
    bare = publish_comparison(mine, SPLIT, noon).html.read_text("utf-8")
    assert "model_cards/" not in bare, "no card stands yet"
    cards = publish_model_cards(mine, SPLIT)
    report = publish_comparison(mine, SPLIT, noon)
    page = Page(report.html.read_text("utf-8"))
    links = {v for _, name, v in page.attributes if name == "href" and "model_cards" in v}
    assert links == {f"model_cards/{path.stem}.html" for path in cards.paths}
    for link in links:
        card = Page((report.html.parent / link).read_text("utf-8"))
        assert ("a", "href", "../report.html") in card.attributes
    stale = cards.paths[1].with_suffix(".json")
    bundle = json.loads(stale.read_bytes())["fitted"]["bundle"]
    stale.write_bytes(stale.read_bytes().replace(bundle.encode(), b"0" * 64))
    other = publish_comparison(mine, SPLIT, noon).html.read_text("utf-8")
    assert other.count('href="model_cards/') == len(links) - 1, "a card of another bundle"


def test_a_score_that_is_the_best_of_a_search_is_marked(mine: Warehouse) -> None:
    options = replace(CHEAP[2], context=Context.RECENT, search=True)
    header = read_header(mine.layout.models / fit(mine, SPLIT, options))[1]
    score(mine, SPLIT, options)
    report = publish_comparison(mine, SPLIT, noon)
    n_tried = len(header.search)
    assert n_tried > 1
    found = json.loads(report.json.read_text("utf-8"))["models"]
    tried = {(m["key"]["family"], m["key"]["context"]): m["n_tried"] for m in found}
    assert tried["gbt", "recent"] == n_tried
    assert tried["gbt", "none"] == tried["majority", "none"] == 1
    markdown = unescaped(report.markdown.read_text("utf-8"))
    assert markdown.count(f"(best of {n_tried})") == 1
    texts = Page(report.html.read_text("utf-8")).texts
    assert texts.count(f"best of {n_tried}") == 1


def test_deploy_claims_nothing_and_quotes_the_splits_that_were_tested(mine: Warehouse) -> None:
    plan(mine, "deploy")
    fit(mine, "deploy", CHEAP[1])
    score(mine, "deploy", CHEAP[1])
    alone = publish_comparison(mine, "deploy", noon)
    assert "None yet." in alone.markdown.read_text("utf-8")
    tested = publish_comparison(mine, SPLIT, noon)
    report = publish_comparison(mine, "deploy", noon)
    assert "no test set, no score of its own" in report.headline
    texts = " ".join(Page(report.html.read_text("utf-8")).texts)
    markdown = unescaped(report.markdown.read_text("utf-8"))
    for text in (texts, markdown):
        assert report.headline in text
        assert tested.headline in text
        assert SPLIT in text
    assert "How this was computed" in texts
    found = json.loads(report.json.read_text("utf-8"))
    assert found["headline"] == report.headline
    assert found["quoted"] == {SPLIT: tested.headline}
    assert report.content_hash != alone.content_hash
    (card,) = publish_model_cards(mine, "deploy").paths
    assert "no score is claimed" in card.read_text("utf-8")


def test_deploy_shows_what_its_models_look_at(mine: Warehouse) -> None:
    plan(mine, "deploy")
    transductive = replace(CHEAP[2], context=Context.TRANSDUCTIVE)
    for options in (CHEAP[1], CHEAP[2], transductive):
        fit(mine, "deploy", options)
    for options in CHEAP[1:]:
        score(mine, "deploy", options)
    before = publish_comparison(mine, "deploy", noon)
    assert "No model of this split has been explained" in before.html.read_text("utf-8")
    assert "No model of this split has been explained" in before.markdown.read_text("utf-8")
    few = ExplainOptions(windows_per_phase=4)
    for fitted in explainable_models(mine.layout, "deploy"):
        explain_model(mine, fitted, few, ScoringContext(why="test"))
    report = publish_comparison(mine, "deploy", noon)
    html, markdown = report.html.read_text("utf-8"), unescaped(report.markdown.read_text("utf-8"))
    assert html.count("<svg") == 1 + 2, "the pattern of hatches, and a heat map for each model"
    explained = json.loads(report.json.read_text("utf-8"))["explanations"]
    assert {one["context"] for one in explained} == {"none", "transductive"}
    for name in ("gbt/realistic", "gbt/realistic/transductive"):
        assert f"### {name}\n" in markdown
        assert name in " ".join(Page(html).texts)
    assert "untested: the split has no test set" in html
    assert "Not to ship – transductive: uses all of the test host's" in markdown
    assert "Not to ship – transductive: uses all of the test host" in html
    assert report.content_hash != before.content_hash


SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>|`x`"
LINK = "[x](javascript:alert(3))\n# head\u202e"
SAMPLE = '"><svg onload=alert(4)>'


def files_of(warehouse: Warehouse, pattern: str) -> list[str]:
    found = [path.read_text("utf-8") for path in (warehouse.root / "reports").rglob(pattern)]
    assert found
    return found


def hostile_warehouse(root: Path) -> Warehouse:
    """Two hosts whose profiles and samples are markup; ``LINK`` is never run on the second."""
    profiles = {"lab-a": (SCRIPT, IMAGE, LINK), "b__x__.y": (SCRIPT, IMAGE, "benign")}
    for host, first in zip(profiles, FIRST.values(), strict=True):
        for n in range(12):
            name = f"{SAMPLE}{first + n}"
            ship(root / "store", host, first + n, profiles[host][n % 3], sample_name=name)
    return ingest(root / "store", root / "data", *profiles)


def test_names_that_are_markup_come_out_as_text(tmp_path: Path) -> None:
    warehouse = hostile_warehouse(tmp_path)
    split = "host=b__x__.y"
    plan(warehouse, split)
    for options in CHEAP[:2]:
        fit(warehouse, split, options)
        score(warehouse, split, options)
    card = publish_data_card(warehouse, [(SCRIPT, 1)], hostile_alerts())
    check_page(card.html.read_text("utf-8"))
    cards = publish_model_cards(warehouse, split)
    report = publish_comparison(warehouse, split)
    for path in cards.paths:
        check_page(path.with_suffix(".html").read_text("utf-8"))
    plan(warehouse, "deploy")
    fit(warehouse, "deploy", CHEAP[0])
    score(warehouse, "deploy", CHEAP[0])
    deploy = publish_comparison(warehouse, "deploy")
    for one in (report, deploy):
        check_page(one.html.read_text("utf-8"))
    assert LINK.splitlines()[0] in report.headline, "it is the untested profile"
    assert report.html.read_text("utf-8").count(str(html_text(SCRIPT))) >= 1
    for text in files_of(warehouse, "*.md"):
        check_markdown(text)
    assert markdown_text("b__x__.y") in report.markdown.read_text("utf-8")


def hostile_alerts() -> AlertsReading:
    line = dict.fromkeys(("host", "symptom", "detail", "detected_at_wall", "dedup_key"), LINK)
    return parse_alerts(json.dumps({**line, "suggested_fix": SCRIPT}).encode())


def check_page(html: str) -> None:
    page = Page(html)
    assert not {"img", "iframe"} & set(page.tags)
    assert page.tags.count("script") <= 1, "the one of the page"
    links = {value for _, name, value in page.attributes if name == "href"}
    known = r"#[a-z0-9-]+|(\.\./){1,2}[a-z_/]+\.html|model_cards/[a-z_.0-9]+\.html"
    assert all(re.fullmatch(known, link) for link in links)
    assert not [one for one in page.attributes if one[1].startswith("on")]
    assert not [one for one in page.attributes if "javascript:" in one[2]]
    assert str(html_text(LINK)) in html
    assert "\u202e" not in html


def check_markdown(text: str) -> None:
    assert not re.search(r"<(script|img|svg)", text)
    assert not re.search(r"(?<!\\)\]\(", text), "no link"
    assert "\u202e" not in text
    assert "\n# head" not in text
    for line in text.splitlines():
        if line.startswith("|") and ("alert" in line):
            assert not re.search(r"(?<!\\)`", line)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, "a name broke a table"
