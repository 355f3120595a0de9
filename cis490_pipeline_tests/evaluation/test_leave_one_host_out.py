"""The view over all hosts: points first, summaries that say what they leave out."""

import numpy as np
import pyarrow.compute as pc
import pytest

from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.leave_one_host_out import LeaveOneHostOut, leave_one_host_out
from cis490_pipeline.evaluation.predictions import TEST, Predictions, predictions_of, rows_of
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline_tests.evaluation.made_up import FAST, key_of, split_table

GBT, TIME = key_of("gbt"), key_of("elapsed_time")


def fold(skills: dict[ModelKey, float], seed: int) -> dict[ModelKey, Predictions]:
    table = split_table({key: (0.5, skill) for key, skill in skills.items()}, seed=seed)
    found = {}
    for key in skills:
        own = table.filter(pc.field("family") == key.family)
        (bundle,) = set(own["bundle"].to_pylist())
        mine = rows_of(table, key=key, bundle=bundle, role=TEST)
        found[key] = predictions_of(mine, key=key, role=TEST)
    return found


def view(hosts: tuple[str, ...] = ("a", "b", "c")) -> LeaveOneHostOut:
    folds = {
        "a": fold({GBT: 0.9, TIME: 0.3}, 1),
        "b": fold({GBT: 0.4}, 2),
        "c": fold({GBT: 0.8, TIME: 0.3}, 3),
    }
    return leave_one_host_out(hosts, folds, FAST)


def test_every_host_has_its_own_point_and_the_worst_is_named() -> None:
    gbt = next(one for one in view().models if one.key == GBT)
    assert [one.host for one in gbt.hosts] == ["a", "b", "c"]
    points = [one.macro_f1.point for one in gbt.hosts]
    assert gbt.lowest is not None
    assert (gbt.lowest.host, gbt.lowest.macro_f1.point) == ("b", min(points))
    assert gbt.mean == pytest.approx(np.mean(np.array(points, dtype=float)))
    assert gbt.missing == ()


def test_pooled_is_the_figure_on_all_episodes_and_names_its_hosts() -> None:
    folds = {"a": fold({GBT: 0.9}, 1), "b": fold({GBT: 0.4}, 2)}
    (gbt,) = leave_one_host_out(("a", "b"), folds, FAST).models
    total_KK = sum(one[GBT].confusions().sum(axis=0) for one in folds.values())
    assert gbt.pooled.point == pytest.approx(macro_f1(total_KK))
    assert gbt.pooled.n_episodes == sum(len(one[GBT].episodes) for one in folds.values())
    assert gbt.pooled.n_hosts == 2
    assert gbt.pooled.condition == "conditional on hosts a, b"


def test_a_model_that_lacks_a_host_has_no_mean() -> None:
    time = next(one for one in view().models if one.key == TIME)
    assert (time.mean, time.missing) == (None, ("b",))
    assert [one.host for one in time.hosts] == ["a", "c"]


def test_the_cautions_say_how_few_hosts_there_are_and_that_folds_share_them() -> None:
    text = " ".join(view().cautions)
    assert "n = 3 hosts" in text
    assert "the folds share training hosts" in text
    assert "never left out" not in text
    fewer = leave_one_host_out(("a", "b"), {"a": fold({GBT: 0.9}, 1)}, FAST)
    text = " ".join(fewer.cautions)
    assert "1 of 2 hosts" in text
    assert "never left out: b" in text
