"""Levels: of an episode's first window, and of a host's unlabelled windows (transductive)."""

import shutil

import numpy as np
import pyarrow as pa
import pytest

from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.levels import MOST_WINDOWS, SMALLEST_SCALE, levels_of_groups
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import members_of
from cis490_pipeline.features.past import signed_log
from cis490_pipeline.models.views import summary_of
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.tables import Table
from cis490_pipeline_tests.datasets.smoke import copy_of, smoke_warehouse

HOSTS = ("lab-a", "lab-b")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return smoke_warehouse(tmp_path_factory)


def _members(warehouse, *hosts):
    return members_of(fact for fact in episode_facts(warehouse) if fact.host_id in hosts)


def _load(warehouse, context=Context.TRANSDUCTIVE, hosts=HOSTS):
    return load_cases(
        warehouse,
        _members(warehouse, *hosts),
        Mode.REALISTIC,
        summary=True,
        sequences=True,
        context=context,
    )


def _gathered(loaded):
    return loaded.cases.sequences.gather(np.arange(loaded.cases.n_cases))


def _hosts(loaded):
    return np.asarray(loaded.keys["host_id"].to_pylist())


def test_own_statistics_are_relative_to_their_host_and_differences_are_as_before(smoke):
    recent, found = _load(smoke, Context.RECENT), _load(smoke)
    width = recent.cases.in_context.z_MF.shape[1]
    before_NG, after_NG = summary_of(recent.cases), summary_of(found.cases)
    np.testing.assert_array_equal(after_NG[:, width:], before_NG[:, width:])
    for host in HOSTS:
        here = _hosts(found) == host
        own_NF = before_NG[here, :width].astype(np.float64)
        for column in np.flatnonzero(~np.isnan(own_NF).all(axis=0)):
            low, middle, high = np.nanquantile(own_NF[:, column], (0.25, 0.5, 0.75))
            wanted = (own_NF[:, column] - middle) / max((high - low) / 1.349, SMALLEST_SCALE)
            np.testing.assert_allclose(after_NG[here, column], wanted, rtol=1e-4, atol=1e-4)


def test_stretches_are_also_relative_to_their_host(smoke):
    recent, found = _load(smoke, Context.RECENT), _load(smoke)
    before_NCT, after_NCT = _gathered(recent), _gathered(found)
    np.testing.assert_array_equal(after_NCT[:, :25], before_NCT)
    alone = _load(smoke, Context.NONE)
    now_NCT = signed_log(_gathered(alone)[:, :, 3::4])
    assert after_NCT.shape == (785, 50, 300)
    for host in HOSTS:
        here = _hosts(found) == host
        for channel in (0, 7, 20):
            seen = now_NCT[here, channel].astype(np.float64)
            low, middle, high = np.nanquantile(seen, (0.25, 0.5, 0.75))
            wanted = (seen - middle) / max((high - low) / 1.349, SMALLEST_SCALE)
            got = after_NCT[here, 25 + channel, -25:]
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_one_hosts_windows_do_not_change_anothers(smoke):
    both, alone = _load(smoke), _load(smoke, hosts=HOSTS[1:])
    here = _hosts(both) == HOSTS[1]
    assert summary_of(both.cases)[here].tobytes() == summary_of(alone.cases).tobytes()
    assert _gathered(both)[here].tobytes() == _gathered(alone).tobytes()
    fewer = load_cases(
        smoke,
        _members(smoke, HOSTS[1])[:6],
        Mode.REALISTIC,
        summary=True,
        sequences=False,
        context=Context.TRANSDUCTIVE,
    )
    n = fewer.cases.n_cases
    assert summary_of(fewer.cases).tobytes() != summary_of(alone.cases)[:n].tobytes()


