"""The probe tells hosts apart where they differ and sits at chance where they do not."""

import numpy as np
import pytest

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.evaluation.host_probe import HostProbe, probe_hosts
from cis490_pipeline_tests.evaluation.made_up import FAST


def probed(
    n_episodes: int, gap: float, hosts: tuple[str, ...] = ("a", "b"), n_columns: int = 12
) -> HostProbe:
    """Ten windows an episode that share the episode's own level, hosts in turn."""
    generator = np.random.default_rng(0)
    cluster_N = np.repeat(np.arange(n_episodes), 10)
    host_N = cluster_N % len(hosts)
    level_N = generator.normal(size=(n_episodes, n_columns))[cluster_N]
    x_NF = (
        level_N + 0.1 * generator.normal(size=(cluster_N.size, n_columns)) + gap * host_N[:, None]
    )
    cases = Cases(
        y_N=np.zeros(cluster_N.size, dtype=np.int64),
        cluster_N=cluster_N,
        t_center_s_N=np.zeros(cluster_N.size),
        summary_NF=x_NF.astype(np.float32),
        sequences=None,
        n_classes=5,
    )
    return probe_hosts(cases, np.array(hosts)[host_N], FAST)


def test_hosts_that_differ_are_told_apart() -> None:
    found = probed(40, 3.0)
    assert found.macro_f1 is not None
    assert (found.macro_f1.point or 0) > 0.95
    assert found.chance == pytest.approx(0.5, abs=0.02)
    assert (found.macro_f1.n_hosts, found.macro_f1.n_episodes) == (2, 40)


def test_hosts_that_do_not_differ_are_at_chance_although_episodes_are_recognisable() -> None:
    """More columns than episodes: fitted on those it is tested on, it would know them all."""
    found = probed(60, 0.0, n_columns=200)
    assert found.macro_f1 is not None
    assert found.chance is not None
    assert found.macro_f1.point == pytest.approx(found.chance, abs=0.15)


def test_nothing_to_tell_apart_has_a_reason() -> None:
    assert probed(20, 1.0, ("a",)).reason == "one host: a"
    few = probed(6, 1.0)
    assert (few.macro_f1, few.reason) == (None, "6 episodes are too few for 5 folds")
