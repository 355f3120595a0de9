"""The control plane's benchmark in small: real servers, pages and a backfill end in its table."""

from pathlib import Path

import pytest

from cis490_pipeline_tests.benchmarks.control_plane import Measured, measure, tables
from cis490_pipeline_tests.benchmarks.control_plane_world import Size, make_world
from cis490_pipeline_tests.reporting.browser import chromium_path

SMALL = Size(hosts=2, splits=2, rounds=1, episodes_per_host=1, repetitions=1)


def _say_nothing(_: str) -> None:
    pass


def _measured(root: Path) -> Measured:
    return measure(make_world(root, SMALL, _say_nothing), SMALL, chromium_path(), _say_nothing)


def test_pages_are_asked_and_all_hosts_backfilled_in_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "CIS490_DATA", "CIS490_STORE"):  # the world sets them: put back
        monkeypatch.setenv(name, "")
    found = _measured(tmp_path)
    assert (found.backfill.status, found.backfill.runs) == ("COMPLETED_SUCCESS", 1)
    assert found.world["hosts"] == 2
    operations = {page.page: {answer.operation for answer in page.answers} for page in found.pages}
    assert len(operations) == 10
    assert all(operations.values())
    assert "LocationWorkspaceAssetsQuery" in operations["global asset graph"]
    assert "RunRootQuery" in operations["a run with its log"]
    written = tables(found)
    for page in operations:
        assert f"| {page} |" in written
    assert "Backfill of 2 hosts: COMPLETED_SUCCESS, 1 run" in written
