"""Cases in context: causal, within their episode, and nothing else than the past."""

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import members_of
from cis490_pipeline.models.classifier import Inputs
from cis490_pipeline.models.views import channel_view, shape_of, summary_of
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse
from cis490_pipeline_tests.datasets.test_loading import poisoned

LOOKING_BACK = (Context.RECENT, Context.COMMISSIONED)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return smoke_warehouse(tmp_path_factory)


@pytest.fixture(scope="module")
def everyone(smoke):
    return members_of(episode_facts(smoke))


def _load(warehouse, members, context, mode=Mode.REALISTIC):
    loaded = load_cases(warehouse, members, mode, summary=True, sequences=True, context=context)
    return loaded.cases


def _every(cases):
    return np.arange(cases.n_cases)


def _naive(x_WF, window, context):
    """Return one window's columns, written down from the definition."""
    z_WF = np.sign(x_WF) * np.log1p(np.abs(x_WF))
    own, past = z_WF[window], z_WF[max(0, window - 24) : window]
    nothing = np.full_like(own, np.nan)
    against = [z_WF[window - step] if window >= step else nothing for step in (1, 2)]
    for of, held in (
        (np.nanmean, past[-3:]),
        (np.nanmean, past[-8:]),
        (np.nanmax, past),
        (np.nanmin, past),
    ):
        seen = ~np.isnan(held).all(axis=0) if len(held) else np.zeros(own.size, dtype=bool)
        against.append(nothing.copy())
        if seen.any():
            against[-1][seen] = of(held[:, seen], axis=0)
    if context is Context.COMMISSIONED:
        against.append(z_WF[0])
    return np.concatenate([own, *(own - other for other in against)])


@pytest.mark.parametrize("context", LOOKING_BACK)
def test_columns_are_differences_to_the_windows_before(smoke, everyone, context):
    plain, cases = (_load(smoke, everyone, c) for c in (Context.NONE, context))
    found_NG = summary_of(cases)
    for episode in (0, 17, 40):
        rows = np.flatnonzero(plain.cluster_N == episode)
        x_WF = plain.summary_NF[rows]
        wanted = [_naive(x_WF, window, context) for window in range(len(rows))]
        np.testing.assert_allclose(found_NG[rows], np.stack(wanted), rtol=0, atol=2e-6)


@pytest.mark.parametrize("context", LOOKING_BACK)
def test_the_future_and_other_episodes_change_nothing(smoke, everyone, context):
    """Of statistics: everything but an episode's windows up to one of them is poisoned."""
    cases = _load(smoke, everyone, context)
    view = cases.in_context
    for case in (0, 3, 400, cases.n_cases - 1):
        row, window = view.row_N[case], view.window_N[case]
        poisoned_MF = np.full_like(view.z_MF, 1e30)
        poisoned_MF[row - window : row + 1] = view.z_MF[row - window : row + 1]
        shown = replace(view, z_MF=poisoned_MF)
        at = np.array([case])
        assert shown.columns(at).tobytes() == view.columns(at).tobytes()


def test_the_future_and_other_episodes_are_not_in_the_stretch(smoke, everyone):
    """Of the grid: everything but an episode's ticks up to the window's end is poisoned."""
    cases = _load(smoke, everyone, Context.RECENT)
    view = cases.sequences
    for case in (0, 1, 3, 400, cases.n_cases - 1):
        maps = [np.full(x_TC.shape, 1e30, dtype=np.float32) for x_TC in view.maps]
        which, end = view.map_N[case], view.end_N[case]
        own = slice(end - view.held_N[case], end)
        maps[which][own] = view.maps[which][own]
        shown = replace(view, maps=tuple(maps))
        at = np.array([case])
        assert shown.gather(at).tobytes() == view.gather(at).tobytes()


def _naive_stretch(x_CT):
    """Return what is seen of all ticks up to a window's end, written down from the definition."""
    z_CT = np.sign(x_CT) * np.log1p(np.abs(x_CT))
    seen_CT = np.full((len(z_CT), 300), np.nan)
    for point in range(300):
        tick = z_CT.shape[1] - 1 - 4 * (299 - point)
        if tick >= 0:
            seen_CT[:, point] = z_CT[:, tick]
    now_C = np.full(len(z_CT), np.nan)
    present = ~np.isnan(seen_CT[:, -25:]).all(axis=1)
    now_C[present] = np.nanmean(seen_CT[present, -25:], axis=1)
    return seen_CT - now_C[:, np.newaxis]


def test_a_stretch_is_two_minutes_up_to_now_relative_to_now(smoke, everyone):
    view = _load(smoke, everyone, Context.RECENT).sequences
    assert (view.n_channels, view.n_timepoints) == (25, 300)
    for case in (0, 1, 2, 14, 400, 784):
        end, held = view.end_N[case], view.held_N[case]
        x_TC = view.maps[view.map_N[case]][max(end - held, end - 1200) : end, list(view.channels)]
        found_CT = view.gather(np.array([case]))[0]
        np.testing.assert_allclose(found_CT, _naive_stretch(x_TC.T), rtol=0, atol=2e-6)
    first = view.gather(np.flatnonzero(view.held_N == 100))
    assert np.isnan(first[:, :, :275]).all()
    assert np.isfinite(first[:, :, 275:]).any()


@pytest.mark.parametrize("context", LOOKING_BACK)
def test_first_windows_have_no_differences_and_they_are_not_zero(smoke, everyone, context):
    cases = _load(smoke, everyone, context)
    found_NG = summary_of(cases)
    first = cases.in_context.window_N == 0
    n_own = cases.in_context.z_MF.shape[1]
    assert np.isfinite(found_NG[first, :n_own]).any()
    assert np.isnan(found_NG[first, n_own : 5 * n_own]).all()


@pytest.mark.parametrize("context", LOOKING_BACK)
def test_a_batch_is_the_same_columns_without_holding_them_all(smoke, everyone, context):
    cases = _load(smoke, everyone, context)
    view = channel_view(cases, Inputs.SUMMARY)
    order_B = np.random.default_rng(0).integers(0, cases.n_cases, size=600)
    found_BG = view.gather(order_B)[:, :, 0]
    np.testing.assert_array_equal(found_BG, summary_of(cases)[order_B])
    assert shape_of(cases, Inputs.SUMMARY).n_channels == found_BG.shape[1]
    # what is held is the windows, not the columns
    assert cases.in_context.z_MF.shape == (785, 150)
    assert cases.summary_NF is None


@pytest.mark.parametrize("context", [Context.COMMISSIONED, Context.TRANSDUCTIVE])
@pytest.mark.parametrize("value", [np.nan, 1e30])
def test_nothing_of_a_hidden_channel_comes_with_the_past(smoke, everyone, tmp_path, value, context):
    copy = poisoned(smoke, tmp_path / "data", value)
    before, after = (_load(w, everyone, context) for w in (smoke, copy))
    assert summary_of(before).tobytes() == summary_of(after).tobytes()
    every = _every(before)
    assert before.sequences.gather(every).tobytes() == after.sequences.gather(every).tobytes()


@pytest.mark.parametrize("context", [*LOOKING_BACK, Context.TRANSDUCTIVE])
def test_no_members_are_no_cases_in_any_context(smoke, context):
    cases = _load(smoke, (), context)
    assert summary_of(cases).shape == (0, cases.in_context.n_channels)
    assert cases.sequences.gather(np.empty(0, dtype=np.int64)).shape[0] == 0
