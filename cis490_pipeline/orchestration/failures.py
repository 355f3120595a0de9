"""The ``failures`` sensor: every failed run is told to whoever is to hear of it.

Not here: how it is told (``notifying``).
"""

from collections.abc import Sequence
from typing import Final

import dagster as dg

from cis490_pipeline.orchestration.notifying import (
    LogNotifier,
    Notifier,
    RunFailure,
    WebhookNotifier,
)
from cis490_pipeline.settings import Settings

_LONGEST_ERROR: Final = 500


def notifiers_of(settings: Settings) -> tuple[Notifier, ...]:
    """Return who hears of failures in an installation: its log, and its webhook if it has one."""
    url = settings.webhook_url.get_secret_value()
    return (LogNotifier(), WebhookNotifier(url=url)) if url else (LogNotifier(),)


def build_failures_sensor(notifiers: Sequence[Notifier]) -> dg.SensorDefinition:
    """Return the sensor that tells each of them about each failed run."""

    @dg.run_failure_sensor(
        name="failures",
        minimum_interval_seconds=30,
        description="Tells of failed runs: in the log, and to `CIS490_WEBHOOK_URL` if it is set.",
    )
    def failures(context: dg.RunFailureSensorContext) -> None:
        failure = failure_of(context)
        for notifier in notifiers:
            if not notifier.notify(failure):
                context.log.error(f"{type(notifier).__name__}: run {failure.run_id} was not told")

    return failures


def failure_of(context: dg.RunFailureSensorContext) -> RunFailure:
    """Return what there is to say: the first step's error, or the run's own."""
    run = context.dagster_run
    told = [
        event.step_failure_data.error
        for event in context.get_step_failure_events()
        if event.step_failure_data.error is not None
    ]
    messages = [(error.cause or error).message for error in told]
    error = (messages or [context.failure_event.message or "no message"])[0]
    return RunFailure(
        run_id=run.run_id,
        job=run.job_name,
        partition=run.tags.get("dagster/partition"),
        error=" ".join(error.split())[:_LONGEST_ERROR],
        will_retry=run.tags.get("dagster/will_retry") == "true",
    )
