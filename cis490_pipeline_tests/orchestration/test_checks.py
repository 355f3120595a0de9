"""Every check catches the fault that is planted for it, and stops what it should stop."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from cis490_pipeline.datasets.test_sets import save_test_set
from cis490_pipeline.datasets.training_sets import load_training_set, save_training_set
from cis490_pipeline.orchestration import assets_sets
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm

SPLIT = "host=lab-b"
QUALITY = ("silent_downgrade", "code_version", "clock_skew", "channels")


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {
        event.asset_key.to_user_string()
        for event in result.all_events
        if event.is_step_materialization and event.asset_key is not None
    }


def test_clean_data_passes_every_check(farm: Farm) -> None:
    assert checks_of(farm.run(INGEST, "lab-a")) == dict.fromkeys(["index_damage", *QUALITY], True)
    farm.ingest("lab-b")
    result = farm.run(["training_set", "test_set"], SPLIT)
    assert checks_of(result) == {"coverage": True, "leakage": True}
    (covered,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "coverage"]
    planned = load_training_set(farm.warehouse.layout, SPLIT)
    assert covered.metadata["train_episodes"].value == len(planned.train) > 0
    assert covered.metadata["id_val_episodes"].value == len(planned.id_val) > 0


def test_index_damage_warns_and_blocks_nothing(farm: Farm) -> None:
    with (farm.store / "index.jsonl").open("ab") as index:
        index.write(b"nonsense\n")
    result = farm.run(INGEST, "lab-a")
    assert result.success
    evaluations = {e.check_name: e for e in result.get_asset_check_evaluations()}
    evaluation = evaluations["index_damage"]
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.WARN
    assert evaluation.metadata["damaged"].value == 1


def test_a_planted_leak_blocks_every_evaluation(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planner with a bug: one training episode also tests."""
    farm.ingest("lab-a", "lab-b")
    farm.run("training_set", SPLIT)
    layout = farm.warehouse.layout
    real = assets_sets.write_test_set

    def leaking(*arguments: object) -> object:
        chosen = real(*arguments)
        leaked = load_training_set(layout, SPLIT).train[0]
        bad = replace(chosen, test=(leaked, *chosen.test))
        save_test_set(layout, bad)
        return bad

    monkeypatch.setattr(assets_sets, "write_test_set", leaking)
    selection = ["test_set", "model/majority/any", "evaluation/majority/any"]
    result = farm.run(selection, SPLIT, raise_on_error=False)
    assert not result.success
    assert checks_of(result)["leakage"] is False
    assert "evaluation/majority/any" not in materialized(result)


def test_the_same_tarball_under_two_ids_is_a_leak(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.run("training_set", SPLIT)
    layout = farm.warehouse.layout
    real = assets_sets.write_test_set

    def leaking(*arguments: object) -> object:
        chosen = real(*arguments)
        twin = replace(chosen.test[0], sha256=load_training_set(layout, SPLIT).train[0].sha256)
        bad = replace(chosen, test=(twin, *chosen.test[1:]))
        save_test_set(layout, bad)
        return bad

    monkeypatch.setattr(assets_sets, "write_test_set", leaking)
    result = farm.run("test_set", SPLIT, raise_on_error=False)
    assert checks_of(result)["leakage"] is False


def test_an_unsound_training_set_blocks_every_fit(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.ingest("lab-a", "lab-b")
    real = assets_sets.write_training_set

    def unsound(*arguments: object) -> object:
        bad = replace(real(*arguments), id_val=())
        save_training_set(farm.warehouse.layout, bad)
        return bad

    monkeypatch.setattr(assets_sets, "write_training_set", unsound)
    result = farm.run(["training_set", "model/majority/any"], SPLIT, raise_on_error=False)
    assert checks_of(result) == {"coverage": False}
    assert "model/majority/any" not in materialized(result)


def test_a_host_cannot_be_left_out_of_one(farm: Farm) -> None:
    farm.ingest("lab-a")
    for asset in ("training_set", "test_set"):
        result = farm.run(asset, "host=lab-a", raise_on_error=False)
        (failure,) = [e for e in result.all_events if e.is_step_failure]
        text = failure.step_failure_data.error.to_string()
        assert "only host lab-a has usable episodes" in text
        assert "use split `sample` or `time`" in text


def test_a_store_of_one_host_has_reports_and_nothing_over_all_hosts(farm: Farm) -> None:
    farm.ingest("lab-a")
    chosen = ["training_set", "test_set", "model/majority/any", "evaluation/majority/any"]
    result = farm.run([*chosen, "leave_one_host_out"], "sample", raise_on_error=False)
    assert result.success
    assert "evaluation/majority/any" in materialized(result)
    assert "leave_one_host_out" not in materialized(result)


def test_a_refused_split_says_why_and_what_to_do(tmp_path: Path, farm: Farm) -> None:
    farm.ingest("lab-a")  # lab-b was never ingested: nothing tests
    result = farm.run("test_set", SPLIT, raise_on_error=False)
    assert not result.success
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    text = json.dumps(failure.step_failure_data.error.to_string())
    assert "refused" in text
    assert "SplitRefusedError" in text
    assert SplitConfig().statuses == ("accepted", "degraded")
