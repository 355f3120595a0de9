"""Runs of loaded jobs, executed in this process.

The command line starts its runs here, so that the UI lists them like its own, with the code
location that they belong to, and can re-execute them.

Not here: what the jobs are (``jobs``).
"""

from collections.abc import Callable, Mapping
from typing import Final

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

DEFINITIONS_MODULE: Final = "cis490_pipeline.definitions"
LOCATION: Final = "cis490_pipeline"


def ignore_event(event: dg.DagsterEvent) -> None:
    """Tell nobody."""


def run_job(
    instance: dg.DagsterInstance,
    job_name: str,
    *,
    partition_key: str,
    run_config: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    wanted: Callable[[dg.AssetKey], bool] | None = None,
    on_event: Callable[[dg.DagsterEvent], None] = ignore_event,
) -> dg.DagsterRun:
    """Run one partition of a job of ``cis490_pipeline.definitions`` to its end.

    ``wanted`` says which of the job's assets are run; None runs all of them. ``on_event`` hears
    every event of the run as it happens.

    Returns
    -------
    dagster.DagsterRun
        The finished run, successful or not; its events tell what happened.
    """
    repository = ReconstructableRepository.for_module(DEFINITIONS_MODULE, "defs")
    job = repository.get_reconstructable_job(job_name)
    origin = RemoteRepositoryOrigin(
        ManagedGrpcPythonEnvCodeLocationOrigin(
            LoadableTargetOrigin(module_name=DEFINITIONS_MODULE), LOCATION
        ),
        repository_name="__repository__",
    )
    definition = job.get_definition()
    selection = None
    if wanted is not None:
        selection = frozenset(filter(wanted, definition.asset_layer.selected_asset_keys))
        definition = definition.get_subset(asset_selection=selection)
    run = instance.create_run_for_job(
        definition,
        run_config=run_config or {},
        tags={"dagster/partition": partition_key, **(tags or {})},
        remote_job_origin=origin.get_job_origin(job_name),
        job_code_origin=job.get_python_origin(),
        asset_selection=selection,
    )
    for event in execute_run_iterator(job, run, instance):
        on_event(event)
    finished = instance.get_run_by_id(run.run_id)
    return finished or run
