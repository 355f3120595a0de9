"""What stands wherever p-values stand: readings of the test set, tests that could show nothing."""

import json
from dataclasses import replace

import pytest

from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.markdown import render_markdown
from cis490_pipeline.reporting.p_notes import p_notes, readings_note
from cis490_pipeline.reporting.published import COMPARISON, published_comparison, published_json
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.text import p_value
from cis490_pipeline_tests.evaluation.made_up import split_table
from cis490_pipeline_tests.reporting.made_up_reports import LEDGER, SKILLS, Page, report_of


def made(*, n_readings: int = 15, n_episodes: int = 24) -> Report:
    table = split_table(SKILLS, n_episodes=n_episodes)
    return report_of(table, list(SKILLS), ledger=LEDGER[:n_readings])


@pytest.fixture(scope="module")
def many() -> Report:
    return made()


@pytest.fixture(scope="module")
def few() -> Report:
    return made(n_episodes=5)


def test_the_number_of_readings_stands_beside_the_p_values(many: Report) -> None:
    sentence = (
        "This is reading 15 of the same test set: Holm corrects for the tests of one report, "
        "and no p is corrected for the earlier readings."
    )
    assert p_notes(many) == (sentence,)
    figures = json.loads(published_json(COMPARISON, published_comparison(many)))
    assert (figures["n_readings"], figures["p_notes"]) == (15, [sentence])
    html, text = render_html(many), render_markdown(many)
    assert sentence in Page(html).texts
    for page, start, end in (
        (html, ">Paired differences</h2>", ">Intervals</h2>"),
        (text, "## Paired differences", "## Intervals"),
    ):
        section = page[page.index(start) : page.index(end)]
        assert "This is reading 15 of the same test set" in section


def test_one_reading_and_none_are_said_too(many: Report) -> None:
    assert readings_note(0).startswith("No reading of this test set is recorded")
    once = replace(many, ledger=LEDGER[:1])
    assert p_notes(once) == (readings_note(1),)
    assert "## Readings of this test set\n\nThis test set was read once" in render_markdown(once)


def test_tests_that_could_show_nothing_are_named_with_the_least_p(few: Report) -> None:
    (_, *notes) = p_notes(few)
    undecidable = [one for one in few.comparison.differences if one.undecidable]
    assert undecidable
    text = " ".join(notes)
    for one in undecidable:
        assert f"p after Holm is at least {p_value(one.least_p_holm)}, however large" in text
    assert "undecided says nothing here" in text
    assert all(note in Page(render_html(few)).texts for note in notes)
    assert notes[0].split(":")[0].split(",")[0] in render_markdown(few).replace("\\", "")


def test_where_every_test_could_have_shown_something_nothing_is_said(many: Report) -> None:
    assert not any(one.undecidable for one in many.comparison.differences)
    assert len(p_notes(many)) == 1
