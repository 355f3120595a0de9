"""Copies as another host might have recorded them: levels move, changes and labels do not."""

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.datasets.cases import ArraySequences
from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import members_of
from cis490_pipeline.datasets.other_hosts import on_another_host
from cis490_pipeline.schema.channels import CHANNELS, Mode, Source
from cis490_pipeline.schema.context import Context, blocks_of
from cis490_pipeline.training.augmentation import view_of_pass
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline_tests.conformance.factory import request_for
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    warehouse = smoke_warehouse(tmp_path_factory)
    facts = [fact for fact in episode_facts(warehouse) if fact.host_id == "lab-a"]
    return load_cases(
        warehouse,
        members_of(facts),
        Mode.REALISTIC,
        summary=True,
        sequences=False,
        context=Context.RECENT,
    ).cases


def _blocks(view):
    return np.split(view.matrix(), blocks_of(Context.RECENT), axis=1)


def test_levels_move_and_large_differences_do_not(cases):
    before, after = cases.in_context, on_another_host(cases.in_context, seed=0)
    memory = 6 * [CHANNELS[c].name for c in before.channels].index("mem_available_kb")
    own, moved = before.z_MF[:, memory], after.z_MF[:, memory]
    assert np.nanmedian(np.abs(moved - own)) > 0.2
    for old_NF, new_NF in list(zip(_blocks(before), _blocks(after), strict=True))[1:]:
        np.testing.assert_allclose(new_NF[:, memory], old_NF[:, memory], atol=1e-4)


def test_a_channel_moves_by_one_factor_in_an_episode_and_by_another_in_the_next(cases):
    before, after = cases.in_context, on_another_host(cases.in_context, seed=0)
    memory = 6 * [CHANNELS[c].name for c in before.channels].index("mem_available_kb")
    shift_N = (after.z_MF - before.z_MF)[before.row_N, memory]
    shifts = [shift_N[cases.cluster_N == e] for e in np.unique(cases.cluster_N)]
    assert all(np.ptp(one[np.isfinite(one)]) < 1e-3 for one in shifts)
    assert len({round(float(np.nanmedian(one)), 3) for one in shifts}) > len(shifts) / 2


def test_netflow_goes_missing_in_some_episodes_and_nothing_else_does(cases):
    before, after = cases.in_context, on_another_host(cases.in_context, seed=0)
    of_netflow = np.repeat([CHANNELS[c].source is Source.NETFLOW for c in before.channels], 6)
    gone_MF = np.isnan(after.z_MF) & ~np.isnan(before.z_MF)
    assert not gone_MF[:, ~of_netflow].any()
    gone_M = gone_MF.any(axis=1)
    assert 0.1 < gone_M.mean() < 0.7
    assert (after.z_MF[gone_M][:, of_netflow][:, 5::6] == np.float32(np.log(2))).all()
    whole = [gone_M[before.row_N[cases.cluster_N == e]] for e in np.unique(cases.cluster_N)]
    assert all(one.all() or not one.any() for one in whole)


def test_the_original_is_left_alone_and_the_seed_decides(cases):
    before = cases.in_context.z_MF.copy()
    one, same, other = (on_another_host(cases.in_context, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(cases.in_context.z_MF, before)
    assert one.z_MF.tobytes() == same.z_MF.tobytes() != other.z_MF.tobytes()


def test_only_a_share_of_the_episodes_is_moved(cases):
    before = cases.in_context
    after = on_another_host(before, seed=0, share=0.5)
    same_M = (after.z_MF == before.z_MF) | (np.isnan(after.z_MF) & np.isnan(before.z_MF))
    still = [same_M[before.row_N[cases.cluster_N == e]].all() for e in np.unique(cases.cluster_N)]
    assert 0.2 < np.mean(still) < 0.8
    whole = on_another_host(before, seed=0)
    moved_M = ~same_M.all(axis=1)
    np.testing.assert_array_equal(after.z_MF[moved_M], whole.z_MF[moved_M])


def test_every_pass_sees_other_episodes_moved_and_a_repeated_one_the_same(cases):
    view = cases.in_context
    first, again, second = (view_of_pass(view, 0.5, 7, number) for number in (0, 0, 1))
    assert first.z_MF.tobytes() == again.z_MF.tobytes() != second.z_MF.tobytes()
    assert view_of_pass(view, 0.0, 7, 0) is view
    plain = ArraySequences(x_NCT=np.zeros((3, 2, 1), dtype=np.float32))
    assert view_of_pass(plain, 0.5, 7, 0) is plain


@pytest.mark.parametrize(
    ("family", "parameter", "value"), [("mlp", "moved_share", 0.5), ("gbt", "host_copies", 1)]
)
def test_moved_episodes_in_a_context_change_a_fit_that_stays_deterministic(
    cases, family, parameter, value
):
    request = request_for(family, Mode.REALISTIC)
    fits = []
    for chosen in (type(value)(0), value, value):
        hyper_parameters = replace(request.hyper_parameters, **{parameter: chosen})
        done = fit_family(request.spec, cases, cases, hyper_parameters=hyper_parameters)
        fits.append(done.fitted.classifier.weights())
    assert fits[0] != fits[1] == fits[2]
