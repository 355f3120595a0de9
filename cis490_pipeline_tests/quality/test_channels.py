"""Absent and constant channels are found; what is known to stand still, and healthy data, not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.quality.channels import channel_findings, channel_states, check_channels
from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.schema.channels import CHANNELS, N_CHANNELS, Source, channel_slice
from cis490_pipeline_tests.episodes.building import telemetry_rows
from cis490_pipeline_tests.quality.recorded import HOSTS, made_warehouse, recorded_warehouse

EVERY = tuple(channel.column for channel in CHANNELS)
# the made telemetry rises and swings by arithmetic: the rates of its counters are constant
FEW = QualityConfig(min_episodes=4, may_be_constant=EVERY)
LOAD = "guest_load1"


def column(name: str) -> int:
    return EVERY.index(name)


def subjects(missing_EC: np.ndarray, std_EC: np.ndarray, config: QualityConfig) -> list[str]:
    states = channel_states(missing_EC, std_EC)
    return [f"{f.symptom} {f.subject}" for f in channel_findings(states, config)]


def healthy(n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((n, N_CHANNELS), np.float32), np.ones((n, N_CHANNELS), np.float32)


def test_a_channel_that_is_in_no_row_is_found(tmp_path: Path) -> None:
    rows = [{k: v for k, v in r.items() if k != "load1"} for r in telemetry_rows(Source.GUEST)]
    warehouse = made_warehouse(tmp_path, 4, rows={Source.GUEST: rows})
    (finding,) = check_channels(warehouse, "lab-a", FEW).findings
    assert (finding.symptom, finding.subject) == ("channel-absent", LOAD)
    assert "no value in 4 of the newest 4 episodes" in finding.detail


def test_an_absent_source_is_one_finding(tmp_path: Path) -> None:
    warehouse = made_warehouse(tmp_path, 4, drop=["netflow.jsonl"])
    (finding,) = check_channels(warehouse, "lab-a", FEW).findings
    assert finding.subject == "netflow"
    assert "all 11 channels of netflow" in finding.detail


def test_a_channel_that_is_stuck_is_found(tmp_path: Path) -> None:
    rows = [{**row, "load1": 0.25} for row in telemetry_rows(Source.GUEST)]
    warehouse = made_warehouse(tmp_path, 4, rows={Source.GUEST: rows})
    others = replace(FEW, may_be_constant=tuple(name for name in EVERY if name != LOAD))
    (finding,) = check_channels(warehouse, "lab-a", others).findings
    assert (finding.symptom, finding.subject) == ("channel-constant", LOAD)
    assert check_channels(warehouse, "lab-a", FEW).findings == (), "declared as constant"


def test_healthy_channels_and_few_episodes_are_silent(tmp_path: Path) -> None:
    assert check_channels(made_warehouse(tmp_path, 4), "lab-a", FEW).findings == ()
    assert subjects(*healthy(), QualityConfig()) == []
    missing_EC, std_EC = healthy(19)
    missing_EC[:], std_EC[:] = 1.0, np.nan
    assert subjects(missing_EC, std_EC, QualityConfig()) == [], "fewer than 20"
    assert channel_states(*healthy(0)) == ()


def test_a_channel_that_moves_in_one_episode_is_not_constant() -> None:
    missing_EC, std_EC = healthy()
    std_EC[:, column(LOAD)] = 0.0
    assert subjects(missing_EC, std_EC, QualityConfig()) == [f"channel-constant {LOAD}"]
    std_EC[3, column(LOAD)] = 0.1
    assert subjects(missing_EC, std_EC, QualityConfig()) == []


def test_constant_is_judged_where_there_is_a_value() -> None:
    """A rare source that is stuck whenever it speaks."""
    missing_EC, std_EC = healthy()
    missing_EC[:10, column(LOAD)] = 1.0
    std_EC[:10, column(LOAD)], std_EC[10:, column(LOAD)] = np.nan, 0.0
    assert subjects(missing_EC, std_EC, QualityConfig()) == [f"channel-constant {LOAD}"]


def test_a_part_of_the_episodes_without_a_source_is_the_gates_business() -> None:
    missing_EC, std_EC = healthy()
    netflow = channel_slice(Source.NETFLOW)
    missing_EC[:18, netflow], std_EC[:18, netflow] = 1.0, np.nan
    assert subjects(missing_EC, std_EC, QualityConfig()) == []
    missing_EC[:19, netflow], std_EC[:19, netflow] = 1.0, np.nan
    assert subjects(missing_EC, std_EC, QualityConfig()) == ["channel-absent netflow"]


def test_what_has_no_value_is_absent_and_not_constant() -> None:
    missing_EC, std_EC = healthy()
    missing_EC[:, column(LOAD)], std_EC[:, column(LOAD)] = 1.0, np.nan
    state = channel_states(missing_EC, std_EC)[column(LOAD)]
    assert (state.n_absent, state.never_moves) == (20, False)
    assert subjects(missing_EC, std_EC, QualityConfig()) == [f"channel-absent {LOAD}"]


def test_the_share_of_missing_ticks_is_a_mean_over_episodes() -> None:
    missing_EC, std_EC = healthy()
    missing_EC[:5, column(LOAD)] = 0.4
    assert channel_states(missing_EC, std_EC)[column(LOAD)].missing_share == pytest.approx(0.1)


@pytest.mark.parametrize("host", HOSTS)
def test_the_recorded_corpus_is_silent(tmp_path_factory: pytest.TempPathFactory, host: str) -> None:
    """No guest was ever swapped out, and nobody moves lab-a's balloon: the defaults know both."""
    warehouse = recorded_warehouse(tmp_path_factory)
    assert check_channels(warehouse, host, QualityConfig()).findings == ()
    strict = QualityConfig(may_be_constant=())
    found = {f.subject for f in check_channels(warehouse, host, strict).findings}
    assert found == {"proc_majflt"} | ({"qmp_balloon_actual_bytes"} if host == "lab-a" else set())
