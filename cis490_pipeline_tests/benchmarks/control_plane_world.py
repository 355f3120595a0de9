"""A large installation for the control plane: many hosts and splits, and a past full of runs.

The store is synthetic and tiny; what is large is Dagster's side of it: partitions, runs, events
with metadata as the assets report it. Not here: servers (``control_plane_servers``), pages and
figures (``control_plane``).
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from cis490_pipeline.orchestration.launch import DEFINITIONS_MODULE, LOCATION
from cis490_pipeline.orchestration.metadata import prediction_lineage
from cis490_pipeline.orchestration.registration import register_store
from cis490_pipeline.settings import Settings
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.store import write_store

INGEST: Final = ("validation_index", "tensor_shards", "window_features")
_BEGIN: Final = (dg.DagsterEventType.RUN_STARTING, dg.DagsterEventType.RUN_START)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large; ``splits`` have a past, more are registered (one for each host left out)."""

    hosts: int
    splits: int
    rounds: int
    episodes_per_host: int = 3
    repetitions: int = 20


FULL: Final = Size(hosts=50, splits=20, rounds=10)
QUICK: Final = Size(hosts=5, splits=4, rounds=2, repetitions=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where it is, and what it holds."""

    settings: Settings
    hosts: tuple[str, ...]
    registered_splits: int
    past_splits: tuple[str, ...]
    events: int
    runs: int


def make_world(root: Path, size: Size, say: Callable[[str], None]) -> World:
    """Write the store, register its partitions and report the past of every asset."""
    settings = Settings(store=root / "store", data=root / "data", threads=1)
    hosts = tuple(f"lab-{number:02d}" for number in range(size.hosts))
    counts = dict.fromkeys(hosts, size.episodes_per_host)
    write_store(settings.store, SynthConfig(hosts=counts, seconds=40.0, seed=0))
    say(f"store: {size.hosts} hosts × {size.episodes_per_host} episodes")
    _declare_splits(settings, hosts, size.splits // 2)
    registered = register_store(settings, "index.jsonl")
    past = _with_a_past(registered.new_splits, size.splits)
    say(f"{len(registered.new_splits)} splits, {len(past)} of them with a past")
    with dg.DagsterInstance.get() as instance:
        events, runs = _report_past(instance, hosts, past, size.rounds, say)
    return World(
        settings=settings,
        hosts=hosts,
        registered_splits=len(registered.new_splits),
        past_splits=past,
        events=events,
        runs=runs,
    )


def _declare_splits(settings: Settings, hosts: Sequence[str], n: int) -> None:
    """Declare ``n`` splits of named hosts, each with another half of them for training."""
    tables = []
    for number in range(n):
        turned = [*hosts[number % len(hosts) :], *hosts[: number % len(hosts)]]
        middle = len(turned) // 2
        train, test = (", ".join(f'"{h}"' for h in part) for part in _halves(turned, middle))
        tables.append(f"[hosts.pair-{number:02d}]\ntrain = [{train}]\ntest = [{test}]\n")
    settings.data.mkdir(parents=True, exist_ok=True)
    (settings.data / "splits.toml").write_text("\n".join(tables), "utf-8")


def _halves(hosts: Sequence[str], middle: int) -> tuple[Sequence[str], Sequence[str]]:
    return hosts[:middle], hosts[middle:]


def _with_a_past(splits: Sequence[str], n: int) -> tuple[str, ...]:
    declared = [name for name in splits if not name.startswith("host=")]
    left_out = [name for name in splits if name.startswith("host=")]
    return tuple(sorted([*declared, *left_out][:n]))


def _report_past(
    instance: dg.DagsterInstance,
    hosts: Sequence[str],
    splits: Sequence[str],
    rounds: int,
    say: Callable[[str], None],
) -> tuple[int, int]:
    """Report finished runs of ``ingest_host`` and ``full_split``; return (events, runs)."""
    ingest, full = _template(instance, "ingest_host"), _template(instance, "full_split")
    events = runs = 0
    for number in range(rounds):
        for template, partitions in ((ingest, hosts), (full, splits)):
            for partition in partitions:
                events += _report_run(instance, template, partition, number)
                runs += 1
        say(f"past: round {number + 1} of {rounds}, {events} materializations in {runs} runs")
    return events, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    """A run of a job that never started, to copy, and the partitioned assets of the job."""

    run: dg.DagsterRun
    keys: tuple[dg.AssetKey, ...]


def _template(instance: dg.DagsterInstance, job: str) -> _Template:
    repository = ReconstructableRepository.for_module(DEFINITIONS_MODULE, "defs")
    reconstructable = repository.get_reconstructable_job(job)
    definition = reconstructable.get_definition()
    target = LoadableTargetOrigin(module_name=DEFINITIONS_MODULE)
    origin = RemoteRepositoryOrigin(
        ManagedGrpcPythonEnvCodeLocationOrigin(target, LOCATION), repository_name="__repository__"
    )
    layer = definition.asset_layer
    partitioned = [k for k in layer.selected_asset_keys if layer.get(k).partitions_def is not None]
    run = instance.create_run_for_job(
        definition,
        tags={"dagster/partition": "none"},
        remote_job_origin=origin.get_job_origin(job),
        job_code_origin=reconstructable.get_python_origin(),
    )
    instance.delete_run(run.run_id)
    return _Template(run=run, keys=tuple(sorted(partitioned)))


def _report_run(
    instance: dg.DagsterInstance, template: _Template, partition: str, number: int
) -> int:
    job = template.run.job_name
    run = template.run.with_tags({"dagster/partition": partition})
    run = run._replace(run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.NOT_STARTED)
    instance.add_run(run)
    said = [DagsterEvent(event_type_value=kind.value, job_name=job) for kind in _BEGIN]
    said += [_materialized(job, key, partition, number) for key in template.keys]
    ended = dg.DagsterEventType.RUN_SUCCESS
    said.append(DagsterEvent(event_type_value=ended.value, job_name=job))
    for event in said:
        instance.report_dagster_event(event, run_id=run.run_id)
    return len(template.keys)


def _materialized(job: str, key: dg.AssetKey, partition: str, number: int) -> DagsterEvent:
    content = f"{key.to_user_string()}:{partition}:{number}"
    version = hashlib.sha256(content.encode()).hexdigest()
    materialization = dg.AssetMaterialization(
        asset_key=key,
        partition=partition,
        metadata=dict(_metadata(key, number, version)),
        tags={
            "dagster/data_version": version,
            "dagster/data_version_is_user_provided": "true",
            "dagster/code_version": "0" * 12,
        },
    )
    return DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        job_name=job,
        step_key=key.to_python_identifier(),
        event_specific_data=StepMaterializationData(materialization),
    )


def _metadata(
    key: dg.AssetKey, number: int, version: str
) -> Iterator[tuple[str, dg.MetadataValue]]:
    """Yield what the assets of this group say of themselves, as long as it really is."""
    yield "seconds", dg.MetadataValue.float(1.5 + number)
    if key.path[0] in INGEST:
        yield "episodes_total", dg.MetadataValue.int(100 * (number + 1))
        yield "dagster/partition_row_count", dg.MetadataValue.int(100 * (number + 1))
        yield "verdicts", dg.MetadataValue.md("| status | episodes |\n|---|---|\n" * 3)
        return
    if key.path[0] == "evaluation":
        yield "dagster/column_lineage", prediction_lineage()
    for context in ("none", "recent"):
        ending = "" if context == "none" else f"_{context}"
        for name in ("macro_f1", "macro_f1_low", "macro_f1_high"):
            yield f"{name}{ending}", dg.MetadataValue.float(0.5 + number / 100)
    row = f"| none | 0 | {version[:12]} | 0.500 | 0.400 – 0.600 | 24 |\n"
    yield "scores", dg.MetadataValue.md(row * 4)
    yield "bundle", dg.MetadataValue.path(f"/srv/cis490/models/{version}")
