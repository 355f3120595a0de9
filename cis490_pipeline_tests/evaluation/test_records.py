"""Which records stand: those of the models that are current, on the sets that are current."""

from dataclasses import replace
from pathlib import Path

import pytest

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.evaluation.scores import EVALUATION_VERSION
from cis490_pipeline_tests.datasets.smoke import CHEAP, SPLIT, copy_of, fit, score, scored_warehouse


def test_a_record_of_an_earlier_fit_does_not_stand_for_the_current_one(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Other hyper-parameters, the same name: a report would quote a model that is not current."""
    warehouse = copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")
    _, clock, _ = CHEAP
    before = {r.fitted.family for r in current_records(warehouse.layout, SPLIT)}
    again = replace(clock, overrides={"bandwidth_s": 20.0})
    fit(warehouse, SPLIT, again)
    found = {r.fitted.family for r in current_records(warehouse.layout, SPLIT)}
    assert before - found == {clock.family}
    score(warehouse, SPLIT, again)
    assert {r.fitted.family for r in current_records(warehouse.layout, SPLIT)} == before


def test_a_record_of_another_version_waits_for_a_new_scoring_and_a_damaged_one_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """After an upgrade a report must not quote old figures, and must not fail for them either."""
    warehouse = copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")
    before = {r.fitted.family for r in current_records(warehouse.layout, SPLIT)}
    path = next(tmp_path.glob("data/splits/*/evaluations/elapsed_time*.json"))
    text = path.read_text("utf-8")
    path.write_text(text.replace(f'"version": {EVALUATION_VERSION},', '"version": 1,', 1), "utf-8")
    assert path.read_text("utf-8") != text
    found = {r.fitted.family for r in current_records(warehouse.layout, SPLIT)}
    assert before - found == {"elapsed_time"}
    path.write_text(text[: len(text) // 2], "utf-8")
    with pytest.raises(WarehouseError, match="damaged") as caught:
        current_records(warehouse.layout, SPLIT)
    assert caught.value.where == str(path)
