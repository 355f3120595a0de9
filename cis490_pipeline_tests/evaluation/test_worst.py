"""The worst host and profile: the lowest point, an interval that knows it is one of several."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.predictions import TEST, predictions_of
from cis490_pipeline.evaluation.worst import LEAST_EPISODES, worst_groups
from cis490_pipeline_tests.evaluation.made_up import FAST, PROFILES, key_of, rows

KEY = key_of("gbt")


def judged(*tables, config=FAST):
    found = predictions_of(pa.concat_tables(tables), key=KEY, role=TEST)
    return found, worst_groups(found, config)


def part(skill, name, *, n=12, host="lab-b"):
    """Rows of one profile; episode ids of their own."""
    table = rows(KEY, skill=skill, n_episodes=n, profiles=(name,), hosts=(host,))
    place = table.schema.get_field_index("episode_id")
    ids = [f"{name}-{host}-{one}" for one in table["episode_id"].to_pylist()]
    return table.set_column(place, "episode_id", pa.array(ids))


def test_it_is_the_lowest_of_the_profiles():
    found, (_, worst) = judged(part(0.9, "good"), part(0.3, "bad"), part(0.7, "fair"))
    mine = np.array([e.profile == "bad" for e in found.episodes])[found.cluster_N]
    expected = f1_score(found.y_true_N[mine], found.predicted()[mine], average="macro")
    assert (worst.kind, worst.name, worst.n_groups) == ("profile", "bad", 3)
    assert worst.macro_f1.point == pytest.approx(expected)
    assert worst.macro_f1.low < worst.macro_f1.point < worst.macro_f1.high
    assert "the lowest of 3 profiles" in worst.macro_f1.caution
    assert worst.macro_f1.disagreement is None, "its ends are not those of one profile"
    assert worst.macro_f1.n_episodes == 12


def test_one_test_host_has_no_worst():
    _, (worst, _) = judged(rows(KEY, skill=0.6))
    assert worst.name is None
    assert worst.macro_f1.point is None
    assert worst.macro_f1.reason == f"fewer than 2 hosts with at least {LEAST_EPISODES} episodes"


def test_groups_of_few_episodes_are_left_out_and_named():
    tables = [part(0.9, "good"), part(0.7, "fair"), part(0.1, "rare", n=LEAST_EPISODES - 1)]
    _, (_, worst) = judged(*tables)
    assert (worst.name, worst.left_out) == ("fair", ("rare",))


def test_the_interval_covers_the_lowest_of_equals():
    """Of equal groups the lowest looks bad by chance; its own interval misses too often."""
    truth = np.mean(
        [
            f1_score(found.y_true_N, found.predicted(), average="macro")
            for found in (
                predictions_of(rows(KEY, skill=0.6, n_episodes=600, seed=s), key=KEY, role=TEST)
                for s in range(3)
            )
        ]
    )
    covered = 0
    for seed in range(20):
        table = rows(KEY, skill=0.6, n_episodes=80, seed=100 + seed)
        found = predictions_of(table, key=KEY, role=TEST)
        (_, worst) = worst_groups(found, BootstrapConfig(n_resamples=400, seed=seed))
        assert worst.n_groups == len(PROFILES)
        covered += worst.macro_f1.low <= truth <= worst.macro_f1.high
    assert covered >= 18


def test_groups_of_other_phases_are_warned_of():
    table = part(0.7, "odd")
    table = table.filter(pa.compute.field("phase") != 4)
    _, (_, worst) = judged(part(0.7, "whole"), table)
    assert "do not all have the same phases" in worst.macro_f1.caution


def test_the_ends_are_the_lowest_of_all_groups_at_a_level_that_holds_for_all():
    found, (_, worst) = judged(part(0.50, "wide", n=6), part(0.56, "narrow", n=60))
    name_E = np.array([episode.profile for episode in found.episodes])
    strict = replace(FAST, level=0.975)
    wide, narrow = (
        macro_f1_interval(
            found.confusions()[name_E == name], config=strict, size=found.size(name_E == name)
        )
        for name in ("wide", "narrow")
    )
    assert worst.name == "wide"
    assert narrow.high < wide.high
    assert (worst.macro_f1.low, worst.macro_f1.high) == (wide.low, narrow.high)
    assert worst.macro_f1.level == 0.95
