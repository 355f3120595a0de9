"""Mixed and dirty recorders are found among the newest episodes, old versions are not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.quality.history import Received, received_from, recorded_at_s
from cis490_pipeline.quality.versions import check_versions, recorder_versions, version_findings
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.quality.recorded import HOSTS, made_warehouse, recorded_warehouse


def history(versions: Sequence[tuple[str | None, bool | None]]) -> list[Received]:
    return [
        Received(
            episode_id=episode_id(number),
            at_s=float(number),
            status="accepted",
            code_commit=commit,
            code_dirty=dirty,
        )
        for number, (commit, dirty) in enumerate(versions)
    ]


def symptoms(versions: Sequence[tuple[str | None, bool | None]]) -> list[str]:
    return [f.symptom for f in version_findings(recorder_versions(history(versions)))]


def test_one_clean_version_is_silent_and_so_is_none() -> None:
    assert symptoms([("c0ffee", False)] * 5) == []
    assert symptoms([("c0ffee", False), (None, None), ("c0ffee", None)]) == []
    assert symptoms([(None, None)] * 3) == []
    assert symptoms([]) == []


def test_two_versions_are_mixed_and_counted() -> None:
    versions = [("c0ffee", False), ("decade", False), ("c0ffee", False)]
    (finding,) = version_findings(recorder_versions(history(versions)))
    assert finding.symptom == "mixed-code"
    assert "2 versions of the recorder among them: c0ffee 2, decade 1" in finding.detail


def test_local_changes_are_found_beside_a_mixture() -> None:
    assert symptoms([("c0ffee", False), ("c0ffee", True)]) == ["dirty-code"]
    assert symptoms([("c0ffee", True), ("decade", False)]) == ["mixed-code", "dirty-code"]


def test_a_planted_dirty_recorder_is_found_in_the_tables(tmp_path: Path) -> None:
    dirty = {"code_version": {"commit": "c0ffee", "branch": "main", "dirty": True}}
    warehouse = made_warehouse(tmp_path, 3, meta=dirty, seconds=12)
    (finding,) = check_versions(warehouse, "lab-a", QualityConfig()).findings
    assert finding.symptom == "dirty-code"
    assert finding.detail.startswith("3 episodes")


def test_an_upgrade_is_forgotten_once_the_newest_episodes_are_of_one_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = history([("c0ffee", True)] * 4 + [("decade", False)] * 6)
    monkeypatch.setattr("cis490_pipeline.quality.versions.received_from", lambda *_: tuple(past))
    warehouse = made_warehouse(tmp_path, 1, seconds=12)
    found = check_versions(warehouse, "lab-a", QualityConfig(recent_episodes=7)).findings
    assert [f.symptom for f in found] == ["mixed-code", "dirty-code"]
    assert check_versions(warehouse, "lab-a", QualityConfig(recent_episodes=6)).findings == ()


def test_without_a_time_of_reception_the_time_in_the_id_counts(tmp_path: Path) -> None:
    warehouse = made_warehouse(tmp_path, 2, seconds=12)
    found = received_from(warehouse.tables, "lab-a")
    assert [one.episode_id for one in found] == [episode_id(0), episode_id(1)]
    assert {one.at_s for one in found} == {1795322711.653}
    assert recorded_at_s("01ARZ3NDEKTSV4RRFFQ69G5FAV") == 1469922850.259


@pytest.mark.parametrize("host", HOSTS)
def test_the_recorded_corpus_is_silent(tmp_path_factory: pytest.TempPathFactory, host: str) -> None:
    outcome = check_versions(recorded_warehouse(tmp_path_factory), host, QualityConfig())
    assert outcome.findings == ()
    assert outcome.rows == (("a38a8adf7ba1", "50", "0"),)
