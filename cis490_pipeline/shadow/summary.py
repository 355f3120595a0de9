"""What shadow mode comes to on a host: alarms by the hour, infections found, drift.

The file is made of the table alone, and can be made again at any time.

Not here: the rows (``scores``), how they are shown (``live``, ``orchestration``).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow.compute as pc

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.drift import DriftRole, HostDrift, host_drift
from cis490_pipeline.evaluation.drift_on_split import telemetry_of
from cis490_pipeline.evaluation.false_alarms import rate_over_time
from cis490_pipeline.evaluation.interval import (
    Interval,
    SampleSize,
    condition_on,
    without_interval,
)
from cis490_pipeline.evaluation.replicates import share_interval
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.shadow.watcher import Watcher
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.warehouse import Warehouse

SHADOW_FORMAT: Final = "cis490.shadow"
SHADOW_VERSION: Final = 1
RECENT: Final = 100
"""Episodes, the last to be received, that stand for how a host is now."""
_SHORT: Final = "no arrival was watched long enough for the alarm to ring"
_NO_CLEAN: Final = "no arrival was watched long enough before onset for the alarm to ring"
_NO_ONSET: Final = "no arrival has an onset"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowHost:
    """One host under one model.

    Attributes
    ----------
    model
        Family, mode and context, as people name them.
    n_episodes, n_windows, n_right
        Arrivals that were scored, their labelled windows, and those that were called right.
    alarms_per_host_hour
        All that were raised, by the hours in which they could have been.
    false_alarms_per_host_hour
        Those before onset in windows labelled clean, by such hours.
    detected
        Share of the arrivals with an onset in which an alarm was raised for it.
    last_received_at_s
        Unix seconds; None where the index has none.
    drift
        The last ``RECENT`` arrivals against all training episodes.
    """

    format: str = SHADOW_FORMAT
    version: int = SHADOW_VERSION
    host: str
    family: str
    mode: str
    context: str
    seed: int
    model: str
    bundle: str
    n_episodes: int
    n_windows: int
    n_right: int
    n_alarms: int | None
    n_false_alarms: int | None
    alarms_per_host_hour: Interval
    false_alarms_per_host_hour: Interval
    detected: Interval
    last_received_at_s: float | None
    drift: HostDrift

    @property
    def content_hash(self) -> str:
        """Changes when anything of it does."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def summarize_host(
    warehouse: Warehouse, host: str, watcher: Watcher, config: BootstrapConfig | None = None
) -> ShadowHost:
    """Add up a host's rows of the watching model, and write the file."""
    fitted = watcher.fitted
    rows = warehouse.tables.read(
        Table.SHADOW_SCORES,
        where=(pc.field("host_id") == host) & (pc.field("bundle") == fitted.bundle),
    ).sort_by("episode_id")
    episodes = rows.to_pylist()
    registry = ModelRegistry(warehouse.layout.models)
    _, header = read_header(registry.find(fitted.bundle))
    figures = _Figures(host, episodes, header.alarm, config or BootstrapConfig())
    found = ShadowHost(
        host=host,
        family=fitted.family,
        mode=fitted.mode,
        context=fitted.context,
        seed=fitted.seed,
        model=watcher.key.label,
        bundle=fitted.bundle,
        n_episodes=len(episodes),
        n_windows=sum(row["n_windows"] for row in episodes),
        n_right=sum(row["n_right"] or 0 for row in episodes),
        n_alarms=figures.total("n_alarms"),
        n_false_alarms=figures.total("n_false_alarms"),
        alarms_per_host_hour=figures.rate("n_alarms", "watched_s", _SHORT),
        false_alarms_per_host_hour=figures.rate("n_false_alarms", "clean_s", _NO_CLEAN),
        detected=figures.detected(),
        last_received_at_s=max(
            (row["received_at_s"] for row in episodes if row["received_at_s"] is not None),
            default=None,
        ),
        drift=_drift(warehouse, host, watcher, episodes),
    )
    encoded = msgspec.json.format(msgspec.json.encode(found), indent=1)
    write_bytes(warehouse.layout.shadow(host), encoded)
    return found


def standing_summaries(layout: Layout) -> tuple[ShadowHost, ...]:
    """Return every host's file, sorted by host.

    Raises
    ------
    WarehouseError
        Where one is damaged.
    """
    found: list[ShadowHost] = []
    for path in sorted(layout.shadow("any").parent.glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=ShadowHost))
        except FileNotFoundError:
            continue
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise WarehouseError(
                "the summary of shadow mode is damaged or of another version",
                where=str(path),
                found=str(error),
                todo="materialize shadow_scores of this host again",
            ) from error
    return tuple(sorted(found, key=lambda one: one.host))


@dataclass(frozen=True, slots=True)
class _Figures:
    """Sums over a host's rows; without an alarm they are absent, and say why."""

    host: str
    episodes: Sequence[Mapping[str, Any]]
    rule: AlarmRule
    config: BootstrapConfig

    def total(self, name: str) -> int | None:
        if self.rule.threshold is None:
            return None
        return sum(row[name] or 0 for row in self.episodes)

    def rate(self, alarms: str, seconds: str, undefined: str) -> Interval:
        if self.rule.threshold is None:
            return self._none()
        time_E = np.array([(row[seconds] or 0.0) / 3600.0 for row in self.episodes])
        alarms_E = np.array([float(row[alarms] or 0) for row in self.episodes])
        size = self._size([row for row in self.episodes if row[seconds]])
        return rate_over_time(alarms_E, time_E, size=size, config=self.config, undefined=undefined)

    def detected(self) -> Interval:
        if self.rule.threshold is None:
            return self._none()
        infected = [row for row in self.episodes if row["onset_s"] is not None]
        hit_E = np.array([row["detected_s"] is not None for row in infected], dtype=np.bool_)
        size = self._size(infected)
        return share_interval(hit_E, config=self.config, size=size, undefined=_NO_ONSET)

    def _none(self) -> Interval:
        reason = f"this model has no alarm: {self.rule.reason}"
        return without_interval(reason, size=self._size(()), level=self.config.level)

    def _size(self, rows: Sequence[Mapping[str, Any]]) -> SampleSize:
        return SampleSize(
            n_hosts=1,
            n_samples=len({row["sample_name"] for row in rows if row["sample_name"]}),
            n_episodes=len(rows),
            n_windows=sum(row["n_windows"] for row in rows),
            condition=condition_on((self.host,)),
        )


def _drift(
    warehouse: Warehouse, host: str, watcher: Watcher, episodes: Sequence[Mapping[str, Any]]
) -> HostDrift:
    received = sorted(
        episodes, key=lambda row: (row["received_at_s"] or float("-inf"), row["episode_id"])
    )
    recent = [
        Member(episode_id=row["episode_id"], sha256=row["sha256"]) for row in received[-RECENT:]
    ]
    own = telemetry_of(warehouse, recent)
    reference = telemetry_of(warehouse, watcher.training_set.train)
    return host_drift(host, DriftRole.TEST, own, reference)
