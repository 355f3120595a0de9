"""The headline on recorded episodes: what loses to the clock is named, what wins says so.

48 episodes of the corpus in the repository, trained on lab-a and tested on lab-b: single windows do
not carry over to the other host, windows with their past do.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from cis490_pipeline.evaluation.keys import ELAPSED_TIME
from cis490_pipeline.reporting.publish import PublishedReport, publish_comparison
from cis490_pipeline.schema.context import Context
from cis490_pipeline_tests.datasets.smoke import CHEAP, SPLIT, copy_of, fit, score, scored_warehouse

_GBT = replace(CHEAP[2], overrides={"rounds": 40})


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory,
) -> PublishedReport:
    place: Path = tmp_path_factory.mktemp("headline") / "data"
    warehouse = copy_of(scored_warehouse(tmp_path_factory), place)
    for options in (_GBT, replace(_GBT, context=Context.RECENT)):
        fit(warehouse, SPLIT, options)
    score(warehouse, SPLIT, _GBT)
    return publish_comparison(warehouse, SPLIT)


def test_the_headline_names_the_winner_and_what_does_not_beat_the_clock(
    published: PublishedReport,
) -> None:
    text = published.headline
    assert "best learned model chosen on id_val: gbt/realistic/recent macro F1" in text
    assert f"; not shown to beat {ELAPSED_TIME}: gbt/realistic;" in f"{text};"
    assert "no model beats" not in text


def test_the_row_of_the_loser_says_so_and_that_of_the_winner_does_not(
    published: PublishedReport,
) -> None:
    lines = published.table_markdown.replace("\\", "").splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    roles = {cell[1]: cell[2] for cell in cells}
    assert roles["gbt/realistic"] == f"simple, not shown to beat {ELAPSED_TIME}"
    assert roles["gbt/realistic/recent"] == "simple, recommended"
    assert "worse than" in roles["majority"]
