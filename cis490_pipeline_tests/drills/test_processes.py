"""A run's worker dies by ``kill -9`` in a fit: its orphan, its retry, and one result of both."""

from pathlib import Path

from cis490_pipeline_tests.deploy.door import free_port
from cis490_pipeline_tests.drills.installation import installed
from cis490_pipeline_tests.drills.processes import check_aftermath, play, prepare


def test_a_killed_worker_in_a_fit_leaves_nothing_doubled(tmp_path: Path) -> None:
    store, calm = prepare(tmp_path, ["run worker"])
    with installed(store, tmp_path / "data", free_port()) as here:
        (told,) = play(here, calm, "training", ["run worker"])
    check_aftermath(tmp_path / "data", calm)
    assert "run FAILURE  brought home by its retry" in told
