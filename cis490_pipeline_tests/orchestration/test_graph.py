"""The graph loads clean, names what it should, and imports nothing heavy."""

import dagster as dg
import pytest

from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.cnn import CNN
from cis490_pipeline.models.gbt import GBT
from cis490_pipeline.orchestration.config import ModelConfig
from cis490_pipeline.orchestration.partitions import register_partitions
from cis490_pipeline.orchestration.smoke import SMOKE_FAMILIES, in_smoke
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline_tests.orchestration.conftest import Farm


def test_definitions_load_without_any_warning(farm: Farm) -> None:
    dg.Definitions.validate_loadable(farm.definitions)  # warnings are errors in this suite


def test_every_family_and_mode_has_a_model_and_an_evaluation(farm: Farm) -> None:
    keys = {spec.key for spec in farm.definitions.resolve_all_asset_specs()}
    for family in FAMILIES:
        for mode in family.modes:
            assert dg.AssetKey(["model", family.name, mode.value]) in keys
            assert dg.AssetKey(["evaluation", family.name, mode.value]) in keys
    named = ("episode_store", "data_card", "training_set", "test_set", "comparison_report")
    assert {dg.AssetKey(name) for name in named} <= keys


def test_models_see_the_training_set_and_nothing_else_of_the_data(farm: Farm) -> None:
    graph = farm.definitions.resolve_asset_graph()
    training_set = dg.AssetKey("training_set")
    for key in graph.get_all_asset_keys():
        parents = graph.get(key).parent_keys
        if key.path[0] == "trunk":
            assert parents == {training_set}
        elif key.path[:2] == ["model", "bert"]:
            assert parents == {training_set, dg.AssetKey(["trunk", *key.path[1:]])}
        elif key.path[0] == "model":
            assert parents == {training_set}


def test_smoke_fits_six_families_and_leaves_out_no_other_asset(farm: Farm) -> None:
    keys = farm.definitions.resolve_job_def("full_split").asset_layer.selected_asset_keys
    fitted = {key.path[1] for key in keys if key.path[0] == "model" and in_smoke(key)}
    controls = {"majority", "elapsed_time", "grammar_only", "permuted_labels"}
    assert fitted == SMOKE_FAMILIES == {"gbt", "cnn"} | controls
    trunks = [key for key in keys if key.path[0] == "trunk"]
    assert len(trunks) == 2, "the job makes the trunk of each mode"
    assert not any(in_smoke(key) for key in trunks)
    for name in ("training_set", "test_set", "shift", "comparison_report", "model_cards"):
        assert dg.AssetKey(name) in keys
        assert in_smoke(dg.AssetKey(name))


def test_every_asset_explains_itself(farm: Farm) -> None:
    for spec in farm.definitions.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.group_name != "default", spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        if spec.key != dg.AssetKey("episode_store"):
            assert spec.code_version, spec.key


def test_gpu_wanting_assets_carry_pool_and_queue(farm: Farm) -> None:
    definition = farm.definitions.resolve_assets_def(dg.AssetKey(["model", "cnn", "oracle"]))
    assert definition.op.pool == "gpu"
    assert definition.op.tags["dagster-celery/queue"] == "gpu"
    plain = farm.definitions.resolve_assets_def(dg.AssetKey(["model", "gbt", "oracle"]))
    assert plain.op.pool is None
    assert plain.op.tags["dagster-celery/queue"] == "cpu"


def test_registration_adds_hosts_and_splits_once(farm: Farm) -> None:
    assert farm.instance.get_dynamic_partitions("host") == ["lab-a", "lab-b"]
    splits = set(farm.instance.get_dynamic_partitions("split"))
    assert {"host=lab-a", "host=lab-b", "sample", "time", "deploy"} <= splits
    again = farm.register()
    assert again.new_hosts == again.new_splits == ()
    farm.ship("lab-c", 900)
    assert farm.register().new_hosts == ("lab-c",)
    assert "host=lab-c" in farm.instance.get_dynamic_partitions("split")


def test_declared_cuts_of_time_become_partitions(farm: Farm) -> None:
    store = EpisodeStore(farm.store)
    found = register_partitions(farm.instance, store, (), (50, 80))
    assert found.new_splits == ("time=50", "time=80")


def test_an_asset_fits_a_model_for_every_seed_and_context_that_its_family_has() -> None:
    config = ModelConfig(contexts=["none", "recent"], seeds=[3])
    found = {
        spec.name: [options.context for options in config.to_fit_options(spec, spec.modes[0])]
        for spec in FAMILIES
    }
    assert found["gbt"] == found["cnn"] == [Context.NONE, Context.RECENT]
    assert found["majority"] == found["grammar_only"] == [Context.NONE]
    commissioned = ModelConfig(contexts=["commissioned"])
    cnn = commissioned.to_fit_options(CNN, Mode.ORACLE)
    assert [o.context for o in cnn] == [Context.COMMISSIONED]
    usual = {o.context for spec in FAMILIES for o in ModelConfig().to_fit_options(spec, Mode.ANY)}
    assert usual == {Context.NONE, Context.RECENT}, "what is transductive is asked for by name"
    several = ModelConfig(contexts=["none", "recent"], seeds=[0, 4], search=True, alarm="1/2")
    fits = several.to_fit_options(GBT, Mode.ORACLE)
    assert [(o.context.value, o.seed) for o in fits] == [
        ("none", 0),
        ("none", 4),
        ("recent", 0),
        ("recent", 4),
    ]
    assert all(o.search and o.alarm == AlarmPolicy(k=1, n=2) for o in fits)
    for seeds in ([], [1, 1]):
        with pytest.raises(ConfigurationError, match="seeds"):
            ModelConfig(seeds=seeds).to_fit_options(GBT, Mode.ORACLE)
    with pytest.raises(ValueError, match="recnt"):
        ModelConfig(contexts=["recnt"]).to_fit_options(GBT, Mode.ORACLE)
