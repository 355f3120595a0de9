"""The page over all hosts: from the splits on disk, with what is missing said."""

import json
from pathlib import Path

import pytest

from cis490_pipeline.errors import SplitRefusedError
from cis490_pipeline.reporting.publish_folds import publish_folds
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.farm import ingest, ship
from cis490_pipeline_tests.datasets.smoke import (
    CHEAP,
    FEW,
    copy_of,
    fit,
    plan,
    score,
    scored_warehouse,
    smoke_warehouse,
)
from cis490_pipeline_tests.reporting.made_up_reports import Page

CLOCK = CHEAP[1]


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    return copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")


def test_one_fold_is_a_page_that_says_what_is_missing(mine: Warehouse) -> None:
    plan(mine, "host=lab-a")  # planned, and nothing fitted
    folds = publish_folds(mine, FEW)
    assert (folds.hosts, folds.tested) == (("lab-a", "lab-b"), ("lab-b",))
    page = Page(folds.html.read_text("utf-8"))
    ((model, _, _, lab_a, lab_b),) = [row for row in page.row("elapsed_time") if len(row) == 5]
    assert (model, lab_a) == ("elapsed_time", "untested")
    assert lab_b.startswith("0.")
    assert "never left out: lab-a" in " ".join(page.texts)
    assert "lab-a untested" in folds.headline


def test_two_folds_stand_side_by_side_and_every_form_has_the_same_points(mine: Warehouse) -> None:
    plan(mine, "host=lab-a")
    fit(mine, "host=lab-a", CLOCK)
    score(mine, "host=lab-a", CLOCK)
    folds = publish_folds(mine, FEW)
    assert folds.tested == ("lab-a", "lab-b")
    found = json.loads(folds.json.read_text("utf-8"))
    clock = next(one for one in found["models"] if one["key"]["family"] == "elapsed_time")
    points = [one["macro_f1"]["point"] for one in clock["hosts"]]
    assert clock["mean"] == pytest.approx(sum(points) / 2)
    for point in points:
        assert f"{point:.2f}" in folds.headline
        assert f"{point:.2f}" in folds.markdown.read_text("utf-8")
        assert f"{point:.2f}" in folds.html.read_text("utf-8")
    assert publish_folds(mine, FEW).content_hash == folds.content_hash


def test_one_host_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    for n in range(4):
        ship(tmp_path / "store", "lab-a", n, "io-walk")
    warehouse = ingest(tmp_path / "store", tmp_path / "data", "lab-a")
    with pytest.raises(SplitRefusedError, match="no host can be left out") as caught:
        publish_folds(warehouse)
    assert caught.value.found == "lab-a"
    assert "`sample` or `time`" in caught.value.todo


def test_nothing_scored_is_an_error_that_names_the_splits(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data")
    with pytest.raises(SplitRefusedError, match="nothing was scored") as caught:
        publish_folds(warehouse)
    assert caught.value.expected == "current evaluations of host=lab-a or host=lab-b"
