"""Checks of a host: none blocks, all warn, and a silent downgrade also files an alert.

One step for all of them: each is milliseconds, and a step of its own would cost a process. Each
has a test that plants its fault.
Not here: the rules (``quality``, ``episodes``), checks of splits (``checks``).
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.orchestration.config import IndexConfig
from cis490_pipeline.orchestration.metadata import markdown_table
from cis490_pipeline.orchestration.partitions import HOSTS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import QUICK_RETRY
from cis490_pipeline.orchestration.several_hosts import Checked, evaluated, owed_outputs
from cis490_pipeline.quality.alerts import append_alerts
from cis490_pipeline.quality.channels import check_channels
from cis490_pipeline.quality.clocks import check_clocks
from cis490_pipeline.quality.config import QualityConfig, load_quality_config
from cis490_pipeline.quality.downgrade import downgrade_alerts, host_share_changes, share_outcome
from cis490_pipeline.quality.findings import CheckOutcome
from cis490_pipeline.quality.versions import check_versions
from cis490_pipeline.validation.summary import summarize
from cis490_pipeline.warehouse.warehouse import Warehouse

HostCheck = Callable[[Warehouse, str, QualityConfig], CheckOutcome]
Metadata = Mapping[str, dg.MetadataValue]

_CHECKS: Final[tuple[tuple[str, str, str, HostCheck], ...]] = (
    (
        "code_version",
        "validation_index",
        "The newest episodes were recorded by one version of the recorder, without local changes.",
        check_versions,
    ),
    (
        "clock_skew",
        "tensor_shards",
        "Every source begins with the first label and lasts as long as the others.",
        check_clocks,
    ),
    (
        "channels",
        "window_features",
        "No channel is absent from, or constant in, all of the newest episodes.",
        check_channels,
    ),
)
_DOWNGRADE: Final = "silent_downgrade"
_DAMAGE: Final = "index_damage"
_SHOWN: Final = 20
_TOLD: Final = 3


def build_quality_checks() -> dg.AssetChecksDefinition:
    """Return the checks of a host, each shown on the asset that it is about."""
    with warnings.catch_warnings():
        # Partitioned checks are in preview in 1.13; without them a finding names no host.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        specs = [
            dg.AssetCheckSpec(
                _DAMAGE,
                asset="validation_index",
                partitions_def=HOSTS,
                description="Every line of the index is one whole, valid row.",
            ),
            dg.AssetCheckSpec(
                _DOWNGRADE,
                asset="validation_index",
                partitions_def=HOSTS,
                description="The newest episodes fare no worse at the gate than the host's own "
                "earlier ones; otherwise alerts.jsonl gets a line.",
            ),
            *(
                dg.AssetCheckSpec(name, asset=asset, partitions_def=HOSTS, description=text)
                for name, asset, text, _ in _CHECKS
            ),
        ]

    @dg.multi_asset_check(name="quality", specs=specs, retry_policy=QUICK_RETRY)
    def quality(
        context: dg.AssetCheckExecutionContext, config: IndexConfig, lab: Lab
    ) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
        """Look at the index, and at the newest episodes of each host."""
        damage = _index_damage(config, lab)
        for host in context.partition_keys:
            yield from evaluated(context.instance, host, [damage, *_of_host(lab, host)])
        yield from owed_outputs(context)

    return quality


def _of_host(lab: Lab, host: str) -> Iterator[Checked]:
    config = load_quality_config(lab.warehouse.layout.quality_config)
    yield _downgrade(lab, host, config)
    for name, asset, _, check in _CHECKS:
        yield _result(name, asset, check(lab.warehouse, host, config), {})


def _index_damage(config: IndexConfig, lab: Lab) -> Checked:
    """Warn where the index has damaged lines; nothing of them is lost, each is listed.

    The index is one for all hosts, and so is the result.
    """
    store = lab.episode_store(config.index)
    reading = read_received(store.index_path)
    damage = reading.damage
    kinds = [(k.value, n) for k, n in summarize((), damage).index_damage.items() if n]
    shown = [
        (reading.files[d.part], d.line, d.offset, d.kind.value, d.excerpt) for d in damage[:_SHOWN]
    ]
    return Checked(
        name=_DAMAGE,
        asset="validation_index",
        passed=not damage,
        description=f"{len(damage)} damaged lines",
        metadata={
            "damaged": dg.MetadataValue.int(len(damage)),
            "kinds": markdown_table(("kind", "rows"), kinds),
            "first": markdown_table(("file", "line", "offset", "kind", "excerpt"), shown),
            "index": dg.MetadataValue.path(str(store.index_path)),
        },
    )


def _downgrade(lab: Lab, host: str, config: QualityConfig) -> Checked:
    changes = host_share_changes(lab.warehouse, host, config)
    alerts = downgrade_alerts(host, changes, datetime.now(UTC))
    path = lab.alerts
    appended = append_alerts(path, alerts)
    told: dict[str, dg.MetadataValue] = {"alerts_appended": dg.MetadataValue.int(appended.n_new)}
    if alerts:
        told["alerts_file"] = dg.MetadataValue.path(str(path))
    if appended.failure:
        told["alert_not_written"] = dg.MetadataValue.text(appended.failure)
    return _result(_DOWNGRADE, "validation_index", share_outcome(changes), told)


def _result(name: str, asset: str, outcome: CheckOutcome, more: Metadata) -> Checked:
    findings = [(f.subject, f.detail, f.suggested_fix) for f in outcome.findings]
    return Checked(
        name=name,
        asset=asset,
        passed=not outcome.findings,
        description="; ".join(f"{f.subject}: {f.detail}" for f in outcome.findings[:_TOLD])
        or "nothing to report",
        metadata={
            "n_findings": dg.MetadataValue.int(len(outcome.findings)),
            "findings": markdown_table(("what", "seen", "what to do"), findings),
            "looked_at": dg.MetadataValue.text(outcome.looked_at),
            "figures": markdown_table(outcome.head, outcome.rows),
            **more,
        },
    )
