"""How many steps that want a GPU run at once, by what the machine has and what an operator set."""

import sys
from pathlib import Path

import dagster as dg
import pytest

from cis490_pipeline.orchestration.home import GPU_POOL, gpu_steps_at_once, prepare_home
from cis490_pipeline.settings import Settings

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the driver's list is Linux's")


@LINUX
def test_without_a_gpu_every_core_may_fit(tmp_path: Path) -> None:
    assert gpu_steps_at_once(tmp_path / "no-driver", cores=4) == 4
    assert gpu_steps_at_once(tmp_path, cores=4) == 4  # a driver, and no device


@LINUX
def test_fits_do_not_share_a_gpu(tmp_path: Path) -> None:
    (tmp_path / "0000:01:00.0").mkdir()
    assert gpu_steps_at_once(tmp_path, cores=4) == 1


def test_the_operators_limit_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAGSTER_HOME", "CIS490_DATA", "CIS490_STORE"):  # the home sets them: put back
        monkeypatch.setenv(name, "")
    settings = Settings(store=tmp_path / "store", data=tmp_path / "data")
    home = prepare_home(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert _limit(instance) == gpu_steps_at_once()
        instance.event_log_storage.set_concurrency_slots(GPU_POOL, 7)
    prepare_home(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert _limit(instance) == 7


def _limit(instance: dg.DagsterInstance) -> int:
    pools = instance.event_log_storage.get_pool_limits()
    (limit,) = [pool.limit for pool in pools if pool.name == GPU_POOL]
    return limit
