"""The sections beside macro F1: the same figures in page and Markdown, a reason for every null."""

import json
from dataclasses import replace

import pyarrow.compute as pc
import pytest

from cis490_pipeline.evaluation.comparison import compare
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.replicates import RULE_OF_THREE
from cis490_pipeline.evaluation.scores import score_model
from cis490_pipeline.reporting.alarm_lines import alarm_rows, alarm_sentence
from cis490_pipeline.reporting.figure_cells import interval_cell
from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.markdown import render_markdown
from cis490_pipeline.reporting.measures import measures_tables
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline.reporting.report import Report
from cis490_pipeline_tests.datasets.smoke import SPLIT, copy_of, scored_warehouse
from cis490_pipeline_tests.evaluation.made_up import (
    FAST,
    basis_of,
    key_of,
    scope_of,
    split_table,
)
from cis490_pipeline_tests.reporting.made_up_reports import Page

GBT, CNN = key_of("gbt"), key_of("cnn")
TITLES = (
    "Detection",
    "Time to detect",
    "False alarms",
    "Where infections are rare",
    "Ranking of windows",
    "Calibration",
    "Label purity",
    "Worst groups",
    "Conformal rejection at alpha 0.2",
    "Conformal rejection at alpha 0.1",
    "Conformal rejection at alpha 0.05",
    "Risk over coverage",
)


def report_of(*, thresholds=(0.5, None), **options):
    table = split_table({GBT: (0.8, 0.8), CNN: (0.7, 0.6)}, **options)
    evaluations = []
    for key, threshold in zip((GBT, CNN), thresholds, strict=True):
        mine = table.filter((pc.field("bundle") == f"{key.label}-0") & (pc.field("role") == "test"))
        basis = basis_of(mine, threshold=threshold)
        evaluations.append(score_model(mine, key=key, scope=scope_of(), config=FAST, basis=basis))
    return Report(
        comparison=compare(evaluations, table, config=FAST),
        evaluations=tuple(evaluations),
        ledger=(),
        made_at="",
        code_commit="",
    )


@pytest.fixture(scope="module")
def report():
    return report_of()


@pytest.fixture(scope="module")
def page(report):
    return Page(render_html(report))


def table_of(report, title):
    return next(one for one in measures_tables(report) if one.title == title)


def test_every_section_is_in_the_page_and_in_markdown(report, page):
    markdown = render_markdown(report)
    for title in TITLES:
        assert title in page.texts
        assert f"## {title}\n" in markdown
    assert [one.title for one in measures_tables(report)] == list(TITLES)


def test_page_and_markdown_have_the_same_cells(report, page):
    markdown = render_markdown(report).replace("\\", "")
    for table in measures_tables(report):
        for name, _, cells in table.rows:
            assert f"| {name} | {' | '.join(cell.whole for cell in cells)} |" in markdown
            wanted = [cell.whole.replace(" ", "") for cell in cells]
            rows = [[cell.replace(" ", "") for cell in row[1:]] for row in page.row(name)]
            assert wanted in rows


def test_detection_quotes_the_evaluation(report):
    found = report.evaluation(GBT).measures.detection.found
    (name, _, cells), _ = table_of(report, "Detection").rows
    assert name == "gbt/realistic"
    assert cells[0].text == "0.500"
    assert cells[1].text == "1 of 20"
    assert cells[2].of == f"{found.n_detected} of {found.n_infected}"
    assert cells[4].of == f"up to {found.horizon_s:g} s"


def test_a_model_without_an_alarm_has_no_figures_and_the_reason_stands_below(report, page):
    for title in TITLES[:4]:
        table = table_of(report, title)
        gbt, cnn = (cells for _, _, cells in table.rows)
        assert len(cnn) == len(gbt) == len(table.head) > 0
        assert {cell.text for cell in cnn} == {"none"}
        assert "the bundle has no alarm: id_val is empty" in table.remarks
    assert "the bundle has no alarm: id_val is empty" in page.texts


def test_a_figure_that_the_data_cannot_carry_says_what_it_needs(report, page):
    ranking = table_of(report, "Ranking of windows")
    assert ranking.rows[0][2][3].text == "none"
    assert any("needs 10000" in remark for remark in ranking.remarks)
    assert any("needs 10000" in text for text in page.texts)


def interval(**changes):
    made = Interval(
        point=0.0, low=0.0, high=0.05, level=0.95, n_hosts=1, n_samples=1, n_episodes=60,
        n_windows=600, condition="conditional on host lab-b",
    )  # fmt: skip
    return replace(made, **changes)


def test_a_bound_is_marked_and_explained():
    cell = interval_cell(interval(method=RULE_OF_THREE, caution="few hours"), of="0 of 60")
    assert cell.whole == "0 [0, 0.05]† 0 of 60"
    assert cell.remarks == (f"† {RULE_OF_THREE}", "few hours")


def test_an_end_beyond_what_was_watched_is_a_question_mark():
    cell = interval_cell(interval(point=14.0, low=9.5, high=None, reason="beyond"))
    assert cell.whole == "14.0 [9.50, ?]"
    assert cell.remarks == ("beyond",)


def test_names_from_the_data_are_text(report):
    hostile = report_of(profiles=("<b>x</b>|", "io-walk"))
    assert any("<b>x</b>|" in cell.of for _, _, (_, cell) in table_of(hostile, "Worst groups").rows)
    html = render_html(hostile)
    assert "<b>x</b>" not in html
    assert "<b>x" not in render_markdown(hostile)
    assert Page(html).tags.count("b") == Page(render_html(report)).tags.count("b")


def test_a_card_says_what_the_alarm_does_or_why_nothing_is_said(report):
    detection = report.evaluation(GBT).measures.detection
    told = alarm_sentence(detection)
    assert "the 2. positive window within 3; the threshold 0.500 was fixed on id_val" in told
    names = [name for name, _, _ in alarm_rows(detection)]
    assert names[0] == "infections detected"
    assert "precision where 0.001 of the time is infected" in names
    silent = report.evaluation(CNN).measures.detection
    assert "id_val is empty" in alarm_sentence(silent)
    assert alarm_rows(silent) == ()


def test_the_published_json_has_every_models_measures(tmp_path_factory, tmp_path):
    warehouse = copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")
    written = json.loads(publish_comparison(warehouse, SPLIT).json.read_bytes())
    found = {one["key"]["family"]: one["measures"] for one in written["measures"]}
    assert set(found) == {one["key"]["family"] for one in written["models"]}
    gbt = found["gbt"]
    assert gbt["detection"]["alarm"]["policy"] == {"k": 2, "n": 3, "budget": 0.05}
    assert gbt["detection"]["found"]["n_infected"] > 10
    assert gbt["detection"]["false_alarms"]["controls"]["n_episodes"] > 0
    assert len(gbt["purities"]) == 3
    assert (
        sum(one["n_windows"] for one in gbt["purities"]) == gbt["calibration"]["brier"]["n_windows"]
    )
    assert [one["fpr"] for one in gbt["ranking"]["at_fpr"]] == [0.1, 0.01, 0.001]
    assert gbt["ranking"]["at_fpr"][2]["tpr"]["reason"]
