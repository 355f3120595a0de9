"""Quality checks in a run: each warns of its planted fault alone, and nothing is ever blocked."""

import errno
import os
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest

from cis490_pipeline.quality.alerts import read_alerts
from cis490_pipeline.schema.channels import CHANNELS, Source
from cis490_pipeline_tests.episodes.building import telemetry_rows
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm

CHECKS = ("silent_downgrade", "code_version", "clock_skew", "channels")
GUEST = telemetry_rows(Source.GUEST, seconds=40)
LATE = [{**row, "t_wall_ns": row["t_wall_ns"] + 6_000_000_000} for row in GUEST]
DEAF = [{key: value for key, value in row.items() if key != "load1"} for row in GUEST]
FAULTS: list[tuple[str, str, dict[str, Any]]] = [
    ("silent_downgrade", "validation_index", {"meta": {"schema_version": 2}}),
    (
        "code_version",
        "validation_index",
        {"meta": {"code_version": {"commit": "d", "dirty": True}}},
    ),
    ("clock_skew", "tensor_shards", {"rows": {Source.GUEST: LATE}}),
    ("channels", "window_features", {"rows": {Source.GUEST: DEAF}}),
]


def sharpen(farm: Farm) -> None:
    """Lower the least counts to what a farm has; its made counters are constant by arithmetic."""
    every = ", ".join(f'"{channel.column}"' for channel in CHANNELS)
    farm.settings.data.mkdir(parents=True, exist_ok=True)
    (farm.settings.data / "quality.toml").write_text(
        "recent_episodes = 6\nmin_episodes = 6\nmin_recent = 3\ndowngrade_p = 0.01\n"
        f"absent_share = 0.6\nmay_be_constant = [{every}]\n"
    )


def evaluations(
    result: dg.ExecuteInProcessResult,
) -> Mapping[str, dg.AssetCheckEvaluation]:
    return {e.check_name: e for e in result.get_asset_check_evaluations()}


def plant(farm: Farm, knobs: dict[str, Any]) -> None:
    sharpen(farm)
    for number in range(12, 17):
        farm.ship("lab-a", number, **knobs)


@pytest.mark.parametrize(("check", "asset", "knobs"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_planted_fault_warns_on_its_asset_and_its_host_alone(
    farm: Farm, check: str, asset: str, knobs: dict[str, Any]
) -> None:
    plant(farm, knobs)
    result = farm.run(INGEST, "lab-a")
    assert result.success, "a warning blocks nothing"
    found = evaluations(result)
    assert {name for name in CHECKS if not found[name].passed} == {check}
    assert found[check].asset_key == dg.AssetKey(asset)
    assert found[check].severity is dg.AssetCheckSeverity.WARN
    assert found[check].partition == "lab-a"
    table = str(found[check].metadata["findings"].value).splitlines()
    assert len(table) >= 3
    other = evaluations(farm.run(INGEST, "lab-b"))
    assert all(other[name].passed for name in CHECKS)


def test_a_silent_downgrade_is_filed_once(farm: Farm) -> None:
    plant(farm, {"drop": ["netflow.jsonl"]})
    path = farm.store / "alerts.jsonl"
    path.write_bytes(b'{"host": "lab-x", "symp')  # another writer died
    first = evaluations(farm.run(INGEST, "lab-a"))["silent_downgrade"]
    assert first.metadata["alerts_appended"].value == 1
    (alert,) = read_alerts(path).alerts
    assert (alert.host, alert.symptom) == ("lab-a", "degraded-share")
    assert "5 of the newest 5 episodes are degraded" in alert.detail
    again = evaluations(farm.run(INGEST, "lab-a"))["silent_downgrade"]
    assert not again.passed, "it still is"
    assert again.metadata["alerts_appended"].value == 0
    assert len(read_alerts(path).alerts) == 1


def test_healthy_data_files_nothing(farm: Farm) -> None:
    sharpen(farm)
    found = evaluations(farm.run(INGEST, "lab-a"))
    assert all(found[name].passed for name in CHECKS)
    assert not (farm.store / "alerts.jsonl").exists()


def test_a_store_that_cannot_be_written_warns_and_says_so(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(farm, {"drop": ["netflow.jsonl"]})
    farm.ingest("lab-a")
    (farm.store / "alerts.jsonl").unlink()
    real = os.open

    def read_only(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if str(path).endswith("alerts.jsonl"):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", read_only)
    result = farm.run(INGEST, "lab-a")
    assert result.success
    evaluation = evaluations(result)["silent_downgrade"]
    assert not evaluation.passed
    assert "Read-only file system" in str(evaluation.metadata["alert_not_written"].value)


def test_thresholds_of_a_wrong_form_stop_the_checks_with_the_reason(farm: Farm) -> None:
    farm.settings.data.mkdir(parents=True, exist_ok=True)
    (farm.settings.data / "quality.toml").write_text("max_skw_s = 2\n")
    result = farm.run(INGEST, "lab-a", raise_on_error=False)
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert failure.step_key == "quality"
    assert "max_skw_s" in failure.step_failure_data.error.to_string()
