"""A reload keeps states, makes new jobs runnable, and lets removed ones go on until cancelled."""

from dataclasses import replace

from cis490_pipeline.workers.reconciliation import JobState, TrackedJob, reconcile
from cis490_pipeline_tests.workers.building import manifest

GBT = '[[jobs]]\nfamily = "gbt"\nmode = "oracle"\nsplit = "sample"\n'
ONE, TWO = manifest(GBT), manifest(GBT + "seeds = [0, 1]\n")
NONE = manifest("")


def with_state(tracked: TrackedJob, state: JobState) -> TrackedJob:
    return replace(tracked, state=state)


def test_a_first_load_makes_every_job_runnable() -> None:
    found = reconcile([], TWO)
    assert [one.state for one in found.jobs] == [JobState.PENDING] * 2
    assert found.added == tuple(job.identity for job in TWO.jobs)


def test_one_more_seed_leaves_the_job_that_runs_alone() -> None:
    running = [with_state(one, JobState.RUNNING) for one in reconcile([], ONE).jobs]
    found = reconcile(running, TWO)
    assert [one.state for one in found.jobs] == [JobState.RUNNING, JobState.PENDING]
    assert found.added == (TWO.jobs[1].identity,)


def test_a_removed_job_goes_on_and_is_told_once() -> None:
    running = [with_state(one, JobState.RUNNING) for one in reconcile([], ONE).jobs]
    found = reconcile(running, NONE)
    assert [(one.state, one.declared) for one in found.jobs] == [(JobState.RUNNING, False)]
    assert found.withdrawn == (ONE.jobs[0].identity,)
    assert reconcile(found.jobs, NONE).withdrawn == ()


def test_a_removed_job_is_gone_once_it_is_cancelled() -> None:
    cancelled = [with_state(one, JobState.CANCELLED) for one in reconcile([], ONE).jobs]
    found = reconcile(cancelled, NONE)
    assert found.jobs == ()
    assert found.forgotten == (ONE.jobs[0].identity,)


def test_a_cancelled_job_that_the_manifest_still_has_stays_cancelled() -> None:
    cancelled = [with_state(one, JobState.CANCELLED) for one in reconcile([], ONE).jobs]
    assert [one.state for one in reconcile(cancelled, ONE).jobs] == [JobState.CANCELLED]


def test_changed_needs_are_taken_over_and_the_state_is_kept() -> None:
    failed = [with_state(one, JobState.FAILED) for one in reconcile([], ONE).jobs]
    found = reconcile(failed, manifest(GBT + "min_ram_gib = 8\n"))
    assert [(one.state, one.job.needs.min_ram_gib) for one in found.jobs] == [
        (JobState.FAILED, 8.0)
    ]


def test_a_changed_hyper_parameter_is_another_job() -> None:
    done = [with_state(one, JobState.COMPLETED) for one in reconcile([], ONE).jobs]
    found = reconcile(done, manifest(GBT + "hyper_parameters = {depth = 6}\n"))
    assert [(one.state, one.declared) for one in found.jobs] == [
        (JobState.PENDING, True),
        (JobState.COMPLETED, False),
    ]
