"""The quick version of the drill with Dagster's processes: four deaths in one installation."""

from pathlib import Path

import pytest

from cis490_pipeline_tests.deploy.door import free_port
from cis490_pipeline_tests.drills.installation import installed
from cis490_pipeline_tests.drills.processes import check_aftermath, play, prepare

pytestmark = pytest.mark.end_to_end

VICTIMS = ("step", "run worker", "daemon", "webserver")


def test_whichever_process_dies_the_work_is_done_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, calm = prepare(tmp_path, VICTIMS)
    with installed(store, tmp_path / "data", free_port(), gpu_steps=len(VICTIMS) + 1) as here:
        told = [
            *play(here, calm, "ingest", [*VICTIMS]),
            *play(here, calm, "ingest", ["machine"]),
            *play(here, calm, "training", [*VICTIMS]),
        ]
    check_aftermath(tmp_path / "data", calm)
    with capsys.disabled():
        print("\n" + "\n".join(told))
    assert len(told) == 9
