"""Explaining a split's models: what is read, what is null, what is warned of, what stands."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.datasets.test_sets import path_of_test_set
from cis490_pipeline.datasets.training_sets import load_training_set, save_training_set
from cis490_pipeline.errors import ConfigurationError, LeakageError, WarehouseError
from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.explain import explained
from cis490_pipeline.explain.attributions import Attributions
from cis490_pipeline.explain.on_split import (
    ExplainedModel,
    explain_model,
    explainable_models,
    find_model,
)
from cis490_pipeline.explain.records import current_explanations, path_of
from cis490_pipeline.explain.result import ExplainOptions
from cis490_pipeline.schema.channels import CHANNELS, Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import SPLIT, copy_of, fit, plan, scored_warehouse

FEW = ExplainOptions(windows_per_phase=8)
GBT = {"name": "gbt", "mode": Mode.REALISTIC, "context": Context.NONE, "seed": 0}
REALISTIC = {channel.column for channel in CHANNELS if channel.realistic}


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    """A copy that a test may change."""
    return copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")


def explain(warehouse: Warehouse, options: ExplainOptions = FEW, **model) -> ExplainedModel:
    fitted = find_model(warehouse, model.pop("split", SPLIT), **{**GBT, **model})
    return explain_model(warehouse, fitted, options, ScoringContext(why="test"))


def readings(warehouse: Warehouse) -> list[str]:
    rows = warehouse.tables.read(Table.TEST_LEDGER).to_pylist()
    return sorted(row["why"] for row in rows)


def test_an_explanation_has_a_cell_for_each_visible_channel_and_phase(mine: Warehouse) -> None:
    found = explain(mine).explanation
    assert set(found.channels) == REALISTIC, "no oracle channel in realistic mode"
    assert len(found.cells) == 25
    assert all(len(row) == 5 and min(row) >= 0 for row in found.cells)
    assert 0 < found.n_windows[0] <= 8
    assert max(value for row in found.cells for value in row) > 0.05
    assert found.method == "TreeSHAP"
    assert found.completeness.n_windows == sum(found.n_windows)
    assert found.completeness.largest < 1e-4
    top = found.top(3)
    assert top[0].attribution >= top[1].attribution >= top[2].attribution > 0
    assert found.cells[found.channels.index(top[0].channel)][found.phases.index(top[0].phase)] == (
        top[0].attribution
    )


def test_oracle_mode_sees_them_all(mine: Warehouse) -> None:
    fit(mine, SPLIT, FitOptions(family="gbt", mode=Mode.ORACLE, overrides={"rounds": 3}))
    found = explain(mine, mode=Mode.ORACLE).explanation
    assert len(found.channels) == len(found.cells) == 46


def test_the_two_hosts_are_compared_and_the_one_training_host_is_said(mine: Warehouse) -> None:
    found = explain(mine).explanation
    assert found.between_training_hosts.pairs == ()
    assert "one host: lab-a" in found.between_training_hosts.reason
    (pair,) = found.with_test_hosts.pairs
    assert (pair.first, pair.second) == ("id_val", "lab-b")
    assert all(rho is None or -1 <= rho <= 1 for rho in pair.rho)
    assert pair.mean is not None
    assert [(one.host, one.role) for one in found.hosts] == [("lab-a", "id_val"), ("lab-b", "test")]
    assert found.hosts[0].cells == found.cells


def test_training_hosts_are_compared_where_there_are_two(mine: Warehouse) -> None:
    plan(mine, "deploy")
    fit(mine, "deploy", FitOptions(family="gbt", mode=Mode.REALISTIC, overrides={"rounds": 3}))
    before = readings(mine)
    found = explain(mine, split="deploy").explanation
    (pair,) = found.between_training_hosts.pairs
    assert (pair.first, pair.second) == ("lab-a", "lab-b")
    assert found.with_test_hosts.reason == "the split has no test set"
    assert readings(mine) == before


def test_every_reading_of_the_test_set_is_in_the_ledger_once(mine: Warehouse) -> None:
    before = readings(mine)
    assert explain(mine).reused is False
    assert readings(mine) == [*before, "test: channels"]
    again = explain(mine)
    assert again.reused is True
    assert readings(mine) == [*before, "test: channels"], "what stands is not read again"


def test_without_a_test_set_file_the_comparison_is_null_with_the_reason(mine: Warehouse) -> None:
    path_of_test_set(mine.layout, SPLIT).unlink()
    before = readings(mine)
    found = explain(mine).explanation
    assert found.with_test_hosts.pairs == ()
    assert "no test set file" in found.with_test_hosts.reason
    assert found.test_set_hash is None
    assert readings(mine) == before
    assert found.cells


def test_the_same_model_and_seed_give_the_same_bytes(mine: Warehouse) -> None:
    done = explain(mine)
    path = path_of(mine.layout, done.fitted)
    first = path.read_bytes()
    path.unlink()
    explain(mine)
    assert path.read_bytes() == first
    other = explain(mine, replace(FEW, seed=1)).explanation
    assert other.cells != done.explanation.cells


def test_what_stands_is_made_again_for_other_options_and_when_damaged(mine: Warehouse) -> None:
    done = explain(mine)
    assert explain(mine, ExplainOptions(windows_per_phase=5)).reused is False
    path_of(mine.layout, done.fitted).write_bytes(b"{")
    assert explain(mine).reused is False
    assert explain(mine).explanation == done.explanation


def test_an_explanation_of_an_earlier_bundle_or_test_set_is_not_shown(mine: Warehouse) -> None:
    done = explain(mine).explanation
    hashes = (done.training_set_hash, done.test_set_hash)
    assert current_explanations(mine.layout, SPLIT, *hashes) == (done,)
    assert current_explanations(mine.layout, SPLIT, hashes[0], "0" * 64) == ()
    assert current_explanations(mine.layout, SPLIT, "0" * 64, hashes[1]) == ()
    fit(mine, SPLIT, FitOptions(family="gbt", mode=Mode.REALISTIC, overrides={"rounds": 2}))
    assert current_explanations(mine.layout, SPLIT, *hashes) == ()


def test_an_attribution_that_does_not_depend_on_the_model_is_warned_of(
    mine: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = explain(mine)

    def by_input_alone(_spec, _classifier, cases) -> Attributions:
        value_NF = np.nan_to_num(np.abs(cases.summary_NF)).astype(float)
        return Attributions(value_NF=value_NF, difference_N=value_NF.sum(axis=1))

    monkeypatch.setattr(explained, "attribute", by_input_alone)
    found = explain(mine, replace(FEW, windows_per_phase=9)).explanation
    assert found.with_control.mean == 1.0
    assert any("has learned nothing" in warning for warning in found.warnings)
    assert (sound.explanation.with_control.mean or 1.0) < 1.0


def test_the_blank_network_is_another_model_with_the_same_normalisation(mine: Warehouse) -> None:
    overrides = {"epochs": 1, "hidden": 8}
    fit(mine, SPLIT, FitOptions(family="mlp", mode=Mode.REALISTIC, overrides=overrides))
    found = explain(mine, name="mlp").explanation
    assert found.method == "integrated gradients"
    assert found.control == "random weights"
    assert (found.with_control.mean or 1.0) < 0.95
    assert found.completeness.n_beyond == 0


def test_families_without_attribution_are_refused_with_those_that_have_one(
    mine: Warehouse,
) -> None:
    with pytest.raises(ConfigurationError, match="one of gbt, mlp, cnn"):
        explain(mine, name="majority", mode=Mode.ANY)
    names = {one.family for one in explainable_models(mine.layout, SPLIT)}
    assert names == {"gbt"}, "majority and elapsed_time are left out"


def test_a_model_that_was_never_fitted_says_what_to_run(mine: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="cis490 train"):
        explain(mine, seed=7)


def test_a_bundle_of_other_episodes_is_refused_before_anything_is_read(mine: Warehouse) -> None:
    training_set = load_training_set(mine.layout, SPLIT)
    fitted = find_model(mine, SPLIT, **GBT)
    before = readings(mine)
    stolen = replace(training_set, train=training_set.train[1:], training_ids_hash="0" * 64)
    save_training_set(mine.layout, stolen)
    with pytest.raises(LeakageError, match="other episodes"):
        explain_model(mine, fitted, FEW, ScoringContext(why="test"))
    assert readings(mine) == before
