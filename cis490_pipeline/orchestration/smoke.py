"""The runs of ``cis490 smoke``: one ``ingest_host`` per host, then six families' ``full_split``.

A fast learner, a network and the controls: the whole way through the house in a minute. The other
families differ in nothing but their own file, and the conformance battery is for those.

Not here: printing (``cli.smoke``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import dagster as dg

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.models.classifier import Procedure
from cis490_pipeline.orchestration.assets_models import families_and_modes, model_key
from cis490_pipeline.orchestration.launch import run_job
from cis490_pipeline.orchestration.registration import register_store
from cis490_pipeline.schema.context import Context
from cis490_pipeline.settings import Settings

_TAGS: Final = {"cis490/launched_by": "cis490 smoke"}
SMOKE_FAMILIES: Final = frozenset(
    {"gbt", "cnn", "majority", "elapsed_time", "grammar_only", "permuted_labels"}
)
SMOKE_WINDOWS: Final = 10
"""Windows of each phase that a smoke run explains."""
_QUIET: Final = {"console": {"config": {"log_level": "CRITICAL"}}}
_NO_HEADLINE: Final = "the report has no headline"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeRuns:
    """What the runs came to; ``failures`` has a sentence for each run that failed."""

    episodes_new: int
    episodes_total: int
    episodes_indexed: int
    headline: str
    failures: tuple[str, ...]


def run_smoke(settings: Settings, index: str, split: str, say: Callable[[str], None]) -> SmokeRuns:
    """Register the hosts of an index, ingest them, and run one split in full.

    Parameters
    ----------
    say
        Hears one line for every finished step.
    """
    register_store(settings, index)
    entries = read_received(EpisodeStore(settings.store, index).index_path).entries
    hosts = sorted({entry.host_id for entry in entries})
    runs: list[tuple[str, dg.DagsterRun]] = []
    with dg.DagsterInstance.get() as instance:
        for host in hosts:
            run = _run(instance, "ingest_host", host, ingest_run_config(index), say)
            runs.append((f"ingest_host[{host}]", run))
        ingested = [_ingested(instance, run) for _, run in runs]
        if all(run.is_success for _, run in runs):
            run = _run(instance, "full_split", split, split_run_config(), say, in_smoke)
            runs.append((f"full_split[{split}]", run))
        headline = _headline(instance, runs[-1][1])
    return SmokeRuns(
        episodes_new=sum(new for new, _ in ingested),
        episodes_total=sum(total for _, total in ingested),
        episodes_indexed=len(entries),
        headline=headline,
        failures=tuple(
            f"{name} {run.status.value} ({run.run_id})" for name, run in runs if not run.is_success
        ),
    )


def in_smoke(key: dg.AssetKey) -> bool:
    """Say whether an asset of ``full_split`` is part of the smoke run."""
    return key.path[0] not in ("trunk", "model", "evaluation") or key.path[1] in SMOKE_FAMILIES


def ingest_run_config(index: str) -> dict[str, object]:
    """Return the run configuration of ``ingest_host`` for another index file of the store."""
    config = {"config": {"index": index}}
    return {
        "loggers": _QUIET,
        "ops": {"ingest": config, "quality": config},
    }


def split_run_config() -> dict[str, object]:
    """Return the run configuration of a quick ``full_split``: networks without a context.

    A network that sees three times as much takes three times as long. Few windows are explained.
    """
    alone = {"config": {"contexts": [Context.NONE.value]}}
    ops = {
        model_key(spec.name, mode).to_python_identifier(): alone
        for spec, mode in families_and_modes()
        if spec.procedure is Procedure.NETWORK and spec.name in SMOKE_FAMILIES
    }
    few = {"config": {"windows_per_phase": SMOKE_WINDOWS}}
    return {"loggers": _QUIET, "ops": {**ops, "explanations": few}}


def _run(
    instance: dg.DagsterInstance,
    job: str,
    partition: str,
    run_config: Mapping[str, object],
    say: Callable[[str], None],
    wanted: Callable[[dg.AssetKey], bool] | None = None,
) -> dg.DagsterRun:
    say(f"{job}[{partition}]")
    return run_job(
        instance,
        job,
        partition_key=partition,
        run_config=run_config,
        tags=_TAGS,
        wanted=wanted,
        on_event=lambda event: _tell(event, say),
    )


def _tell(event: dg.DagsterEvent, say: Callable[[str], None]) -> None:
    if event.event_type is dg.DagsterEventType.STEP_SUCCESS:
        seconds = event.step_success_data.duration_ms / 1000
        say(f"  {event.step_key}: done in {seconds:.1f} s")
    elif event.event_type is dg.DagsterEventType.STEP_FAILURE:
        error = event.step_failure_data.error
        cause = error.cause if error is not None and error.cause is not None else error
        say(f"  {event.step_key}: FAILED {cause.message.strip() if cause else ''}")


def _metadata(
    instance: dg.DagsterInstance, run: dg.DagsterRun, asset: str
) -> Mapping[str, dg.MetadataValue]:
    """Return the metadata that a run gave to one asset; empty where it did not materialize it."""
    records = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    for record in records:
        materialization = record.asset_materialization
        if materialization is not None and materialization.asset_key == dg.AssetKey(asset):
            return materialization.metadata
    return {}


def _ingested(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[int, int]:
    """Return (new, held) episodes of a host's run."""
    metadata = _metadata(instance, run, "validation_index")
    counts = [metadata.get(name) for name in ("episodes_new", "episodes_total")]
    values = [count.value if isinstance(count, dg.IntMetadataValue) else 0 for count in counts]
    return values[0] or 0, values[1] or 0


def _headline(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    value = _metadata(instance, run, "comparison_report").get("headline")
    return str(value.value) if value is not None else _NO_HEADLINE
