"""A run over one or several hosts, as a backfill makes it: what happened is told for each host.

Left alone, Dagster (1.13) gives all partitions of such a run one data version, which would make
every set of theirs old, and its check results no partition at all.

Not here: what is done for a host (``assets_ingest``, ``checks_quality``).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from dagster._core.event_api import EventLogRecord

_DATA_VERSION: Final = "dagster/data_version"
Metadata = Mapping[str, dg.MetadataValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a step made of an asset for one host."""

    host: str
    asset: str
    data_version: str
    metadata: Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of a host came to; such checks warn, and block nothing."""

    name: str
    asset: str
    passed: bool
    description: str
    metadata: Metadata


def materialized(
    instance: dg.DagsterInstance, made: Sequence[Made]
) -> Iterator[dg.MaterializeResult | dg.AssetMaterialization]:
    """Yield what a step that made all this has to yield.

    First the outputs that later steps wait for. Of several hosts Dagster writes them down for every
    host alike; then follows, for each, what is true of it, and the later event is what stands.
    """
    by_asset = {name: [one for one in made if one.asset == name] for name in _assets(made)}
    for name, ones in by_asset.items():
        yield dg.MaterializeResult(
            asset_key=name,
            data_version=dg.DataVersion(_version_of(ones)),
            metadata=ones[0].metadata if len(ones) == 1 else {},
        )
    for name, ones in by_asset.items():
        for one in ones if len(ones) > 1 else ():
            noted = _latest(instance, name, one.host)
            before = noted.asset_materialization if noted is not None else None
            tags = (before.tags or {}) if before is not None else {}
            yield dg.AssetMaterialization(
                asset_key=name,
                partition=one.host,
                metadata=one.metadata,
                tags={**tags, _DATA_VERSION: one.data_version},
            )


def _assets(made: Sequence[Made]) -> Sequence[str]:
    return tuple(dict.fromkeys(one.asset for one in made))


def _version_of(ones: Sequence[Made]) -> str:
    if len(ones) == 1:
        return ones[0].data_version
    lines = sorted(f"{one.host}:{one.data_version}" for one in ones)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def evaluated(
    instance: dg.DagsterInstance, host: str, results: Iterable[Checked]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield a host's check results; after those of all hosts, ``owed_outputs``."""
    for one in results:
        seen = _latest(instance, one.asset, host)
        yield dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(one.asset),
            check_name=one.name,
            passed=one.passed,
            description=one.description,
            metadata=one.metadata,
            target_materialization_data=None
            if seen is None
            else Target(storage_id=seen.storage_id, run_id=seen.run_id, timestamp=seen.timestamp),
            severity=dg.AssetCheckSeverity.WARN,
            partition=host,
        )


def owed_outputs(context: dg.AssetCheckExecutionContext) -> Iterator[dg.Output[None]]:
    """Yield the outputs that a step of checks has to have."""
    for name in context.op_execution_context.op_def.output_dict:
        yield dg.Output(None, name)


def _latest(instance: dg.DagsterInstance, asset: str, host: str) -> EventLogRecord | None:
    of_host = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[host])
    records = instance.fetch_materializations(of_host, limit=1).records
    return records[0] if records else None
