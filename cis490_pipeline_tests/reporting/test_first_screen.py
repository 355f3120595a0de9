"""The first screen and the verdicts of the split's hosts: what a newcomer reads, from facts."""

from dataclasses import replace
from pathlib import Path

import pytest

from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.evaluation.on_split import scope_of as scope_of_set
from cis490_pipeline.reporting.first_screen import first_screen
from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.split_quality import (
    quality_html,
    quality_markdown,
    split_quality,
)
from cis490_pipeline.reporting.text import scored
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.record import rows_from_table
from cis490_pipeline_tests.datasets.smoke import SPLIT, scored_warehouse
from cis490_pipeline_tests.evaluation.made_up import key_of, scope_of, split_table
from cis490_pipeline_tests.reporting.made_up_reports import (
    GBT,
    TIME,
    Page,
    plain_report,
    report_of,
)


@pytest.fixture(scope="module")
def report():
    return plain_report()


def test_the_claim_is_about_the_model_that_id_val_chose(report) -> None:
    first = first_screen(report)
    key = report.comparison.recommended
    assert key is not None
    assert (first.trained, first.tested) == ("lab-a", "lab-b")
    assert first.chosen is not None
    assert first.chosen.name == report.configured(key)
    assert first.chosen.macro_f1 == report.comparison.macro_f1_of(key)
    assert first.profiles == "4 of 5 profiles"
    assert first.n_phases == 4, "armed has no window"


def test_what_was_not_tested_names_hosts_profiles_and_phases(report) -> None:
    gaps = dict(first_screen(report).gaps)
    assert gaps["Any host but"] == " lab-b"
    assert gaps["scan-and-dial"] == ": a profile without an episode in the test set"
    assert gaps["armed"] == ": no window of it in the test set"
    assert "clean" not in gaps


def test_a_split_over_the_same_hosts_says_that_it_is_not_cross_device() -> None:
    table = split_table({GBT: (0.8, 0.6), TIME: (0.4, 0.3)})
    shared = report_of(table, [GBT, TIME], train_hosts=("lab-a", "lab-b"))
    gaps = dict(first_screen(shared).gaps)
    assert gaps["Another device"] == ": lab-b trained and tested, not cross-device"
    assert "Any host but" not in gaps


def test_how_sure_it_is_quotes_the_clock_the_episodes_and_the_readings(report) -> None:
    told = first_screen(report).sureness
    own = next(
        one
        for one in report.comparison.differences
        if one.second.family == "elapsed_time" and one.first == report.chosen
    )
    assert told[0].startswith("Better than elapsed_time")
    assert scored(own.difference, signed=True) in told[0]
    assert any("24 episodes of 5 samples on 1 host" in sentence for sentence in told)
    read = "this test set has been read 15 times, for which no p is corrected."
    assert told[-1] == f"5 configurations were compared; {read}"


def test_losing_to_the_clock_stands_in_the_first_screen() -> None:
    losing = report_of(split_table({GBT: (0.8, 0.2), TIME: (0.4, 0.7)}), [GBT, TIME])
    first = first_screen(losing)
    assert first.loses
    assert first.sureness[0].startswith("Worse than elapsed_time")


def test_without_the_clock_nothing_is_said_to_matter() -> None:
    alone = first_screen(report_of(split_table({GBT: (0.8, 0.6)}), [GBT]))
    assert alone.sureness[0].startswith("No elapsed_time baseline was scored")
    assert not alone.loses


def test_the_lowest_seed_stands_for_a_configuration_whatever_it_scored() -> None:
    keys = [key_of("cnn", seed=seed) for seed in (2, 0, 1)]
    skills = {key: (0.4 + 0.1 * key.seed, 0.5) for key in keys}
    report = report_of(split_table(skills), keys)
    (shown,) = report.configurations()
    assert shown.key.seed == 0
    assert report.ranked()[0].key.seed != 0, "another seed is the best on id_val"
    assert len(report.seed_scores(shown.key)) == 3


def test_verdicts_are_counted_per_host_of_the_split_and_of_no_other(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    warehouse = scored_warehouse(tmp_path_factory)
    rows = rows_from_table(warehouse.tables.read(Table.VALIDATION_INDEX))
    stranger = replace(rows[0], host_id="lab-z", status="rejected")
    scope = scope_of_set(load_test_set(warehouse.layout, SPLIT))
    found = split_quality([*rows, stranger], scope)
    assert [(one.host_id, one.part) for one in found] == [("lab-a", "trains"), ("lab-b", "tests")]
    for one in found:
        own = [row.status for row in rows if row.host_id == one.host_id]
        assert one.n_episodes == len(own)
        assert dict(one.counts) == {name: own.count(name) for name, _ in one.counts}
        assert sum(n for _, n in one.counts) == len(own)
    page = Page(f"<table>{quality_html(found)}</table>")
    lines = quality_markdown(found)
    for one in found:
        counts = [str(n) for _, n in one.counts]
        assert page.row(one.host_id)[0][3 : 3 + len(counts)] == counts
        (line,) = (text for text in lines if text.startswith(f"| {one.host_id} "))
        assert " | ".join(counts) in line


def test_hosts_that_are_markup_are_text_among_the_verdicts(report, tmp_path: Path) -> None:
    scope = scope_of(test_hosts=("<img src=x>",))
    page = Page(render_html(replace(report, quality=split_quality([], scope))))
    assert page.row("<img src=x>")
    assert "img" not in page.tags
