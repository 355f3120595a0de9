"""Whether a fit is still wanted: the state of its run decides."""

import dagster as dg
import pytest

from cis490_pipeline.orchestration.cancel import cancel_guard

Status = dg.DagsterRunStatus


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
        assert cancel_guard(instance, run_in(instance, status))() is expected


def test_a_run_that_was_deleted_wants_no_fit() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert cancel_guard(instance, "01234567-0000-0000-0000-000000000000")()
