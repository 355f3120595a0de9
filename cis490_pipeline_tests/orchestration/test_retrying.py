"""Every step is tried again after a while, and every job has an end."""

from pathlib import Path

import dagster as dg
import pytest

from cis490_pipeline.orchestration.build import build_definitions
from cis490_pipeline.settings import Settings


@pytest.fixture
def jobs(tmp_path: Path) -> list[dg.JobDefinition]:
    settings = Settings(store=tmp_path / "store", data=tmp_path / "data")
    return list(build_definitions(settings).resolve_all_job_defs())


def test_a_step_whose_process_is_killed_is_tried_again(jobs: list[dg.JobDefinition]) -> None:
    policies = {
        node.name: node.definition.retry_policy
        for job in jobs
        for node in job.nodes_in_topological_order
    }
    assert len(policies) > 60
    assert not [name for name, policy in policies.items() if policy is None]
    for policy in policies.values():
        assert policy.max_retries >= 1
        assert policy.delay > 0
        assert policy.backoff is dg.Backoff.EXPONENTIAL


def test_jobs_that_fit_nothing_end_within_hours(jobs: list[dg.JobDefinition]) -> None:
    limits = {job.name: job.tags.get("dagster/max_runtime") for job in jobs}
    assert limits.pop("full_split") is None  # the instance's: a day
    assert limits.pop("__ASSET_JOB") is None
    assert set(limits.values()) == {"21600"}
