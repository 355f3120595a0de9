"""The section on intervals: every method beside the others, every gap with its reason."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

from dataclasses import replace

import pytest

from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.interval_section import HEAD, interval_markdown, interval_rows
from cis490_pipeline.reporting.markdown import render_markdown
from cis490_pipeline.reporting.report import Report
from cis490_pipeline_tests.evaluation.made_up import key_of, split_table
from cis490_pipeline_tests.reporting.made_up_reports import GBT, TIME, Page, plain_report, report_of


@pytest.fixture(scope="module")
def report() -> Report:
    return plain_report()


def _row(report: Report, name: str) -> dict[str, str]:
    (found,) = (row for row in interval_rows(report) if row.name == name)
    return dict(zip(HEAD[1:], found.cells, strict=True))


def test_each_model_and_each_difference_has_a_row(report: Report) -> None:
    names = [row.name for row in interval_rows(report)]
    assert len(names) == len(report.evaluations) + len(report.comparison.differences)
    assert "cnn/realistic minus gbt/realistic" in names


def test_a_row_shows_every_method_and_the_counts(report: Report) -> None:
    found = next(one.macro_f1 for one in report.comparison.models if one.key == GBT)
    row = _row(report, "gbt/realistic")
    assert row["episodes"] == f"{found.point:.2f} [{found.low:.2f}, {found.high:.2f}]"
    assert row["BCa"] == f"[{found.bca_low:.2f}, {found.bca_high:.2f}]"
    low, high = (found.point + sign * 1.96 * found.standard_error for sign in (-1, 1))
    assert row["sandwich"] == f"[{low:.2f}, {high:.2f}]"
    assert row["hosts / samples / episodes / windows"] == "1 / 5 / 24 / 384"
    assert row["hosts and episodes"] == "–"
    assert "not over hosts: test hosts: 1, at least 6 are needed" in row["remarks"]


def test_the_sandwich_ends_where_a_macro_f1_does(report: Report) -> None:
    first, *others = report.comparison.models
    wide = replace(first.macro_f1, point=0.04, standard_error=0.1)
    models = (replace(first, macro_f1=wide), *others)
    changed = replace(report, comparison=replace(report.comparison, models=models))
    assert _row(changed, report.name(first.key))["sandwich"] == "[0.00, 0.24]"


def test_what_is_missing_or_doubtful_is_said(report: Report) -> None:
    first, *others = report.comparison.models
    doubtful = replace(
        first.macro_f1,
        bca_low=None,
        bca_high=None,
        bca_fallback="the jackknife | cannot",
        disagreement="an end is 0.100 away",
        caution="few episodes",
        degenerate_share=0.125,
    )
    models = (replace(first, macro_f1=doubtful), *others)
    changed = replace(report, comparison=replace(report.comparison, models=models))
    row = _row(changed, report.name(first.key))
    assert row["degenerate draws"] == "12.5 %"
    assert row["BCa"] == "–"
    for text in ("no BCa: the jackknife", "disagree: an end is 0.100", "caution: few episodes"):
        assert text in row["remarks"]
    assert any("jackknife \\| cannot" in line for line in interval_markdown(changed))


def test_six_hosts_have_the_interval_over_hosts() -> None:
    hosts = tuple(f"lab-{letter}" for letter in "bcdefg")
    skills = {GBT: (0.8, 0.6), TIME: (0.4, 0.3)}
    found = report_of(split_table(skills, hosts=hosts, n_episodes=36), list(skills))
    row = _row(found, "gbt/realistic")
    assert row["hosts and episodes"].startswith("[0.")
    assert "not over hosts" not in row["remarks"]


def test_page_and_markdown_have_the_section(report: Report) -> None:
    page = Page(render_html(report))
    assert "Intervals" in page.texts
    assert [row for row in page.rows if row[0] == "cnn/realistic minus gbt/realistic"]
    assert "## Intervals" in render_markdown(report)


def test_seeds_are_named_by_their_number_and_rows_say_how_they_stand_to_the_clock() -> None:
    seeds = {key_of("cnn", seed=seed): (0.5, 0.05) for seed in (0, 1)}
    skills = {GBT: (0.8, 0.8), **seeds, TIME: (0.4, 0.6)}
    text = render_markdown(report_of(split_table(skills), list(skills))).replace("\\", "")
    assert "| cnn/realistic, 2 seeds | elapsed_time |" in text
    assert "| cnn/realistic seed 1 | deep, worse than elapsed_time |" in text
    assert "| gbt/realistic | simple, recommended |" in text
