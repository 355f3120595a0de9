"""The card as a page: what the Markdown card says, the curves, and hostile names as text."""

import dataclasses

import pytest

from cis490_pipeline.reporting.card_page import Around, card_page
from cis490_pipeline.reporting.cards import card_sections
from cis490_pipeline_tests.reporting.made_up_reports import Page
from cis490_pipeline_tests.reporting.test_cards import FACTS
from cis490_pipeline_tests.reporting.test_html import HOSTILE
from cis490_pipeline_tests.reporting.test_measures import GBT, report_of

LINKS = Around(links=(("split", "../report.html"), ("data card", "../../data_card/data_card.html")))


@pytest.fixture(scope="module")
def evaluation():
    return report_of().evaluation(GBT)


def test_the_page_says_all_that_the_markdown_card_says(evaluation) -> None:
    page = Page(card_page(FACTS, evaluation, LINKS))
    texts = " ".join(page.texts)
    rows = [[cell.strip() for cell in row] for row in page.rows]
    for section in card_sections(FACTS, evaluation):
        assert section.title in page.texts
        assert all(paragraph in texts for paragraph in section.paragraphs)
        assert all(list(row) in rows for row in section.rows)
    assert f"{evaluation.macro_f1.point:.2f}" in page.texts
    assert " lab-b" in page.texts, "any host but lab-b is untested"
    hrefs = {value for _, name, value in page.attributes if name == "href"}
    assert {"../report.html", "../../data_card/data_card.html"} <= hrefs


def test_the_page_draws_the_bundle_s_curves(evaluation) -> None:
    html = card_page(FACTS, evaluation, LINKS)
    assert html.count('class="curve"') == 3
    assert html.count('class="confusion"') == 1


def test_a_bundle_without_a_test_set_shows_no_score_and_no_figure() -> None:
    html = card_page(FACTS, None, Around())
    page = Page(html)
    assert "Untested." in page.texts
    assert "Everything" in page.texts
    assert not {'class="curve"', 'class="forest"'} & set(html.split())
    assert "Kaplan" not in html


def test_hostile_names_are_text_on_a_card() -> None:
    hostile = report_of(profiles=(*HOSTILE, "io-walk"), hosts=HOSTILE[:2])
    facts = dataclasses.replace(
        FACTS,
        claim=HOSTILE[1],
        split=HOSTILE[4],
        labels=(HOSTILE[0], "b\u202ea"),
        statuses=(HOSTILE[3],),
        hyper_parameters=((HOSTILE[0], HOSTILE[2]),),
    )
    html = card_page(facts, hostile.evaluation(GBT), LINKS)
    page = Page(html)
    assert not {"img", "iframe"} & set(page.tags)
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert not [one for one in page.attributes if one[1].startswith("on")]
    assert "\u202e" not in html
    text = "".join(page.texts)
    for name in (HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[4]):
        assert name in text
