"""Tables of abstaining: the figures of the evaluation, and a reason for every null."""

import pyarrow as pa
import pyarrow.compute as pc

from cis490_pipeline.evaluation.comparison import compare
from cis490_pipeline.evaluation.predictions import ID_VAL, TEST
from cis490_pipeline.evaluation.scores import score_model
from cis490_pipeline.reporting.figure_cells import figure
from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.markdown import render_markdown
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.selective_tables import selective_tables
from cis490_pipeline_tests.evaluation.made_up import FAST, key_of, rows, scope_of
from cis490_pipeline_tests.reporting.made_up_reports import Page

GBT = key_of("gbt")


def _report(*, n_id_val=12, only=None):
    test = rows(GBT, skill=0.9, role=TEST)
    test = test if only is None else test.filter(only)
    id_val = rows(GBT, skill=0.9, role=ID_VAL, n_episodes=n_id_val, hosts=("lab-a",))
    one = score_model(test, key=GBT, scope=scope_of(), config=FAST, id_val=id_val)
    return Report(
        comparison=compare([one], pa.concat_tables([test, id_val]), config=FAST),
        evaluations=(one,),
        ledger=(),
        made_at="",
        code_commit="",
    )


def _table(report, title):
    return next(one for one in selective_tables(report) if one.title.startswith(title))


def test_a_level_shows_the_figures_that_were_evaluated_and_whom_it_is_calibrated_on():
    report = _report()
    table = _table(report, "Conformal rejection at alpha 0.1")
    level = report.evaluations[0].selective.rejection.levels[1]
    ((_, _, cells),) = table.rows
    assert cells[0].text == figure(level.coverage.point)
    assert cells[2].text == figure(level.abstained.point)
    assert "12 id_val episodes (lab-a)" in table.lead
    assert "Exchangeability does not hold on an unseen host" in table.lead
    assert "measured, not guaranteed" in table.lead


def test_a_level_that_is_refused_says_why_and_shows_no_number():
    table = _table(_report(), "Conformal rejection at alpha 0.05")
    ((_, _, cells),) = table.rows
    assert {cell.text for cell in cells} == {"none"}
    assert table.remarks == ("id_val has 12 episodes: alpha 0.05 takes at least 20",)


def test_a_phase_without_windows_is_none_with_the_reason_in_its_column():
    table = _table(_report(only=pc.field("phase") != 1), "Coverage at alpha 0.1")
    assert table.head == ("clean", "armed", "infecting", "infected_running", "dormant", "lab-b")
    ((_, _, cells),) = table.rows
    assert [cell.text == "none" for cell in cells] == [False, True, False, False, False, False]
    assert "no window of armed in the test set" in table.remarks


def test_page_and_markdown_have_the_curve_and_say_that_drift_was_not_measured():
    report = _report()
    aurc = figure(report.evaluations[0].selective.risk_coverage.aurc.point)
    for text in (" ".join(Page(render_html(report)).texts), render_markdown(report)):
        assert aurc in text
        assert "Drift was not measured" in text


def test_without_id_val_every_level_is_none_and_no_slice_is_shown():
    titles = [one.title for one in selective_tables(_report(n_id_val=3))]
    assert titles == [
        "Conformal rejection at alpha 0.2",
        "Conformal rejection at alpha 0.1",
        "Conformal rejection at alpha 0.05",
        "Risk over coverage",
    ]
