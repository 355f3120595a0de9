"""Controls, probe and difficulty on page and in Markdown, with reasons where they are absent."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.evaluation.shift import measure_shift
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import (
    FEW,
    SPLIT,
    copy_of,
    fit,
    score,
    scored_warehouse,
)
from cis490_pipeline_tests.reporting.made_up_reports import Page

TAUGHT = FitOptions(
    family="permuted_labels", mode=Mode.REALISTIC, overrides={"rounds": 5, "patience": 5}
)


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    return copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")


def test_what_was_not_measured_says_what_to_run(mine: Warehouse) -> None:
    report = publish_comparison(mine, SPLIT)
    text = " ".join(Page(report.html.read_text("utf-8")).texts)
    assert "no model of permuted labels was fitted" in text
    assert text.count("not measured on these sets") == 3
    assert json.loads(report.json.read_text("utf-8"))["shift"] is None


def test_controls_probe_and_difficulty_are_on_the_page(mine: Warehouse) -> None:
    for seed in (0, 1):
        fit(mine, SPLIT, replace(TAUGHT, seed=seed))
    score(mine, SPLIT, TAUGHT)
    measure_shift(mine, SPLIT, ScoringContext(why="test", bootstrap=FEW))
    report = publish_comparison(mine, SPLIT)
    page = Page(report.html.read_text("utf-8"))
    taught = [
        row for row in page.row("permuted_labels") if row[-1] in ("at chance", "ABOVE CHANCE")
    ]
    assert [row[-1] for row in taught] == ["at chance"] * 2
    assert all(0.05 < float(row[2]) < 0.3 for row in taught)
    assert "above chance" not in report.headline
    (profile,) = [row for row in page.row("profile benign") if row[1] == "realistic"]
    low, middle, high = (float(cell) for cell in profile[3:])
    assert 0 < low <= middle <= high
    assert any("to" in cell for row in page.row("gbt/realistic") for cell in row)
    figures = json.loads(report.json.read_text("utf-8"))
    assert [len(one["thirds"]) for one in figures["by_difficulty"]] == [3] * 5
    markdown = report.markdown.read_text("utf-8")
    for title in ("Negative controls", "Can hosts be told apart?", "Scores by difficulty"):
        assert f"## {title}" in markdown
