"""Model assets: several seeds in one materialization, trunks of their own, epochs that plot."""

from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import StaleStatus

from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.models.bundle import read_header, read_trunk_header
from cis490_pipeline.models.current import fitted_models
from cis490_pipeline_tests.orchestration.conftest import Farm
from cis490_pipeline_tests.orchestration.test_staleness import FAST, SPLIT, status

CLOCK, CLOCK_SCORE = "model__elapsed_time__any", "evaluation__elapsed_time__any"
BERT, TRUNK = "model__bert__realistic", "trunk__bert__realistic"
TINY = {"width": 8, "heads": 2, "layers": 1, "epochs": 2, "evaluation_steps": 1}


def configured(**ops: dict[str, object]) -> dict[str, object]:
    return {"ops": {name: {"config": config} for name, config in ops.items()}}


def metadata_of(result: dg.ExecuteInProcessResult, node: str) -> dict[str, Any]:
    (materialization,) = result.asset_materializations_for_node(node)
    return {name: value.value for name, value in materialization.metadata.items()}


def version_of(result: dg.ExecuteInProcessResult, node: str) -> str:
    (materialization,) = result.asset_materializations_for_node(node)
    return materialization.tags["dagster/data_version"]


def current(farm: Farm, family: str) -> dict[int, str]:
    layout = farm.warehouse.layout
    training = load_training_set(layout, SPLIT).content_hash
    models = fitted_models(layout, SPLIT, training)
    return {one.seed: one.bundle for one in models if one.family == family}


def test_one_materialization_fits_and_one_evaluation_scores_every_seed(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    seeds = configured(**{CLOCK: {"seeds": [0, 1, 2]}})
    first = farm.run(["training_set", "test_set", *FAST], SPLIT, run_config=seeds)
    bundles = current(farm, "elapsed_time")
    assert sorted(bundles) == [0, 1, 2]
    shown = metadata_of(first, CLOCK)
    for seed, ending in ((0, ""), (1, "_seed1"), (2, "_seed2")):
        assert str(shown[f"bundle{ending}"]).endswith(bundles[seed])
        card = f"model_cards/elapsed_time.any.none.{seed}.html"
        assert str(shown[f"card{ending}"]).endswith(card)
        assert 0 <= shown[f"id_val_macro_f1{ending}"] <= 1
        assert bundles[seed][:12] in str(shown["models"])
    records = current_records(farm.warehouse.layout, SPLIT)
    assert [record.fitted.seed for record in records] == [0, 1, 2]
    points: list[Any] = [record.evaluation.macro_f1.point for record in records]
    scored = metadata_of(first, CLOCK_SCORE)
    assert scored["macro_f1"] == pytest.approx(sum(points) / 3, abs=1e-4)  # shown rounded
    ends = (scored["macro_f1_low"], scored["macro_f1_high"])
    assert ends == pytest.approx((min(points), max(points)), abs=1e-4)


def test_another_seed_makes_the_evaluation_stale_and_fewer_seeds_do_not(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.run(["training_set", "test_set"], SPLIT)
    both, one = ({CLOCK: {"seeds": seeds}} for seeds in ([0, 1], [0]))
    first = farm.run(FAST, SPLIT, run_config=configured(**both))
    fewer = farm.run(FAST[0], SPLIT, run_config=configured(**one))
    assert version_of(fewer, CLOCK) == version_of(first, CLOCK)
    assert status(farm, FAST[1], SPLIT) is StaleStatus.FRESH
    more = farm.run(FAST[0], SPLIT, run_config=configured(**{CLOCK: {"seeds": [7]}}))
    assert version_of(more, CLOCK) != version_of(first, CLOCK)
    assert status(farm, FAST[1], SPLIT) is StaleStatus.STALE
    farm.run(FAST[1], SPLIT)
    records = current_records(farm.warehouse.layout, SPLIT)
    assert [record.fitted.seed for record in records] == [0, 1, 7]


def test_the_model_begins_from_the_trunk_that_its_asset_made(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.run(["training_set", "test_set"], SPLIT)
    config = {"contexts": ["none"], "hyper_parameters": TINY}
    keys = ["trunk/bert/realistic", "model/bert/realistic"]
    result = farm.run(
        keys, SPLIT, run_config=configured(**{TRUNK: config, BERT: {**config, "search": False}})
    )
    models = farm.warehouse.layout.models
    (bundle,) = current(farm, "bert").values()
    _, header = read_header(models / bundle)
    assert header.trunk is not None
    made = metadata_of(result, TRUNK)
    assert made["bundle"] == str(models / header.trunk)
    _, trunk = read_trunk_header(models / header.trunk)
    training_set = load_training_set(farm.warehouse.layout, SPLIT)
    assert trunk.training_ids_hash == training_set.training_ids_hash
    assert [status(farm, key, SPLIT) for key in keys] == [StaleStatus.FRESH] * 2
    again = farm.run(keys, SPLIT, run_config=configured(**{TRUNK: config, BERT: config}))
    assert version_of(again, TRUNK) == version_of(result, TRUNK)
    assert version_of(again, BERT) == version_of(result, BERT)
    assert "reused" in str(metadata_of(again, TRUNK)["trunks"])


def test_epochs_are_observations_with_numbers_that_plot(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    farm.run(["training_set", "test_set"], SPLIT)
    config = {"contexts": ["none"], "hyper_parameters": TINY, "seeds": [3]}
    farm.run("model/bert/realistic", SPLIT, run_config=configured(**{BERT: config}))
    key = dg.AssetKey(["model", "bert", "realistic"])
    records = farm.instance.fetch_observations(key, limit=100).records
    found = [record.asset_observation for record in reversed(records)]
    assert {one.partition for one in found} == {SPLIT}
    fine = [one for one in found if not one.description.startswith("pre-training")]
    assert len(found) > len(fine) == 2, "no trunk stood: its epochs are here as well"
    for number, one in enumerate(fine, start=1):
        values: dict[str, Any] = {name: value.value for name, value in one.metadata.items()}
        assert values["epoch_seed3"] == number
        assert values["epoch_train_loss_seed3"] > 0
        assert 0 <= values["epoch_id_val_macro_f1_seed3"] <= 1
        assert "epoch_lr_seed3" in values
