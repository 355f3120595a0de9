"""Scores of hosts × profiles: each cell is what its own episodes say, and an empty one says why."""

import numpy as np
import pyarrow.compute as pc
import pytest

from cis490_pipeline.evaluation.host_profiles import NEVER_RECORDED
from cis490_pipeline_tests.evaluation.made_up import evaluations_of, key_of, rows, scope_of

GBT = key_of("gbt")
HOSTS = ("lab-b", "lab-c")


@pytest.fixture(scope="module")
def table():
    made = rows(GBT, skill=0.6, hosts=HOSTS, profiles=("cpu-saturate", "io-walk", "low-slow"))
    gone = (pc.field("host_id") == "lab-c") & (pc.field("profile") == "io-walk")
    return made.filter(~gone)


@pytest.fixture(scope="module")
def evaluation(table):
    return evaluations_of(table, [GBT], scope=scope_of(test_hosts=(*HOSTS, "lab-d")))[0]


def test_every_host_and_profile_has_its_cell_tested_or_not(evaluation) -> None:
    cells = [(one.host_id, one.profile) for one in evaluation.host_profiles]
    profiles = ("cpu-saturate", "io-walk", "low-slow", "scan-and-dial")
    assert cells == [(host, profile) for host in (*HOSTS, "lab-d") for profile in profiles]


def test_a_cell_is_the_score_of_its_own_windows(evaluation, table) -> None:
    for cell in evaluation.host_profiles:
        own = table.filter(
            (pc.field("host_id") == cell.host_id) & (pc.field("profile") == cell.profile)
        )
        assert cell.n_windows == own.num_rows
        if own.num_rows:
            alone = evaluations_of(own, [GBT])[0]
            assert cell.accuracy == pytest.approx(alone.accuracy)
            assert cell.macro_f1.point == pytest.approx(alone.macro_f1.point)
            assert cell.macro_f1.condition == f"conditional on host {cell.host_id}"


def test_an_empty_cell_is_untested_with_its_reason_and_no_zero(evaluation) -> None:
    empty = {(one.host_id, one.profile): one for one in evaluation.host_profiles}
    for place in (("lab-c", "io-walk"), ("lab-b", "scan-and-dial"), ("lab-d", "io-walk")):
        cell = empty[place]
        assert (cell.macro_f1, cell.accuracy, cell.reason) == (None, None, NEVER_RECORDED)
        assert (cell.n_episodes, cell.n_windows, cell.phases) == (0, 0, ())


def test_cells_of_one_host_hold_its_episodes_once(evaluation) -> None:
    counted = {
        host: sum(one.n_episodes for one in evaluation.host_profiles if one.host_id == host)
        for host in HOSTS
    }
    assert counted == {one.name: one.n_episodes for one in evaluation.hosts if one.n_episodes}
    assert np.sum(list(counted.values())) == evaluation.n_episodes
