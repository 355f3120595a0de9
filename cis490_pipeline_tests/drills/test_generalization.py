"""The drill runs, and the past helps across hosts even on the smoke subset."""

from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse
from cis490_pipeline_tests.drills import generalization
from cis490_pipeline_tests.drills.generalization import Setting, load_host, score


def test_the_past_travels_and_the_level_does_not(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(generalization, "ROUNDS", 25)
    warehouse = smoke_warehouse(tmp_path_factory)
    scores = {}
    for context in (Context.NONE, Context.RECENT):
        setting = Setting(name=context.value, context=context)
        hosts = [load_host(warehouse, h, Mode.REALISTIC, context) for h in ("lab-a", "lab-b")]
        scores[context] = score(hosts[0], hosts[1], setting)
    assert all(0 < value < 1 for row in scores.values() for value in row)
    assert scores[Context.RECENT][2] > scores[Context.NONE][2] + 0.1