def test_labels_have_no_part_in_it(smoke, tmp_path):
    other = copy_of(smoke, tmp_path / "data")
    rows = other.tables.read(Table.WINDOW_FEATURES)
    phases = np.random.default_rng(0).permutation(rows["phase"].to_numpy())
    at = rows.schema.get_field_index("phase")
    rows = rows.set_column(at, rows.schema.field(at), pa.array(phases, rows.schema.field(at).type))
    shutil.rmtree(other.tables.path(Table.WINDOW_FEATURES))
    other.tables.append(Table.WINDOW_FEATURES, rows)
    before, after = _load(smoke), _load(other)
    assert before.cases.y_N.tolist() != after.cases.y_N.tolist()
    assert summary_of(before.cases).tobytes() == summary_of(after.cases).tobytes()
    assert _gathered(before).tobytes() == _gathered(after).tobytes()


@pytest.mark.parametrize("context", [Context.COMMISSIONED, Context.TRANSDUCTIVE])
def test_missing_stays_missing_and_nothing_else_goes_missing(smoke, context):
    """Twelve episodes have no netflow, and several channels never change."""
    recent, found = _load(smoke, Context.RECENT), _load(smoke, context)
    before, after = _gathered(recent), _gathered(found)
    width = recent.cases.in_context.z_MF.shape[1]
    own = summary_of(recent.cases)[:, :width], summary_of(found.cases)[:, :width]
    np.testing.assert_array_equal(np.isnan(own[0]), np.isnan(own[1]))
    assert not np.isinf(own[1]).any()
    assert not np.isinf(after).any()
    held = ~np.isnan(before)
    if context is Context.TRANSDUCTIVE:  # the first window of an episode may lack a channel
        assert not np.isnan(after[:, 25:][held]).any()
    absent_C = np.asarray(np.isnan(before).all(axis=(0, 2)))
    assert np.isnan(after[:, 25:][:, absent_C]).all()


def test_a_stretch_is_also_relative_to_the_first_window(smoke):
    found = _load(smoke, Context.COMMISSIONED)
    now_NCT = signed_log(_gathered(_load(smoke, Context.NONE))[:, :, 3::4]).astype(np.float64)
    after_NCT, cases = _gathered(found), found.cases
    for case in (0, 1, 5, 400, 784):
        first = np.flatnonzero(cases.cluster_N == cases.cluster_N[case])[0]
        present = ~np.isnan(now_NCT[first]).all(axis=1)
        centre_C = np.full(25, np.nan)
        centre_C[present] = np.nanmean(now_NCT[first, present], axis=1)
        wanted = now_NCT[case] - centre_C[:, np.newaxis]
        np.testing.assert_allclose(after_NCT[case, 25:, -25:], wanted, rtol=0, atol=2e-6)


def test_a_constant_and_an_absent_column_have_a_level_that_divides_by_nothing():
    x_RF = np.full((6, 3), np.nan, dtype=np.float32)
    x_RF[:, 0], x_RF[:, 1] = 5.0, [1.0, 2.0, np.nan, 3.0, 4.0, 5.0]
    levels = levels_of_groups(np.zeros(6, dtype=np.int64), lambda row_V: x_RF[row_V])
    centre_BF, scale_BF = levels.of(np.arange(6))
    found = (x_RF - centre_BF) / scale_BF
    assert found[:, 0].tolist() == [0.0] * 6
    assert np.isnan(found[:, 2]).all()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(x_RF))


def test_a_host_of_many_windows_is_read_in_part_and_its_level_is_the_same():
    x_RF = np.random.default_rng(0).normal(size=(40_000, 2)).astype(np.float32)
    asked = []

    def values(row_V):
        asked.append(row_V.size)
        return x_RF[row_V]

    levels = levels_of_groups(np.zeros(len(x_RF), dtype=np.int64), values)
    assert asked == [MOST_WINDOWS]
    np.testing.assert_allclose(levels.centre_GF[0], 0.0, atol=0.05)
    np.testing.assert_allclose(levels.scale_GF[0], 1.0, atol=0.05)
