"""Whether a fit is still wanted: the state of its run decides, and an interruption goes first."""

import dagster as dg
import pytest

from cis490_pipeline.orchestration.cancel import cancel_guard

Status = dg.DagsterRunStatus


class Interrupted(BaseException):
    """What Dagster raises in the main thread of a step."""


def run_in(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    run = dg.DagsterRun(job_name="full_split", status=status)
    return instance.add_run(run).run_id


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.STARTED, False),
        (Status.CANCELING, True),
        (Status.CANCELED, True),
        (Status.FAILURE, True),
    ],
)
def test_a_run_that_is_over_wants_no_fit(status: dg.DagsterRunStatus, *, expected: bool) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert cancel_guard(instance, run_in(instance, status), forwarding_s=0)() is expected


def test_a_run_that_was_deleted_wants_no_fit() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert cancel_guard(instance, "01234567-0000-0000-0000-000000000000")()


def test_the_executor_s_interruption_comes_before_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    def interrupt(seconds: float) -> None:
        waited.append(seconds)
        raise Interrupted

    monkeypatch.setattr("cis490_pipeline.orchestration.cancel.time.sleep", interrupt)
    with dg.DagsterInstance.ephemeral() as instance:
        cancelled = cancel_guard(instance, run_in(instance, Status.CANCELING))
        with pytest.raises(Interrupted):
            cancelled()
        cancel_guard(instance, run_in(instance, Status.STARTED))()
    assert len(waited) == 1
    assert waited[0] > 0
