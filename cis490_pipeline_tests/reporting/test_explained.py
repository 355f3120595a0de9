"""What the models look at: the heat map, the section of the page, and Markdown."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from cis490_pipeline.explain.agreement import Agreements
from cis490_pipeline.reporting.explained import explained_section, ordered
from cis490_pipeline.reporting.heat_map import heat_map, heat_map_file
from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.markdown import render_markdown
from cis490_pipeline.reporting.report import Report
from cis490_pipeline_tests.reporting.made_up_explanations import NAMES, explanation, pair
from cis490_pipeline_tests.reporting.made_up_reports import Page, plain_report

HOSTILE = '<script>alert("x")</script>&\u202e|`'


@pytest.fixture(scope="module")
def plain() -> Report:
    return plain_report()


def cells_of(svg: str) -> list[str]:
    """Return the numbers in the cells, row by row."""
    return re.findall(r'class="count [a-z]+"[^>]*>([^<]+)<', svg)


def test_a_heat_map_has_a_number_for_each_tested_cell_strongest_channel_first() -> None:
    svg = heat_map(explanation(), caption="x")
    assert cells_of(svg)[:4] == ["1.10", "2.00", "1.30", "1.40"]
    assert len(cells_of(svg)) == 3 * 4
    assert svg.index("guest_forks") < svg.index("guest_load1") < svg.index("netflow_tcp_rst")
    assert 'fill-opacity="1.000"' in svg
    assert svg.count('fill-opacity="0.000"') == 4


def test_an_untested_phase_is_hatched_and_says_so() -> None:
    svg = heat_map(explanation(), caption="x")
    assert svg.count('class="hatched"') == 1
    assert svg.count(">untested<") == 1
    whole = tuple(tuple(value or 0.0 for value in row) for row in explanation().cells)
    tested = heat_map(explanation(cells=whole, n_windows=(40,) * 5), caption="x")
    assert "hatched" not in tested
    assert "untested" not in tested
    assert len(cells_of(tested)) == 15, "a tested phase without any attribution is 0"


def test_the_file_stands_alone_and_follows_the_viewer() -> None:
    root = ET.fromstring(heat_map_file(explanation(), caption="lab & co"))
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.find(f"{space}title").text == "lab & co"
    assert "prefers-color-scheme:dark" in "".join(root.find(f"{space}style").text.split())
    assert root.find(f"{space}defs/{space}pattern").attrib["id"] == "hatch"
    texts = {one.text for one in root.iter(f"{space}text")}
    assert {"guest_forks", "clean", "untested", "2.00"} <= texts


def test_nothing_at_all_to_show_is_no_division_by_zero() -> None:
    nothing = explanation(cells=((0.0,) * 5,) * 3, n_windows=(9,) * 5)
    assert set(cells_of(heat_map(nothing, caption="x"))) == {"0.00"}
    untested = explanation(cells=((None,) * 5,) * 3, n_windows=(0,) * 5)
    assert heat_map(untested, caption="x").count('class="hatched"') == 5


def test_hostile_names_are_harmless_in_figure_file_page_and_markdown(plain: Report) -> None:
    one = explanation(
        channels=(HOSTILE, "guest_forks", "netflow_tcp_rst"),
        with_test_hosts=Agreements(pairs=(pair("id_val", HOSTILE),), reason=""),
        between_training_hosts=Agreements(pairs=(), reason=HOSTILE),
        warnings=(HOSTILE,),
    )
    assert "<script" not in heat_map(one, caption=HOSTILE)
    assert "\u202e" not in heat_map(one, caption=HOSTILE)
    assert ET.fromstring(heat_map_file(one, caption=HOSTILE)) is not None
    report = replace(plain, explanations=(one,))
    page = render_html(report)
    assert Page(page).tags.count("script") == 1, "the one of the page"
    assert "\u202e" not in page
    markdown = render_markdown(report)
    assert "<script" not in markdown
    assert "\u202e" not in markdown


def test_the_page_shows_map_agreements_warnings_and_how_it_was_computed(plain: Report) -> None:
    page = Page(render_html(replace(plain, explanations=(explanation(),))))
    text = " ".join(page.texts)
    assert "this is a made-up warning" in text
    assert "integrated gradients" in text
    assert ("svg", "class", "heatmap") in page.attributes
    (tested,) = page.row("id_val and lab-b")
    assert tested[1:] == ["+0.91"] * 6
    (control,) = page.row("id_val and permuted labels")
    assert control[1:] == ["+0.12"] * 6
    (alone,) = page.row("two training hosts")
    assert alone[1] == "untested: id_val comes from one host: lab-a"
    (slope,) = page.row("slope")
    assert slope[1:3] == ["25 %", "untested"]
    assert page.row("explained windows")[0][1:6] == ["40", "0", "23", "40", "40"]


def test_a_correlation_that_means_nothing_is_untested_with_its_reason(plain: Report) -> None:
    one = explanation(with_control=pair("id_val", "permuted labels", None))
    page = Page(render_html(replace(plain, explanations=(one,))))
    (control,) = page.row("id_val and permuted labels")
    assert control[1:] == ["untested"] * 6
    assert ("td", "title", "2 windows of it, at least 5 needed") in page.attributes


def test_the_chosen_model_comes_first_and_open(plain: Report) -> None:
    best = plain.comparison.recommended or plain.comparison.best_learned
    others = [name for name in ("gbt", "cnn") if name != best.family]
    several = (*(explanation(name) for name in others), explanation(best.family, mode=best.mode))
    report = replace(plain, explanations=several)
    names = [name for name, _ in ordered(report)]
    assert names[0] == report.name(best)
    assert len(names) == len(several)
    section = explained_section(report)
    assert section.count('<details class="more">') == len(several) - 1


def test_a_model_that_was_not_scored_is_shown_all_the_same(plain: Report) -> None:
    report = replace(plain, explanations=(explanation("bert"),))
    assert [name for name, _ in ordered(report)] == ["bert/realistic"]


def test_without_explanations_the_page_says_what_to_run(plain: Report) -> None:
    assert "cis490 explain" in " ".join(Page(render_html(plain)).texts)
    assert "No model of this split has been explained" in render_markdown(plain)


def test_markdown_names_the_strongest_channels_of_each_phase(plain: Report) -> None:
    text = render_markdown(replace(plain, explanations=(explanation(),)))
    section = text.split("## What the models look at")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| strongest")]
    assert len(rows[0]) == 1 + len(NAMES)
    assert rows[0][1].startswith("guest\\_forks 1.10, guest\\_load1 0.10")
    assert rows[0][2] == "untested"
    assert "made-up warning" in section
