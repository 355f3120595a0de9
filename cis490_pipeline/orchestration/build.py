"""Everything Dagster loads, from one call, so that tests need no patching.

Not here: any definition itself.
"""

import warnings
from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from cis490_pipeline.orchestration.assets_ingest import EPISODE_STORE_SPEC, ingest_assets
from cis490_pipeline.orchestration.assets_models import (
    build_evaluation_asset,
    build_model_asset,
    families_and_modes,
)
from cis490_pipeline.orchestration.assets_reports import build_report_assets
from cis490_pipeline.orchestration.assets_sets import test_set, training_set
from cis490_pipeline.orchestration.assets_shadow import shadow_scores
from cis490_pipeline.orchestration.assets_trunks import build_trunk_asset
from cis490_pipeline.orchestration.automation import AUTOMATION
from cis490_pipeline.orchestration.checks import build_checks
from cis490_pipeline.orchestration.checks_quality import build_quality_checks
from cis490_pipeline.orchestration.failures import build_failures_sensor, notifiers_of
from cis490_pipeline.orchestration.jobs import EVALUATE_SPLIT, FULL_SPLIT, INGEST_HOST
from cis490_pipeline.orchestration.maintenance import maintenance
from cis490_pipeline.orchestration.nightly import nightly
from cis490_pipeline.orchestration.profiles import local_executor
from cis490_pipeline.orchestration.resources import lab_of
from cis490_pipeline.orchestration.sensors import SENSORS
from cis490_pipeline.settings import Settings

_Job = dg.JobDefinition | UnresolvedAssetJobDefinition


def build_definitions(settings: Settings) -> dg.Definitions:
    """Return the definitions of one installation."""
    pairs = list(families_and_modes())
    lab = lab_of(settings)
    compaction = maintenance.with_top_level_resources({"lab": lab.get_resource_definition()})
    return dg.Definitions(
        assets=[
            EPISODE_STORE_SPEC,
            ingest_assets,
            training_set,
            test_set,
            *(build_trunk_asset(spec, mode) for spec, mode in pairs if spec.is_pretrained),
            *(build_model_asset(spec, mode) for spec, mode in pairs),
            *(build_evaluation_asset(spec, mode) for spec, mode in pairs),
            *build_report_assets(),
            shadow_scores,
        ],
        asset_checks=[*build_checks(), build_quality_checks()],
        jobs=[INGEST_HOST, EVALUATE_SPLIT, FULL_SPLIT, compaction],
        sensors=[
            *SENSORS,
            _with_jobs(nightly, [INGEST_HOST, EVALUATE_SPLIT, compaction]),
            AUTOMATION,
            build_failures_sensor(notifiers_of(settings)),
        ],
        resources={"lab": lab},
        executor=local_executor(),
    )


def _with_jobs(sensor: dg.SensorDefinition, jobs: Sequence[_Job]) -> dg.SensorDefinition:
    """Return the sensor with jobs that have their resources.

    Dagster would do it itself, and warn in every process that it passes a beta parameter on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return sensor.with_updated_jobs(jobs)
