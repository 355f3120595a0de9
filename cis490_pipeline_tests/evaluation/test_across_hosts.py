"""Hosts as a second factor: against a slow loop, and refused where they are too few."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import numpy as np
import pytest

from cis490_pipeline.evaluation.across_hosts import FEWEST_HOSTS, interval_across_hosts
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, Contrast, expanded_level
from cis490_pipeline.evaluation.comparison import Verdict, compare
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline_tests.benchmarks.coverage_world import World
from cis490_pipeline_tests.evaluation.made_up import FAST, evaluations_of, key_of, split_table

ALL = Contrast(weights_M=(1.0,), classes_K=np.ones(5, dtype=bool))
GBT, TIME = key_of("gbt"), key_of("elapsed_time")


def _set(n_hosts: int, per_host: int = 8, host_sd: float = 0.6):
    host_E = np.repeat(np.arange(n_hosts), per_host)
    world = World(host_sd=host_sd)
    return world.episodes(np.random.default_rng(0), host_E.size, host_E=host_E), host_E


def test_ends_are_those_of_a_loop_that_draws_hosts_and_then_their_episodes() -> None:
    confusions, host_E = _set(8)
    rng = np.random.default_rng(1)
    values = []
    for _ in range(4000):
        total = np.zeros((5, 5), dtype=np.int64)
        for host in rng.integers(0, 8, 8):
            own = np.flatnonzero(host_E == host)
            total += confusions[rng.choice(own, own.size), 0].sum(axis=0)
        values.append(macro_f1(total))
    tail = (1.0 - expanded_level(0.95, 8)) / 2.0
    slow = np.quantile(values, [tail, 1.0 - tail])
    found = interval_across_hosts(confusions, ALL, host_E, BootstrapConfig(n_resamples=4000))
    assert (found.low, found.high) == pytest.approx(slow, abs=0.01)
    assert (found.n_resamples, found.reason) == (4000, None)


@pytest.mark.parametrize("n_hosts", [1, 2, FEWEST_HOSTS - 1])
def test_few_hosts_have_none_and_a_reason(n_hosts: int) -> None:
    found = interval_across_hosts(*_set(n_hosts)[:1], ALL, _set(n_hosts)[1], FAST)
    assert (found.low, found.high) == (None, None)
    assert found.reason == f"test hosts: {n_hosts}, at least 6 are needed"


def test_lost_classes_are_redrawn_and_a_hopeless_set_has_a_reason() -> None:
    confusions, host_E = _set(6)
    confusions[host_E > 0, :, 4] = 0  # ``dormant`` on one host only: 1 - (5/6)^6 of the draws
    found = interval_across_hosts(confusions, ALL, host_E, FAST)
    assert found.n_resamples == 200
    assert found.n_redrawn == pytest.approx(200 * (0.335 / 0.665), rel=0.4)
    each_alone = np.zeros((12, 1, 5, 5), dtype=np.int64)
    each_alone[np.arange(12), 0, np.arange(12) % 5, np.arange(12) % 5] = 1
    many = Contrast(weights_M=(1.0,), classes_K=np.ones(5, dtype=bool))
    hopeless = interval_across_hosts(each_alone[:, :, :, :], many, np.arange(12), FAST)
    assert hopeless.low == hopeless.high == 1.0


def test_an_evaluation_has_both_and_the_reason_where_there_is_one_host() -> None:
    hosts = tuple(f"lab-{letter}" for letter in "bcdefg")
    table = split_table({GBT: (0.7, 0.6)}, hosts=hosts, n_episodes=36)
    (many,) = evaluations_of(table, [GBT])
    across = many.macro_f1.across_hosts
    assert across.low < many.macro_f1.point < across.high
    (one,) = evaluations_of(split_table({GBT: (0.7, 0.6)}), [GBT])
    assert one.macro_f1.across_hosts.reason == "test hosts: 1, at least 6 are needed"
    assert one.hosts[0].macro_f1.across_hosts is None


def test_better_on_these_hosts_alone_is_no_verdict_where_hosts_disagree() -> None:
    """Two of six hosts carry the whole gain: over episodes it is certain, over hosts it is not."""
    hosts = tuple(f"lab-{letter}" for letter in "bcdefg")
    table = split_table({GBT: (0.7, 0.5), TIME: (0.5, 0.5)}, hosts=hosts, n_episodes=120)
    rows = table.to_pylist()
    for row in rows:
        if row["family"] == "gbt" and row["host_id"] in hosts[:1]:
            for code, name in enumerate(("clean", "armed", "infecting", "infected_running")):
                row[f"p_{name}"] = float(row["phase"] == code)
            row["p_dormant"] = float(row["phase"] == 4)
    uneven = table.from_pylist(rows, schema=table.schema)
    found = compare(evaluations_of(uneven, [GBT, TIME]), uneven, config=FAST).differences[0]
    assert found.difference.low > 0
    assert found.p_holm < 0.05
    assert found.difference.across_hosts.low < 0
    assert found.verdict is Verdict.UNDECIDED
