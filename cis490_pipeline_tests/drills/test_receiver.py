"""The quick version of the receiver's drill."""

from pathlib import Path

from cis490_pipeline_tests.drills.receiver import run


def test_what_was_acknowledged_survives_sigkill_of_the_receiver(tmp_path: Path) -> None:
    outcome = run(tmp_path, n_uploads=60, n_kills=3, seed=0)
    assert outcome.kills == 3
    assert outcome.acknowledged > 40
    assert outcome.heard["the receiver was gone"] > 0
    assert outcome.heard["broken off"] > 0
