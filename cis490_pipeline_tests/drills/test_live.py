"""The quick version of the live hub's drill."""

from pathlib import Path

from cis490_pipeline_tests.drills.live import Plan, run


def test_listeners_that_read_hear_everything_and_slow_ones_are_nobody_s_concern(
    tmp_path: Path,
) -> None:
    plan = Plan(listeners=12, slow=2, silent=1, events_per_s=250, seconds=4.0)
    outcome = run(tmp_path / "drill", plan)
    assert outcome.published == outcome.fewest == 1000
    assert outcome.broken_order == 0
    assert outcome.p99_s < plan.seconds
