"""The quick version of the drill with SIGKILL: every phase, fewer deaths."""

from pathlib import Path

import pytest

from cis490_pipeline_tests.drills.kills import PHASES, histogram, run

_N_KILLS = 48


def test_death_in_any_phase_leaves_nothing_but_what_the_next_run_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drill = run(tmp_path, n_kills=_N_KILLS, seed=0)
    with capsys.disabled():
        print(f"\n{histogram(drill)}")
    assert drill.n_kills >= _N_KILLS
    assert set(drill.by_phase()) == set(PHASES)
