"""History and index: a line for each change and no other, and a page over all splits."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cis490_pipeline.reporting.history import HISTORY, entry_of, read_history, remember
from cis490_pipeline.reporting.index_page import SplitLine, publish_index, render_index
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline_tests.datasets.smoke import CHEAP, SPLIT, copy_of, score, scored_warehouse
from cis490_pipeline_tests.evaluation.made_up import split_table
from cis490_pipeline_tests.reporting.made_up_reports import (
    GBT,
    TIME,
    Page,
    plain_report,
    report_of,
)

SETS = {"training_set_hash": "a" * 64, "test_set_hash": "b" * 64, "n_training_episodes": 30}


@pytest.fixture(scope="module")
def entry():
    return entry_of(plain_report(), **SETS)


def test_a_line_says_what_the_report_says(entry) -> None:
    report = plain_report()
    chosen = report.comparison.macro_f1_of(report.chosen)
    assert (entry.chosen.name, entry.chosen.family) == (report.chosen.label, report.chosen.family)
    assert (entry.chosen.point, entry.chosen.low) == (chosen.point, chosen.low)
    clock = report.comparison.macro_f1_of(TIME)
    assert entry.elapsed_time.point == clock.point
    assert (entry.n_episodes, entry.n_models) == (chosen.n_episodes, 5)


def test_equal_figures_are_remembered_once_and_a_return_is_a_change(entry, tmp_path: Path) -> None:
    later = replace(entry, when="2026-12-01T00:00:00+00:00")
    other = replace(entry, test_set_hash="c" * 64)
    assert remember(tmp_path, entry) is True
    assert remember(tmp_path, later) is False
    assert remember(tmp_path, other) is True
    assert remember(tmp_path, later) is True
    assert read_history(tmp_path) == (entry, other, later)


def test_a_line_that_cannot_be_read_is_kept_and_passed_over(entry, tmp_path: Path) -> None:
    remember(tmp_path, entry)
    path = tmp_path / HISTORY
    path.write_bytes(path.read_bytes() + b'{"version":1,"whe')
    other = replace(entry, n_episodes=99)
    assert remember(tmp_path, other) is True
    assert read_history(tmp_path) == (entry, other)
    assert b'{"version":1,"whe\n' in path.read_bytes()


def test_publishing_the_same_figures_again_adds_no_line(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in (22, 23)]
    publish_comparison(warehouse, SPLIT, lambda: days[0])
    report = publish_comparison(warehouse, SPLIT, lambda: days[1])
    (line,) = read_history(report.html.parent)
    assert line.when == days[0].isoformat(timespec="seconds")
    page = Page(report.index.read_text("utf-8"))
    assert page.row(SPLIT)[0][5] == str(line.n_episodes)
    assert report.headline in " ".join(page.texts)
    assert ("a", "href", f"{report.html.parent.name}/report.html") in page.attributes


def test_the_index_says_when_figures_are_of_earlier_data(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")
    path = publish_comparison(warehouse, SPLIT).index
    assert Page(path.read_text("utf-8")).row(SPLIT)[0][-1] == "current"
    for record in (warehouse.layout.split(SPLIT) / "evaluations").iterdir():
        record.unlink()
    publish_index(warehouse.layout)
    row = Page(path.read_text("utf-8")).row(SPLIT)[0]
    assert row[-1] == "of an earlier state of its data"
    score(warehouse, SPLIT, CHEAP[2])
    publish_index(warehouse.layout)
    assert Page(path.read_text("utf-8")).row(SPLIT)[0][-1] == "current"


def test_hostile_names_are_text_and_the_course_is_drawn(entry) -> None:
    name = '"><script>alert(1)</script>\u202e'
    score_of = replace(entry.chosen, name=name, family=name)
    moved = replace(entry, chosen=replace(score_of, point=None, low=None, high=None))
    split = SplitLine(
        split=name,
        link="x/report.html",
        headline=name,
        state="current",
        history=(entry, moved, replace(entry, chosen=score_of)),
    )
    html = render_index([split], [])
    page = Page(html)
    assert page.tags.count("script") == 1
    assert "\u202e" not in html
    assert html.count('r="5"') == 2, "untested has no point"
    assert html.count('class="course"') == html.count('class="band"') == 2, "no line over the gap"
    assert html.count('class="course control"') == 1
    assert [row[2] for row in page.rows if row[0] == entry.when][1] == "untested"


def test_without_a_report_the_index_says_so() -> None:
    text = " ".join(Page(render_index([], [])).texts)
    assert "No split has a report yet" in text


def test_no_baseline_is_untested_and_no_zero() -> None:
    alone = entry_of(report_of(split_table({GBT: (0.8, 0.6)}), [GBT]), **SETS)
    assert alone.elapsed_time is None
    line = SplitLine(
        split="host=x", link="x/report.html", headline="h", state="x", history=(alone,)
    )
    assert Page(render_index([line], [])).row("host=x")[0][3] == "untested"
