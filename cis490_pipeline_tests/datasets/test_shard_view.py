"""Windows out of shards: no row of a table makes it read beside an episode."""

import numpy as np
import pytest

from cis490_pipeline.datasets.shard_view import ShardSequences
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.channels import Mode, visible_channels
from cis490_pipeline.schema.context import STRETCHES, Context
from cis490_pipeline.schema.windows import window_count
from cis490_pipeline.warehouse import mapped
from cis490_pipeline.warehouse.layout import Layout

MB = 2**20
N_SHARDS, EPISODES, TICKS = 3, 4, 700
MOST = 2**63 - 1


@pytest.fixture
def layout(tmp_path):
    made = Layout(tmp_path)
    made.shards("lab").mkdir(parents=True)
    random = np.random.default_rng(0)
    for shard in range(N_SHARDS):
        x_TC = random.normal(size=(EPISODES * TICKS, 46)).astype("<f4")
        x_TC.tofile(made.shards("lab") / f"{shard}.f32")
    return made


def _opened(layout, *, mode=Mode.REALISTIC, context=Context.NONE, **changed):
    n_episodes, n_windows = N_SHARDS * EPISODES, window_count(TICKS)
    tables = {
        "shards": [f"host=lab/{episode % N_SHARDS}.f32" for episode in range(n_episodes)],
        "first_ticks": np.arange(n_episodes) // N_SHARDS * TICKS,
        "n_ticks": np.full(n_episodes, TICKS),
        "episode_N": np.repeat(np.arange(n_episodes), n_windows),
        "window_N": np.tile(np.arange(n_windows), n_episodes),
    }
    return ShardSequences.open(
        layout,
        **(tables | changed),
        channels=visible_channels(mode),
        stretch=STRETCHES[context],
    )


def _of_one_window(window, *, first_tick, n_ticks):
    return {
        "shards": ["host=lab/0.f32"],
        "first_ticks": np.array([first_tick]),
        "n_ticks": np.array([n_ticks]),
        "episode_N": np.array([0]),
        "window_N": np.array([window]),
    }


@pytest.mark.parametrize(
    ("window", "first_tick", "n_ticks"),
    [
        (0, -1, TICKS),
        (0, -(2**63), TICKS),
        (0, MOST, TICKS),
        (0, MOST - 99, 100),
        (0, 100, MOST - 50),
        (0, 2701, 100),
        (0, 0, 99),
        (0, 0, -1),
        (0, 0, -(2**63)),
        (-1, 100, TICKS),
        (-3, 1000, TICKS),
        (13, 0, TICKS),
        (2**31 - 1, 0, TICKS),
        (2**31 - 1, 0, 2**40),
        (-(2**31), 0, TICKS),
    ],
)
@pytest.mark.parametrize("context", [Context.NONE, Context.RECENT])
def test_absurd_rows_of_the_tables_are_refused_when_the_shards_are_opened(
    layout, window, first_tick, n_ticks, context
):
    hostile = _of_one_window(window, first_tick=first_tick, n_ticks=n_ticks)
    with pytest.raises(WarehouseError):
        _opened(layout, context=context, **hostile)


def test_the_last_window_of_a_shard_is_within_it(layout):
    view = _opened(layout, **_of_one_window(12, first_tick=3 * TICKS, n_ticks=TICKS))
    x_TC = np.fromfile(layout.shards("lab") / "0.f32", dtype="<f4").reshape(-1, 46)
    found_TC = view.gather(np.array([0]))[0].T
    np.testing.assert_array_equal(found_TC, x_TC[-100:, visible_channels(Mode.REALISTIC)])


@pytest.mark.parametrize("context", [Context.NONE, Context.RECENT])
@pytest.mark.parametrize("mode", [Mode.REALISTIC, Mode.ORACLE])
def test_a_batch_read_in_parts_is_the_same_bytes(layout, monkeypatch, mode, context):
    view = _opened(layout, mode=mode, context=context)
    order_B = np.random.default_rng(1).integers(0, len(view.map_N), size=200)
    at_once = view.gather(order_B)
    monkeypatch.setattr(mapped, "KEPT_WHOLE", 0)
    monkeypatch.setattr(mapped, "MOST_MAPPED", MB // 2)
    assert view.gather(order_B).tobytes() == at_once.tobytes()
    one_by_one = [view.gather(order_B[b : b + 1]) for b in range(len(order_B))]
    assert np.concatenate(one_by_one).tobytes() == at_once.tobytes()
