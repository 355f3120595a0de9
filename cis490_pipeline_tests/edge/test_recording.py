"""A tarball alone gets the verdict, the grid and the labels that ingest gives it."""

import numpy as np
import pytest

from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.errors import StoreError
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.gate import Status
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse
from cis490_pipeline_tests.edge.exported import EPISODE
from cis490_pipeline_tests.edge.streams import grid_of


def test_the_grid_and_the_labels_are_those_of_the_tables(tmp_path_factory):
    warehouse = smoke_warehouse(tmp_path_factory)
    recording = read_recording(EPISODE)
    name = EPISODE.name.partition(".")[0]
    np.testing.assert_array_equal(recording.x_TC, grid_of(warehouse, name))
    rows = warehouse.tables.read(Table.WINDOW_FEATURES, columns=["episode_id", "window", "phase"])
    phases = {row["window"]: row["phase"] for row in rows.to_pylist() if row["episode_id"] == name}
    assert dict(enumerate(recording.phase_N.tolist())) == phases
    assert recording.verdict.status is Status.ACCEPTED


def test_a_torn_tarball_has_a_verdict_and_no_grid(tmp_path):
    torn = tmp_path / "torn.tar.zst"
    torn.write_bytes(EPISODE.read_bytes()[:-100])
    recording = read_recording(torn)
    assert recording.verdict.status is Status.ERROR
    assert recording.verdict.reasons[0].render().startswith("open-failed:")
    assert recording.x_TC.shape == (0, 46)
    assert recording.phase_N.size == 0


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.tar.zst"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    recording = read_recording(path, ArchiveLimits())
    assert "LimitExceeded" in recording.verdict.reasons[0].render()


def test_a_file_that_is_not_there_is_a_fault_of_the_machine(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        read_recording(tmp_path / "none.tar.zst")
