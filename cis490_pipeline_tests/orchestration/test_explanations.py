"""The asset ``explanations``: what it depends on, what it tells, and that the report shows it."""

from pathlib import Path

import dagster as dg

from cis490_pipeline.explain.attributions import explainable_families
from cis490_pipeline.orchestration.assets_models import families_and_modes
from cis490_pipeline_tests.orchestration.conftest import Farm

SPLIT = "host=lab-b"
MODELS = ["model/gbt/realistic", "model/elapsed_time/any"]
EVALUATIONS = ["evaluation/gbt/realistic", "evaluation/elapsed_time/any"]
QUICK = {
    "ops": {
        "model__gbt__realistic": {
            "config": {"contexts": ["none"], "hyper_parameters": {"rounds": 3}}
        },
        "explanations": {"config": {"windows_per_phase": 5}},
    }
}


def test_it_depends_on_every_model_that_can_be_explained_and_on_both_sets(farm: Farm) -> None:
    parents = farm.definitions.resolve_asset_graph().get(dg.AssetKey("explanations")).parent_keys
    expected = {
        dg.AssetKey(["model", spec.name, mode.value])
        for spec, mode in families_and_modes()
        if spec.name in explainable_families()
    }
    assert parents == expected | {dg.AssetKey("training_set"), dg.AssetKey("test_set")}
    report = farm.definitions.resolve_asset_graph().get(dg.AssetKey("comparison_report"))
    assert {dg.AssetKey("explanations"), dg.AssetKey("model_cards")} <= report.parent_keys


def test_it_explains_the_current_models_and_the_report_shows_them(farm: Farm) -> None:
    farm.ingest("lab-a", "lab-b")
    selection = ["training_set", "test_set", *MODELS, *EVALUATIONS, "explanations"]
    done = farm.run([*selection, "comparison_report"], SPLIT, run_config=QUICK)
    (event,) = done.asset_materializations_for_node("explanations")
    assert event.metadata["models"].value == 1, "elapsed_time sees no channel"
    assert event.metadata["reused"].value == 0
    assert "strongest channels" in str(event.metadata["channels"].value)
    directory = Path(event.metadata["directory"].value)
    names = sorted(path.name for path in directory.iterdir())
    assert names == ["gbt.realistic.none.0.json", "gbt.realistic.none.0.svg"]
    (report,) = done.asset_materializations_for_node("comparison_report")
    page = (directory.parent / "report.html").read_text("utf-8")
    assert report.metadata["html"].value.endswith("report.html")
    assert "](data:image/svg+xml;base64," in str(report.metadata["macro_f1"].value)
    assert 'class="heatmap"' in page

    again = farm.run(
        "explanations", SPLIT, run_config={"ops": {"explanations": QUICK["ops"]["explanations"]}}
    )
    (second,) = again.asset_materializations_for_node("explanations")
    assert second.metadata["reused"].value == 1
    assert second.tags["dagster/data_version"] == event.tags["dagster/data_version"]
