"""A device that looks back sees, window by window, what the model was trained on."""

import numpy as np
import pytest

from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import members_of
from cis490_pipeline.edge.window_context import TickContext, WindowContext
from cis490_pipeline.features.past import signed_log
from cis490_pipeline.schema.channels import Mode, visible_channels
from cis490_pipeline.schema.context import Context
from cis490_pipeline_tests.datasets.farm import ingest, ship
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse
from cis490_pipeline_tests.edge.streams import grid_of, played, rows_of

CONTEXTS = (Context.NONE, Context.RECENT, Context.COMMISSIONED)
GAPPY = ("clean", "armed", "failed", "infecting", "dormant")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return smoke_warehouse(tmp_path_factory)


@pytest.fixture(scope="module")
def gappy(tmp_path_factory):
    """Return a warehouse of one episode with windows in its middle that are no rows."""
    root = tmp_path_factory.mktemp("gappy")
    ship(root / "store", "lab-a", 0, "io-walk", seconds=150, phases=GAPPY)
    return ingest(root / "store", root / "data", "lab-a")


def _members(warehouse):
    return members_of(episode_facts(warehouse))


def _assert_streamed(warehouse, members, mode, context):
    loaded = load_cases(warehouse, members, mode, summary=True, sequences=True, context=context)
    cases, n_checked = loaded.cases, 0
    for member in members:
        case_of = rows_of(loaded, member.episode_id)
        statistics = WindowContext(context, 6 * len(visible_channels(mode)))
        ticks = TickContext(context, len(visible_channels(mode)))
        for one in played(grid_of(warehouse, member.episode_id), mode):
            found_G = statistics.update(one.window, one.statistics_F)
            found_CT = ticks.update(one.new_CT)
            if one.window not in case_of:
                continue
            at = np.array([case_of[one.window]])
            batch = cases.in_context.columns(at) if cases.in_context else cases.summary_NF[at]
            np.testing.assert_allclose(found_G, batch[0], rtol=0, atol=1e-6)
            batch_CT = cases.sequences.gather(at)[0]
            np.testing.assert_allclose(found_CT, batch_CT, rtol=0, atol=1e-6)
            n_checked += 1
    assert n_checked == cases.n_cases


@pytest.mark.parametrize("mode", [Mode.REALISTIC, Mode.ORACLE])
@pytest.mark.parametrize("context", CONTEXTS[1:])
def test_streamed_windows_are_those_of_the_tables(smoke, mode, context):
    members = _members(smoke)
    _assert_streamed(smoke, (*members[:6], *members[-6:]), mode, context)


@pytest.mark.parametrize("context", CONTEXTS)
def test_windows_that_are_no_rows_are_seen_all_the_same(gappy, context):
    members = _members(gappy)
    loaded = load_cases(gappy, members, Mode.ANY, summary=False, sequences=False)
    windows = loaded.keys["window"].to_pylist()
    assert set(range(windows[-1])) - set(windows), "the episode has no gap"
    if context is not Context.NONE:
        _assert_streamed(gappy, members, Mode.REALISTIC, context)


def test_a_window_that_never_came_is_missing_and_not_skipped_over():
    stream, whole = (WindowContext(Context.RECENT, 1) for _ in range(2))
    found_G = [stream.update(window, np.float32([10.0 + window])) for window in (0, 1, 4)][-1]
    values = [10.0, 11.0, np.nan, np.nan, 14.0]
    wanted = [whole.update(window, np.float32([value])) for window, value in enumerate(values)]
    np.testing.assert_array_equal(found_G, wanted[-1])
    assert np.isnan(found_G[1:3]).all()  # one and two before: they never came


def test_a_device_that_comes_back_after_days_remembers_nothing_recent():
    stream = WindowContext(Context.COMMISSIONED, 1)
    stream.update(0, np.float32([10.0]))
    found_G = stream.update(1_000_000, np.float32([12.0]))
    assert np.isnan(found_G[1:-1]).all()
    own, first = signed_log(np.float32([12.0])), signed_log(np.float32([10.0]))
    assert found_G[-1] == own[0] - first[0]


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_window_out_of_order_is_refused(context):
    stream = WindowContext(context, 1)
    stream.update(3, np.float32([1.0]))
    with pytest.raises(ValueError, match="window 3 does not come after window 3"):
        stream.update(3, np.float32([1.0]))
